import {
  callback,
  checkOptions,
  flag,
  number,
  optional,
  whole,
  wrongType,
  wrongValue,
  type Kind,
  type Kinds,
} from '@typemetal/options'
import { asNumber, families } from '../bgp-kinds.js'
import { MAX_LENGTH, openLength, type FamilyName } from '../wire/index.js'
import { CAPABILITY_KINDS, checkCapabilityOptions, type CapabilityOptions } from './capability-options.js'
import { createOpen, localAs, type RemoteAs } from './open.js'
import type { Seconds } from './timers.js'

/**
 * Session attributes of RFC 4271 section 8.1.1 and what our OPEN says. Two of the attributes have no option here: TrackTcpState, since the
 * events 14 and 15 are taken whether or not the owner of the connection has them to give, and AcceptConnectionsUnconfiguredPeers, since
 * each peer has to be made first.
 */
export interface SessionOptions extends CapabilityOptions {
  /** Our AS number towards this peer; in a confederation our Member-AS Number (RFC 5065). */
  readonly asn: number
  /** Our BGP Identifier towards this peer, as a number. */
  readonly bgpIdentifier: number
  /** Which AS the peer may be of; any other is refused with Bad Peer AS (RFC 4271 section 6.2). */
  readonly remoteAs: RemoteAs
  /** @default ['ipv4-unicast', 'ipv6-unicast'] */
  readonly families?: readonly FamilyName[]
  /** Proposed Hold Time: 0 turns liveness off, 1 and 2 are illegal (RFC 4271 section 4.2). @default 90 */
  readonly holdTime?: Seconds
  /** KEEPALIVE interval; a third of the negotiated Hold Time at most. @default a third of the Hold Time */
  readonly keepaliveTime?: Seconds
  /** ConnectRetryTime, and the longest wait between attempts. @default 120 */
  readonly connectRetryTime?: Seconds
  /** DelayOpenTime: wait before our OPEN once TCP stands; 0 turns DelayOpen off. @default 0 */
  readonly delayOpenTime?: Seconds
  /** HoldTimer until the peer's OPEN has come; RFC 4271 section 8.2.2 suggests 4 minutes. @default 240 */
  readonly openHoldTime?: Seconds
  /** SendHoldTime of RFC 9687 section 4: 0, or more than the Hold Time. @default the larger of 480 and twice the Hold Time */
  readonly sendHoldTime?: Seconds
  /** PassiveTcpEstablishment: never dial. @default false */
  readonly passive?: boolean
  /** AllowAutomaticStart: start again by itself after a failure. @default true */
  readonly automaticStart?: boolean
  /** IdleHoldTime: wait before the first start after a failure. @default 1 */
  readonly idleHoldTime?: Seconds
  /** DampPeerOscillations: double the IdleHoldTime with each failure, up to the ConnectRetryTime. @default true */
  readonly dampPeerOscillations?: boolean
  /** CollisionDetectEstablishedState: a new connection may win against one that is Established. @default false */
  readonly collisionDetectEstablishedState?: boolean
  /** SendNOTIFICATIONwithoutOPEN. @default true */
  readonly sendNotificationWithoutOpen?: boolean
  /** BfdHoldTime: how long to wait for BFD in strict mode where the Hold Time is 0. @default 30 */
  readonly bfdHoldTime?: Seconds
  /** 0 up to 1, for jitter. @default Math.random is injected by the driver; 1 (no jitter) here */
  readonly random?: () => number
}

const DEFAULTS = {
  families: ['ipv4-unicast', 'ipv6-unicast'] as readonly FamilyName[],
  holdTime: 90,
  connectRetryTime: 120,
  delayOpenTime: 0,
  openHoldTime: 240,
  passive: false,
  automaticStart: true,
  idleHoldTime: 1,
  dampPeerOscillations: true,
  collisionDetectEstablishedState: false,
  sendNotificationWithoutOpen: true,
  bfdHoldTime: 30,
  random: () => 1,
} satisfies Partial<SessionOptions>

/** Options with every default filled in; what is left out of the others stays out. @useDeclaredType */
export type CheckedSessionOptions = SessionOptions & Required<Pick<SessionOptions, keyof typeof DEFAULTS>>

const MAX_UINT32 = 0xffff_ffff
const MAX_UINT16 = 0xffff
const MAX_TIME: Seconds = 65_535

