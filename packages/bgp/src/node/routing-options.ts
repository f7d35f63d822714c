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

const MAX_PREFIXES = 0xffff_ffff

function checkLimits(limit: RoutingOptions['maximumPrefixes']): CheckedRoutingOptions['maximumPrefixes'] {
  const limits = typeof limit === 'number' ? { all: limit } : (limit ?? {})
  for (const value of Object.values(limits)) {
    if (!Number.isInteger(value) || value < 1 || value > MAX_PREFIXES) {
      throw new RangeError(`maximumPrefixes must be a whole number from 1 on, not ${value}`)
    }
  }
  return limits
}

/** @throws {RangeError} an option that cannot work */
export function checkRoutingOptions(options: RoutingOptions): CheckedRoutingOptions {
  const { minRouteAdvertisementInterval = 0, allowOwnAs = 0, nextHop, maximumPrefixesAction = 'reset' } = options
  const { maximumPrefixesIdleTime } = options
  if (maximumPrefixesIdleTime !== undefined && !(maximumPrefixesIdleTime >= 0)) {
    throw new RangeError(`maximumPrefixesIdleTime must be a number of seconds, not ${maximumPrefixesIdleTime}`)
  }
  if (!(minRouteAdvertisementInterval >= 0 && minRouteAdvertisementInterval <= 0xffff)) {
    throw new RangeError(`minRouteAdvertisementInterval must be 0 to 65535 s, not ${minRouteAdvertisementInterval}`)
  }
  if (!Number.isInteger(allowOwnAs) || allowOwnAs < 0) {
    throw new RangeError(`allowOwnAs must be a whole number from 0 on, not ${allowOwnAs}`)
  }
  for (const name of ['importPolicy', 'exportPolicy'] as const) {
    const policy = options[name]
    if (policy !== undefined && typeof policy !== 'function' && policy !== 'accept' && policy !== 'reject') {
      throw new RangeError(`${name} must be 'accept', 'reject' or a function, not ${String(policy)}`)
    }
  }
  return {
    importPolicy: options.importPolicy ?? 'accept',
    exportPolicy: options.exportPolicy ?? 'accept',
    propagate: options.propagate ?? false,
    ...(nextHop !== undefined && { nextHop }),
    routeReflectorClient: options.routeReflectorClient ?? false,
    routeServerClient: options.routeServerClient ?? false,
    removePrivateAs: options.removePrivateAs ?? false,
    allowOwnAs,
    gracefulShutdown: options.gracefulShutdown ?? false,
    maximumPrefixes: checkLimits(options.maximumPrefixes),
    maximumPrefixesAction,
    ...(maximumPrefixesIdleTime !== undefined && { maximumPrefixesIdleTime }),
    minRouteAdvertisementInterval,
  }
}
