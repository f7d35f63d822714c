import { readUint32, writeUint32, type Octets } from '../../wire/octets.js'
import {
  authenticationLength,
  hasFittingLength,
  readAuthentication,
  writeAuthentication,
  type AuthenticationSection,
} from './authentication.js'
import { BfdWireError, type WireDiscardReason } from './error.js'
import { STATES, type State } from './state.js'

/** Microseconds: the unit of all intervals on the wire, and of the state machine's clock. */
export type Microseconds = number

/** BFD Control packet, RFC 5880 section 4.1. */
export interface ControlPacket {
  /** Diag, 0 to 31. */
  readonly diagnostic: number
  /** Sta. */
  readonly state: State
  /** P: the sender wants an answer with {@link final}. */
  readonly poll: boolean
  /** F: the sender answers a packet with {@link poll}. */
  readonly final: boolean
  /** C: the sender's BFD outlives a restart of its control plane. */
  readonly controlPlaneIndependent: boolean
  /** D: Demand mode is active in the sending system. */
  readonly demand: boolean
  /** Detect Mult, 1 to 255. */
  readonly detectMult: number
  /** Unique and nonzero in the sending system. */
  readonly myDiscriminator: number
  /** The discriminator received from the remote system; 0 while it is unknown. */
  readonly yourDiscriminator: number
  /** Least interval at which the sender would like to send. */
  readonly desiredMinTxInterval: Microseconds
  /** Least interval between received control packets that the sender supports; 0: send none periodically. */
  readonly requiredMinRxInterval: Microseconds
  /** Least interval between received echo packets that the sender supports; 0: it loops none. */
  readonly requiredMinEchoRxInterval: Microseconds
  /** Present when the A bit is set. */
  readonly authentication?: AuthenticationSection
}

/** Octets of a control packet without authentication. */
export const CONTROL_PACKET_LENGTH: Octets = 24
const VERSION = 1
const FLAGS = 1
const DETECT_MULT = 2
const LENGTH = 3
const MY_DISCRIMINATOR = 4
const YOUR_DISCRIMINATOR = 8
const DESIRED_MIN_TX_INTERVAL = 12
const REQUIRED_MIN_RX_INTERVAL = 16
const REQUIRED_MIN_ECHO_RX_INTERVAL = 20

const POLL = 0x20
const FINAL = 0x10
const CONTROL_PLANE_INDEPENDENT = 0x08
const AUTHENTICATION_PRESENT = 0x04
const DEMAND = 0x02
const MULTIPOINT = 0x01

const MAX_LENGTH = 255

/**
 * The checks of RFC 5880 section 6.8.6 that need no session. Never throws and allocates nothing.
 *
 * Octets behind the Length field's are ignored, as a UDP payload may be longer. Where sections 4.2 to 4.4 give the length
 * of the authentication section, another one is refused here.
 *
 * @returns why the packet is to be discarded; `undefined` for one that {@link decodeControlPacket} decodes
 */
export function checkControlPacket(octets: Uint8Array): WireDiscardReason | undefined {
  if (octets.length < CONTROL_PACKET_LENGTH) return 'truncated'
  if (octets[0]! >> 5 !== VERSION) return 'version'
  const flags = octets[FLAGS]!
  const length = octets[LENGTH]!
  const authenticated = (flags & AUTHENTICATION_PRESENT) !== 0
  if (length < (authenticated ? CONTROL_PACKET_LENGTH + 2 : CONTROL_PACKET_LENGTH) || length > octets.length) {
    return 'length'
  }
  if (octets[DETECT_MULT] === 0) return 'detect-mult'
  if ((flags & MULTIPOINT) !== 0) return 'multipoint'
  if (readUint32(octets, MY_DISCRIMINATOR) === 0) return 'my-discriminator'
  if (flags >> 6 > 1 && readUint32(octets, YOUR_DISCRIMINATOR) === 0) return 'your-discriminator'
  if (authenticated) {
    const end = CONTROL_PACKET_LENGTH + octets[CONTROL_PACKET_LENGTH + 1]!
    if (end < CONTROL_PACKET_LENGTH + 2 || end > length || !hasFittingLength(octets, CONTROL_PACKET_LENGTH)) {
      return 'authentication-length'
    }
  }
  return undefined
}

/** My Discriminator of a packet that {@link checkControlPacket} has accepted. */
export const readMyDiscriminator = (octets: Uint8Array): number => readUint32(octets, MY_DISCRIMINATOR)

/** Your Discriminator of a packet that {@link checkControlPacket} has accepted: it selects the session unless it is 0. */
export const readYourDiscriminator = (octets: Uint8Array): number => readUint32(octets, YOUR_DISCRIMINATOR)

const FAULTS: { readonly [R in WireDiscardReason]: readonly [message: string, offset: number] } = {
  truncated: ['control packet cut off', 0],
  version: ['not version 1', 0],
  length: ['Length does not fit', LENGTH],
  'detect-mult': ['Detect Mult is 0', DETECT_MULT],
  multipoint: ['Multipoint bit is set', FLAGS],
  'my-discriminator': ['My Discriminator is 0', MY_DISCRIMINATOR],
  'your-discriminator': ['Your Discriminator is 0 in state Init or Up', YOUR_DISCRIMINATOR],
  'authentication-length': ['Auth Len does not fit', CONTROL_PACKET_LENGTH + 1],
}