const REMOTE_AS = `an AS number from 1 to ${MAX_UINT32}, 'internal' or 'external'`
/** Which AS a peer may be of. */
export const remoteAs: Kind<RemoteAs> = (name, value) => {
  if (value === 'internal' || value === 'external') return value
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_UINT32) return value
  throw (typeof value === 'number' || typeof value === 'string' ? wrongValue : wrongType)(name, REMOTE_AS, value)
}

const notNegative = optional(number('a number of seconds from 0 on', value => value >= 0))
const holdTime = number(
  `0, or a whole number of seconds from 3 to ${MAX_TIME}`,
  value => value === 0 || (Number.isInteger(value) && value >= 3 && value <= MAX_TIME),
)

/** What each of {@link SessionOptions} has to be. */
export const SESSION_KINDS: Kinds<SessionOptions> = {
  ...CAPABILITY_KINDS,
  asn: asNumber,
  bgpIdentifier: whole(1, MAX_UINT32),
  remoteAs,
  families: optional(families),
  holdTime: optional(holdTime),
  keepaliveTime: notNegative,
  connectRetryTime: optional(whole(1, MAX_TIME)),
  delayOpenTime: optional(whole(0, MAX_TIME)),
  openHoldTime: optional(whole(1, MAX_TIME)),
  sendHoldTime: notNegative,
  passive: optional(flag),
  automaticStart: optional(flag),
  idleHoldTime: notNegative,
  dampPeerOscillations: optional(flag),
  collisionDetectEstablishedState: optional(flag),
  sendNotificationWithoutOpen: optional(flag),
  bfdHoldTime: optional(whole(1, MAX_TIME)),
  random: optional(callback<() => number>()),
}

function checkFamilies(names: readonly FamilyName[]): void {
  if (names.length === 0) throw new RangeError('families must name one at least')
  if (new Set(names).size < names.length) throw new RangeError('families must name each once')
}

function checkSendHoldTime({ holdTime: agreed, sendHoldTime }: CheckedSessionOptions): void {
  if (sendHoldTime === undefined || sendHoldTime === 0) return
  // RFC 9687 section 4.4
  if (!(sendHoldTime > agreed)) {
    throw new RangeError(`sendHoldTime must be 0 or more than the holdTime of ${agreed} s, not ${sendHoldTime}`)
  }
}

function checkRole({ asn, confederation, remoteAs: other, role }: CheckedSessionOptions): void {
  if (role === undefined) return
  const inside = other === 'internal' || other === asn || confederation?.members.some(one => one === other)
  // RFC 9234 section 4: roles are for external sessions.
  if (inside) throw new RangeError('role is for external peers')
}

function checkOpen(options: CheckedSessionOptions): void {
  const { extraCapabilities = [], requireCapabilities = [] } = options
  if (extraCapabilities.length === 0 && requireCapabilities.length === 0) return
  const open = createOpen(options, { remoteAs: options.remoteAs })
  if (openLength(open) > MAX_LENGTH)
    throw new RangeError(`extraCapabilities do not fit an OPEN of ${MAX_LENGTH} octets`)
  const foreign = requireCapabilities.find(wanted => !open.capabilities.some(({ type }) => type === wanted))
  if (foreign !== undefined) throw new RangeError(`requireCapabilities has ${foreign}, which we do not send ourselves`)
}

/** Options that have been through here: a peer's go from its owner to its peering, and from there to each of its sessions. */
const CHECKED = new WeakSet<SessionOptions>()

/**
 * Fills in the defaults. Options that it has made stay as they are.
 *
 * @throws {RangeError} an option has a value that the RFC does not allow; the message begins with its name
 * @throws {TypeError} an option is of another type, or unknown
 */
export function checkSessionOptions(options: SessionOptions): CheckedSessionOptions {
  if (CHECKED.has(options)) return options as CheckedSessionOptions
  checkOptions(options, SESSION_KINDS)
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const checked: CheckedSessionOptions = { ...DEFAULTS, ...(given as SessionOptions) }
  if (checked.fourOctetAs === false && localAs(checked, checked.remoteAs) > MAX_UINT16) {
    throw new RangeError('fourOctetAs must not be false with an AS number above 65535')
  }
  checkSendHoldTime(checked)
  checkFamilies(checked.families)
  checkCapabilityOptions(checked, checked.families)
  checkRole(checked)
  checkOpen(checked)
  CHECKED.add(checked)
  return checked
}
