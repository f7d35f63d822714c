import { flag, listOf, octets, oneOf, optional, record, text, whole, type Kind, type Kinds } from '@typemetal/options'
import { asNumber, families } from '../bgp-kinds.js'
import type { Capability, FamilyName } from '../wire/index.js'
import { ROLE_NAMES, type RoleName } from './roles.js'
import type { Seconds } from './timers.js'

/** Our side of graceful restart, RFC 4724; what is left out has its default. */
export interface GracefulRestartOptions {
  /** Restart Time: how long peers are to wait for us, 0 to 4095. @default 120 */
  readonly restartTime?: Seconds
  /** Families that we forward while we restart; none makes us help others only (RFC 4724 section 4). @default all of the session */
  readonly families?: readonly FamilyName[]
  /** Keep routes through NOTIFICATIONs and the HoldTimer too, RFC 8538. @default true */
  readonly notification?: boolean
}

/** Our side of long-lived graceful restart, RFC 9494; needs graceful restart. */
export interface LongLivedGracefulRestartOptions {
  /** Long-Lived Stale Time: how long peers are to keep our routes after the Restart Time, 0 to 16777215. */
  readonly staleTime: Seconds
  /** @default all families of the session */
  readonly families?: readonly FamilyName[]
}

/** The confederation that we are in, RFC 5065. */
export interface Confederation {
  /** AS Confederation Identifier: our AS number to everybody outside. */
  readonly identifier: number
  /** Member-AS Numbers of the other members. */
  readonly members: readonly number[]
}

/** Multiple paths, RFC 7911. */
export interface AddPathOptions {
  /** Families to take several paths of. @default none */
  readonly receive?: readonly FamilyName[]
  /** Families to send several paths of. @default none */
  readonly send?: readonly FamilyName[]
}

/** A capability that this package does not know, sent as it is. */
export interface RawCapability {
  /** Capability Code. */
  readonly code: number
  /** Capability Value, at most 255 octets. */
  readonly value: Uint8Array
}

/** What our OPEN says beside the AS number, Hold Time, BGP Identifier and families, and what the peer's must say. */
export interface CapabilityOptions {
  /** RFC 6793; `false` makes us a speaker that knows 2-octet AS numbers only. @default true */
  readonly fourOctetAs?: boolean
  /** RFC 2918. @default true */
  readonly routeRefresh?: boolean
  /** RFC 7313. @default true */
  readonly enhancedRouteRefresh?: boolean
  /** Messages of up to 65,535 octets, RFC 8654. @default true */
  readonly extendedMessage?: boolean
  /** Families whose prefixes may have a next hop of the other family, RFC 8950. @default none */
  readonly extendedNextHop?: readonly FamilyName[]
  /** @default one path of each prefix, in both directions */
  readonly addPath?: AddPathOptions
  /** @default no capability: neither do we keep the peer's routes nor is it asked to keep ours */
  readonly gracefulRestart?: GracefulRestartOptions
  /** @default no capability */
  readonly longLivedGracefulRestart?: LongLivedGracefulRestartOptions
  /** What we are to this external peer, RFC 9234. @default no role */
  readonly role?: RoleName
  /** Refuse a peer that does not say its role, RFC 9234 section 4.2. @default false */
  readonly strictRole?: boolean
  /** Our name for the operator of the peer, FQDN capability. @default not said */
  readonly fqdn?: { readonly hostName: string; readonly domainName?: string }
  /**
   * Come to Established only with BFD Up, and say so (draft-ietf-idr-bgp-bfd-strict-mode). A peer that does not say so too is
   * waited with all the same, on our side alone. @default false
   */
  readonly bfdStrictMode?: boolean
  /** @default we are in none */
  readonly confederation?: Confederation
  /** Whether AIGP is taken and sent, RFC 7311 section 3.2. @default within our AS and confederation */
  readonly aigp?: boolean
  /** Capabilities to send beside ours. */
  readonly extraCapabilities?: readonly RawCapability[]
  /** Capabilities of ours that the peer must have too, else it is refused with 2/7 (RFC 5492 section 3). @default none */
  readonly requireCapabilities?: readonly Capability['type'][]
}

