import {
  flag,
  number,
  oneOf,
  optional,
  record,
  whole,
  wrongType,
  wrongValue,
  type Kind,
  type Kinds,
} from '@typemetal/options'
import type { Seconds } from '../fsm/index.js'
import type { ExportPolicy, ImportPolicy } from '../policy.js'
import type { FamilyName } from '../wire/index.js'

/** What of a peer's options decides on its routes. All of it can change while the session stands. */
export interface RoutingOptions {
  /**
   * Which of the peer's routes go into the Loc-RIB, and how; those that a function says no to stay in the Adj-RIB-In, while `reject` keeps
   * none at all. @default 'accept'
   */
  readonly importPolicy?: ImportPolicy
  /** Which routes the peer is told, and how. @default 'accept' */
  readonly exportPolicy?: ExportPolicy
  /** Tell the peer what was learned from others, not only routes of our own. @default false */
  readonly propagate?: boolean
  /** `self`: our address also towards internal peers; `unchanged`: as learned also towards external ones. @default as RFC 4271 section 5.1.3 */
  readonly nextHop?: 'self' | 'unchanged'
  /** The peer is a client of this route reflector, RFC 4456. @default false */
  readonly routeReflectorClient?: boolean
  /** The peer is a client of this route server, RFC 7947: AS_PATH, next hop and MED go to it as they came. @default false */
  readonly routeServerClient?: boolean
  /** Take private AS numbers off the paths that an external peer is told. @default false */
  readonly removePrivateAs?: boolean
  /** Times our own AS may stand in the AS_PATH of a route that is used. @default 0 */
  readonly allowOwnAs?: number
  /** Announce everything with GRACEFUL_SHUTDOWN, and LOCAL_PREF 0 to internal peers: this session is about to end (RFC 8326). @default false */
  readonly gracefulShutdown?: boolean
  /** Most prefixes to take from the peer, in all or by family. @default no limit */
  readonly maximumPrefixes?: number | Partial<Record<FamilyName, number>>
  /** Above the limit: end the session with Cease 6/1 (RFC 4486), or only say so in the log. @default 'reset' */
  readonly maximumPrefixesAction?: 'reset' | 'warn'
  /**
   * How long the session then stays down, RFC 4486 section 4; Infinity: until `peer.reset()`. @default as after any failure
   */
  readonly maximumPrefixesIdleTime?: Seconds
  /** MinRouteAdvertisementInterval, RFC 4271 section 9.2.1.1. @default 0 */
  readonly minRouteAdvertisementInterval?: Seconds
}

/** {@link RoutingOptions} with their defaults. */
export type CheckedRoutingOptions = Required<
  Omit<RoutingOptions, 'nextHop' | 'maximumPrefixes' | 'maximumPrefixesIdleTime'>
> &
  Pick<RoutingOptions, 'nextHop' | 'maximumPrefixesIdleTime'> & {
    readonly maximumPrefixes: Partial<Record<FamilyName | 'all', number>>
  }

const POLICY = "'accept', 'reject' or a function"
const policy =
  <T extends ImportPolicy | ExportPolicy>(): Kind<T> =>
  (name, value) => {
    if (typeof value === 'function' || value === 'accept' || value === 'reject') return value as T
    throw (typeof value === 'string' ? wrongValue : wrongType)(name, POLICY, value)
  }

const limit = whole(1, 0xffff_ffff)
const limitByFamily = record<Partial<Record<FamilyName, number>>>({
  'ipv4-unicast': optional(limit),
  'ipv6-unicast': optional(limit),
})
const limits: Kind<number | Partial<Record<FamilyName, number>>> = (name, value) => {
  if (typeof value === 'number') return limit(name, value)
  if (typeof value === 'object' && value !== null) return limitByFamily(name, value)
  throw wrongType(name, 'a whole number from 1 on, or an object with one by family', value)
}

/** What each of {@link RoutingOptions} has to be. */
export const ROUTING_KINDS: Kinds<RoutingOptions> = {
  importPolicy: optional(policy<ImportPolicy>()),
  exportPolicy: optional(policy<ExportPolicy>()),
  propagate: optional(flag),
  nextHop: optional(oneOf('self', 'unchanged')),
  routeReflectorClient: optional(flag),
  routeServerClient: optional(flag),
  removePrivateAs: optional(flag),
  allowOwnAs: optional(whole(0)),
  gracefulShutdown: optional(flag),
  maximumPrefixes: optional(limits),
  maximumPrefixesAction: optional(oneOf('reset', 'warn')),
  maximumPrefixesIdleTime: optional(number('a number of seconds from 0 on', value => value >= 0)),
  minRouteAdvertisementInterval: optional(
    number('a number of seconds from 0 to 65535', value => value >= 0 && value <= 0xffff),
  ),
}

/** Fills in the defaults of what {@link ROUTING_KINDS} has let pass. */
export function routingOf(options: RoutingOptions): CheckedRoutingOptions {
  const { nextHop, maximumPrefixes = {}, maximumPrefixesIdleTime } = options
  return {
    importPolicy: options.importPolicy ?? 'accept',
    exportPolicy: options.exportPolicy ?? 'accept',
    propagate: options.propagate ?? false,
    ...(nextHop !== undefined && { nextHop }),
    routeReflectorClient: options.routeReflectorClient ?? false,
    routeServerClient: options.routeServerClient ?? false,
    removePrivateAs: options.removePrivateAs ?? false,
    allowOwnAs: options.allowOwnAs ?? 0,
    gracefulShutdown: options.gracefulShutdown ?? false,
    maximumPrefixes: typeof maximumPrefixes === 'number' ? { all: maximumPrefixes } : maximumPrefixes,
    maximumPrefixesAction: options.maximumPrefixesAction ?? 'reset',
    ...(maximumPrefixesIdleTime !== undefined && { maximumPrefixesIdleTime }),
    minRouteAdvertisementInterval: options.minRouteAdvertisementInterval ?? 0,
  }
}
