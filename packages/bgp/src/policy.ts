import type { FamilyName, KnownAttributes } from './wire/index.js'

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

/** Attributes to put in the place of the route's; `undefined` takes one off. NEXT_HOP is `nextHop`, in text. */
export type PolicyChanges = {
  readonly [K in Exclude<keyof KnownAttributes, 'nextHop' | 'mpReachNlri' | 'mpUnreachNlri'>]?:
    KnownAttributes[K] | undefined
} & { readonly nextHop?: string }

/** `true`: the route as it is; `false`: not at all; or changed. */
export type PolicyResult = boolean | PolicyChanges

/** Which routes of a peer go into the Loc-RIB, and how, RFC 4271 section 9.1.1. Must depend on nothing but the route. */
export type ImportPolicy = 'accept' | 'reject' | ((route: PolicyRoute) => PolicyResult)

/** Which routes a peer is told, and how, RFC 4271 section 9.1.3. Must depend on nothing but the route. */
export type ExportPolicy = 'accept' | 'reject' | ((route: PolicyRoute) => PolicyResult)
