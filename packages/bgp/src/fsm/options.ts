import type { FamilyName } from '../wire/index.js'
import type { RemoteAs } from './negotiate.js'
import type { Seconds } from './timers.js'

/** Session attributes of RFC 4271 section 8.1.1 and what our OPEN says. */
export interface SessionOptions {
  /** Our AS number towards this peer. */
  readonly asn: number
  /** Our BGP Identifier towards this peer, as a number. */
  readonly bgpIdentifier: number
  readonly remoteAs: RemoteAs
  /** @default ['ipv4-unicast', 'ipv6-unicast'] */
  readonly families?: readonly FamilyName[]
  /** Proposed Hold Time: 0 turns liveness off, 1 and 2 are illegal (RFC 4271 section 4.2). @default 90 */
  readonly holdTime?: Seconds
  /** KEEPALIVE interval; a third of the negotiated Hold Time at most. @default a third of the Hold Time */
  readonly keepaliveTime?: Seconds
  /** ConnectRetryTime, and the longest wait between attempts. @default 120 */
  readonly connectRetryTime?: Seconds
  /** Wait before our OPEN once TCP stands; 0 turns DelayOpen off. @default 0 */
  readonly delayOpenTime?: Seconds
  /** HoldTimer until the peer's OPEN has come; RFC 4271 section 8.2.2 suggests 4 minutes. @default 240 */
  readonly openHoldTime?: Seconds
  /** SendHoldTime of RFC 9687 section 4. @default the larger of 480 and twice the Hold Time */
  readonly sendHoldTime?: Seconds
  /** Never dial: PassiveTcpEstablishment. @default false */
  readonly passive?: boolean
  /** Start again by itself after a failure: AllowAutomaticStart with DampPeerOscillations. @default true */
  readonly automaticStart?: boolean
  /** SendNOTIFICATIONwithoutOPEN. @default true */
  readonly sendNotificationWithoutOpen?: boolean
  /** 0 up to 1, for jitter. @default Math.random is injected by the driver; 1 (no jitter) here */
  readonly random?: () => number
}

/** Options with every default filled in. */
export type CheckedSessionOptions = Required<Omit<SessionOptions, 'keepaliveTime' | 'sendHoldTime'>> &
  Pick<SessionOptions, 'keepaliveTime' | 'sendHoldTime'>

const DEFAULTS = {
  families: ['ipv4-unicast', 'ipv6-unicast'] as readonly FamilyName[],
  holdTime: 90,
  connectRetryTime: 120,
  delayOpenTime: 0,
  openHoldTime: 240,
  passive: false,
  automaticStart: true,
  sendNotificationWithoutOpen: true,
  random: () => 1,
} satisfies Partial<SessionOptions>

const MAX_UINT32 = 0xffff_ffff

function checkRange(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}`)
  }
}

/**
 * Fills in the defaults.
 *
 * @throws {RangeError} an option has a value that the RFC does not allow
 */
export function checkSessionOptions(options: SessionOptions): CheckedSessionOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const checked: CheckedSessionOptions = { ...DEFAULTS, ...(given as SessionOptions) }
  checkRange('asn', checked.asn, 1, MAX_UINT32)
  checkRange('bgpIdentifier', checked.bgpIdentifier, 1, MAX_UINT32)
  if (typeof checked.remoteAs === 'number') checkRange('remote AS number', checked.remoteAs, 1, MAX_UINT32)
  checkRange('holdTime', checked.holdTime, 0, 65_535)
  if (checked.holdTime === 1 || checked.holdTime === 2) throw new RangeError('holdTime must be 0 or at least 3')
  checkRange('connectRetryTime', checked.connectRetryTime, 1, 65_535)
  if (checked.families.length === 0) throw new RangeError('families must name one at least')
  if (checked.keepaliveTime !== undefined && !(checked.keepaliveTime >= 0)) {
    throw new RangeError(`keepaliveTime must not be negative, not ${checked.keepaliveTime}`)
  }
  return checked
}