/** @throws {BfdWireError} {@link checkControlPacket} has a reason to discard the packet */
export function decodeControlPacket(octets: Uint8Array): ControlPacket {
  const reason = checkControlPacket(octets)
  if (reason !== undefined) {
    const [message, offset] = FAULTS[reason]
    throw new BfdWireError(message, reason, reason === 'truncated' ? octets.length : offset)
  }
  const flags = octets[FLAGS]!
  const packet: ControlPacket = {
    diagnostic: octets[0]! & 0x1f,
    state: STATES[flags >> 6]!,
    poll: (flags & POLL) !== 0,
    final: (flags & FINAL) !== 0,
    controlPlaneIndependent: (flags & CONTROL_PLANE_INDEPENDENT) !== 0,
    demand: (flags & DEMAND) !== 0,
    detectMult: octets[DETECT_MULT]!,
    myDiscriminator: readUint32(octets, MY_DISCRIMINATOR),
    yourDiscriminator: readUint32(octets, YOUR_DISCRIMINATOR),
    desiredMinTxInterval: readUint32(octets, DESIRED_MIN_TX_INTERVAL),
    requiredMinRxInterval: readUint32(octets, REQUIRED_MIN_RX_INTERVAL),
    requiredMinEchoRxInterval: readUint32(octets, REQUIRED_MIN_ECHO_RX_INTERVAL),
  }
  if ((flags & AUTHENTICATION_PRESENT) === 0) return packet
  return { ...packet, authentication: readAuthentication(octets, CONTROL_PACKET_LENGTH) }
}

/** Octets that {@link encodeControlPacket} writes. */
export const controlPacketLength = ({ authentication }: ControlPacket): Octets =>
  CONTROL_PACKET_LENGTH + (authentication === undefined ? 0 : authenticationLength(authentication))

function checkField(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}`)
}

/** @returns the octet of the flags, state included */
function flagsOf(packet: ControlPacket): number {
  let flags = STATES.indexOf(packet.state) << 6
  if (packet.poll) flags |= POLL
  if (packet.final) flags |= FINAL
  if (packet.controlPlaneIndependent) flags |= CONTROL_PLANE_INDEPENDENT
  if (packet.authentication !== undefined) flags |= AUTHENTICATION_PRESENT
  if (packet.demand) flags |= DEMAND
  return flags
}

const MAX_UINT32 = 0xffff_ffff

/**
 * @param into where to write; new octets by default
 * @returns the octets written, a view of `into`
 * @throws {RangeError} a value does not fit its field, or `into` is too small
 *
 * @example
 * ```ts
 * import { decodeControlPacket, encodeControlPacket } from '@typemetal/bgp/bfd'
 *
 * const octets = encodeControlPacket({
 *   diagnostic: 0,
 *   state: 'Down',
 *   poll: false,
 *   final: false,
 *   controlPlaneIndependent: false,
 *   demand: false,
 *   detectMult: 3,
 *   myDiscriminator: 1,
 *   yourDiscriminator: 0,
 *   desiredMinTxInterval: 1_000_000, // microseconds
 *   requiredMinRxInterval: 300_000,
 *   requiredMinEchoRxInterval: 0,
 * })
 * const { state, detectMult } = decodeControlPacket(octets)
 * console.log(octets.length, state, detectMult) // 24 Down 3
 * ```
 */
export function encodeControlPacket(packet: ControlPacket, into?: Uint8Array): Uint8Array {
  const length = controlPacketLength(packet)
  if (length > MAX_LENGTH) throw new RangeError(`the packet must have up to ${MAX_LENGTH} octets, not ${length}`)
  const octets = into ?? new Uint8Array(length)
  if (octets.length < length) throw new RangeError(`into must have room for ${length} octets, not ${octets.length}`)
  checkField('diagnostic', packet.diagnostic, 0, 31)
  checkField('detectMult', packet.detectMult, 1, 255)
  checkField('myDiscriminator', packet.myDiscriminator, 1, MAX_UINT32)
  checkField('yourDiscriminator', packet.yourDiscriminator, 0, MAX_UINT32)
  checkField('desiredMinTxInterval', packet.desiredMinTxInterval, 0, MAX_UINT32)
  checkField('requiredMinRxInterval', packet.requiredMinRxInterval, 0, MAX_UINT32)
  checkField('requiredMinEchoRxInterval', packet.requiredMinEchoRxInterval, 0, MAX_UINT32)
  octets[0] = (VERSION << 5) | packet.diagnostic
  octets[FLAGS] = flagsOf(packet)
  octets[DETECT_MULT] = packet.detectMult
  octets[LENGTH] = length
  writeUint32(octets, MY_DISCRIMINATOR, packet.myDiscriminator)
  writeUint32(octets, YOUR_DISCRIMINATOR, packet.yourDiscriminator)
  writeUint32(octets, DESIRED_MIN_TX_INTERVAL, packet.desiredMinTxInterval)
  writeUint32(octets, REQUIRED_MIN_RX_INTERVAL, packet.requiredMinRxInterval)
  writeUint32(octets, REQUIRED_MIN_ECHO_RX_INTERVAL, packet.requiredMinEchoRxInterval)
  if (packet.authentication !== undefined) writeAuthentication(packet.authentication, octets, CONTROL_PACKET_LENGTH)
  return octets.length === length ? octets : octets.subarray(0, length)
}