const FQDN_OCTETS = 64

/** What each of {@link GracefulRestartOptions} has to be. */
export const GRACEFUL_RESTART_KINDS: Kinds<GracefulRestartOptions> = {
  restartTime: optional(whole(0, 0xfff)),
  families: optional(families),
  notification: optional(flag),
}

/** What each of {@link LongLivedGracefulRestartOptions} has to be. */
export const LONG_LIVED_GRACEFUL_RESTART_KINDS: Kinds<LongLivedGracefulRestartOptions> = {
  staleTime: whole(0, 0xff_ffff),
  families: optional(families),
}

/** What a {@link Confederation} has to be. */
export const confederationKind = record<Confederation>({ identifier: asNumber, members: listOf(asNumber) })

/** What the names of the FQDN capability have to be. */
export const fqdnKind = record<NonNullable<CapabilityOptions['fqdn']>>({ hostName: text, domainName: optional(text) })

/** What each of {@link CapabilityOptions} has to be. */
export const CAPABILITY_KINDS: Kinds<CapabilityOptions> = {
  fourOctetAs: optional(flag),
  routeRefresh: optional(flag),
  enhancedRouteRefresh: optional(flag),
  extendedMessage: optional(flag),
  extendedNextHop: optional(families),
  addPath: optional(record<AddPathOptions>({ receive: optional(families), send: optional(families) })),
  gracefulRestart: optional(record(GRACEFUL_RESTART_KINDS)),
  longLivedGracefulRestart: optional(record(LONG_LIVED_GRACEFUL_RESTART_KINDS)),
  role: optional(oneOf(...ROLE_NAMES)),
  strictRole: optional(flag),
  fqdn: optional(fqdnKind),
  bfdStrictMode: optional(flag),
  confederation: optional(confederationKind),
  aigp: optional(flag),
  extraCapabilities: optional(listOf(record<RawCapability>({ code: whole(0, 255), value: octets }))),
  requireCapabilities: optional(listOf(text as Kind<Capability['type']>)),
}

function checkNames(name: string, { hostName, domainName = '' }: NonNullable<CapabilityOptions['fqdn']>): void {
  for (const label of [hostName, domainName]) {
    const { length } = new TextEncoder().encode(label)
    if (length > FQDN_OCTETS) throw new RangeError(`${name} has names of at most ${FQDN_OCTETS} octets, not ${length}`)
  }
}

function checkSubset(name: string, some: readonly FamilyName[] | undefined, all: readonly FamilyName[]): void {
  const other = some?.find(family => !all.includes(family))
  if (other !== undefined) throw new RangeError(`${name} has ${other}, which is not among the families`)
}

/** @throws {RangeError} a value that its capability cannot hold, or one without the other that it needs */
export function checkCapabilityOptions(options: CapabilityOptions, all: readonly FamilyName[]): void {
  const { addPath, extraCapabilities = [], gracefulRestart, role, strictRole } = options
  const { extendedNextHop, longLivedGracefulRestart: longLived } = options
  checkSubset('extendedNextHop', extendedNextHop, all)
  checkSubset('addPath.receive', addPath?.receive, all)
  checkSubset('addPath.send', addPath?.send, all)
  checkSubset('gracefulRestart.families', gracefulRestart?.families, all)
  checkSubset('longLivedGracefulRestart.families', longLived?.families, all)
  if (longLived && !gracefulRestart) throw new RangeError('longLivedGracefulRestart needs gracefulRestart')
  if (strictRole && role === undefined) throw new RangeError('strictRole needs a role')
  if (options.fqdn) checkNames('fqdn', options.fqdn)
  const { identifier, members = [] } = options.confederation ?? {}
  if (members.some(member => member === identifier)) {
    throw new RangeError('confederation.members must not have the identifier')
  }
  for (const { value } of extraCapabilities) {
    if (value.length > 255) throw new RangeError(`extraCapabilities have at most 255 octets, not ${value.length}`)
  }
}
