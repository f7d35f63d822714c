import { checkAttributeValues } from './attribute-values.js'
import { formatAddress, formatPrefix, parseAddress } from './address.js'
import type { FamilyName, KnownAttributes, Nlri, PathAttributes } from './wire/index.js'

/** A peer as a policy sees it. */
export interface PolicyPeer {
  readonly name: string
  /** Canonical text. */
  readonly address: string
  readonly asn: number
  readonly internal: boolean
}

/** A route as a policy sees it. What is not looked at is not read. */
export interface PolicyRoute {
  /** Canonical text. */
  readonly prefix: string
  readonly family: FamilyName
  /** Path Identifier that the route came with (RFC 7911). */
  readonly pathId: number | undefined
  /** Canonical text; `self` for a route of our own without another next hop. */
  readonly nextHop: string
  readonly attributes: KnownAttributes
  /** The peer that the route was learned from; `undefined` for one of our own. */
  readonly from: PolicyPeer | undefined
}

/**
 * Attributes to put in the place of the route's; `undefined` takes one off. NEXT_HOP is `nextHop`, in text. Values that no message can
 * hold count as if the policy had thrown.
 */
export type PolicyChanges = {
  readonly [K in Exclude<keyof KnownAttributes, 'nextHop' | 'mpReachNlri' | 'mpUnreachNlri'>]?:
    KnownAttributes[K] | undefined
} & { readonly nextHop?: string }

/** `true`: the route as it is; `false`: not at all; or changed. */
export type PolicyResult = boolean | PolicyChanges

/**
 * Which routes of a peer go into the Loc-RIB, and how, RFC 4271 section 9.1.1. Must depend on nothing but the route.
 *
 * @example
 * ```ts
 * import { formatCommunities, type ImportPolicy } from '@typemetal/bgp'
 *
 * const importPolicy: ImportPolicy = ({ prefix, attributes }) => {
 *   if (prefix === '0.0.0.0/0' || formatCommunities(attributes).includes('64513:666')) return false
 *   return attributes.asPath === undefined ? true : { localPref: 200 }
 * }
 * ```
 */
export type ImportPolicy = 'accept' | 'reject' | ((route: PolicyRoute) => PolicyResult)

/** Which routes a peer is told, and how, RFC 4271 section 9.1.3. Must depend on nothing but the route. */
export type ExportPolicy = 'accept' | 'reject' | ((route: PolicyRoute) => PolicyResult)

/** Where a {@link LazyRoute} reads from when it is asked. */
export interface RouteReader {
  readonly family: FamilyName
  readonly pathId: number | undefined
  readonly from: PolicyPeer | undefined
  nlri(): Nlri
  attributes(): PathAttributes
  /** None for our own address. */
  nextHop(): Uint8Array
}

/** A {@link PolicyRoute} that reads what it is asked for. */
export class LazyRoute implements PolicyRoute {
  readonly #reader: RouteReader

  constructor(reader: RouteReader) {
    this.#reader = reader
  }

  get prefix(): string {
    return formatPrefix(this.#reader.family, this.#reader.nlri())
  }

  get family(): FamilyName {
    return this.#reader.family
  }

  get pathId(): number | undefined {
    return this.#reader.pathId
  }

  get nextHop(): string {
    const octets = this.#reader.nextHop()
    return octets.length === 0 ? 'self' : formatAddress(octets)
  }

  get attributes(): PathAttributes {
    return this.#reader.attributes()
  }

  get from(): PolicyPeer | undefined {
    return this.#reader.from
  }
}

/** What a policy has made of a route. */
export interface ChangedRoute {
  readonly attributes: PathAttributes
  readonly nextHop: Uint8Array
  /** MULTI_EXIT_DISC is the policy's own. */
  readonly setsMed: boolean
}

/**
 * Applies what a policy has changed.
 *
 * @throws {RangeError} a next hop that is not an address, or a value that its attribute cannot hold; the message begins with its name
 */
export function changeRoute(attributes: PathAttributes, nextHop: Uint8Array, changes: PolicyChanges): ChangedRoute {
  const { nextHop: text, ...values } = changes
  checkAttributeValues(values)
  const changed = Object.fromEntries(
    Object.entries({ ...attributes, ...values }).filter(([, value]) => value !== undefined),
  )
  const hop = text === undefined ? nextHop : text === 'self' ? nextHop.subarray(0, 0) : parseAddress(text)
  return { attributes: changed, nextHop: hop, setsMed: changes.multiExitDisc !== undefined }
}
