import { checkWhole } from '../../fsm/check.js'
import {
  AUTHENTICATION_TYPES,
  digestAlgorithm,
  digestLength,
  type AuthenticationType,
  type Microseconds,
} from '../wire/index.js'

/** A number of milliseconds. */
export type Milliseconds = number

/** How control packets are authenticated, RFC 5880 section 6.7; both systems must have the same. */
export interface AuthenticationOptions {
  /** One of the five types of RFC 5880 section 4.1. */
  readonly type: AuthenticationType
  /** Auth Key ID, 0 to 255. */
  readonly keyId: number
  /** The password, or the key: 1 to 16 octets, up to 20 for SHA1. A text stands for its UTF-8 octets. */
  readonly key: Uint8Array | string
}

/** Options of a session, in the terms and with the defaults of a profile of FRR's bfdd and of MetalLB's BFDProfile. */
export interface SessionOptions {
  /** Least interval between control packets that we can receive, in whole milliseconds: bfd.RequiredMinRxInterval. @default 300 */
  readonly receiveInterval?: Milliseconds
  /**
   * Least interval at which we would like to send control packets: bfd.DesiredMinTxInterval. Until the session is Up it is a
   * second at least (RFC 5880 section 6.8.3). @default 300
   */
  readonly transmitInterval?: Milliseconds
  /** Missing packets that take the session down at the remote system: bfd.DetectMult, 1 to 255. @default 3 */
  readonly detectMultiplier?: number
  /**
   * Least interval at which we send echo packets, and between those that we loop back: with {@link echoMode} it is our
   * Required Min Echo RX Interval, which is 0 without. @default 50
   */
  readonly echoInterval?: Milliseconds
  /** Use the Echo function when the remote system loops echo packets back (RFC 5880 section 6.4). @default false */
  readonly echoMode?: boolean
  /** Say nothing until the remote system has been heard (RFC 5880 section 6.1). @default false */
  readonly passiveMode?: boolean
  /** Least TTL of received packets of a multihop session, 1 to 254; for who receives them, the machine never looks at it. @default 254 */
  readonly minimumTtl?: number
  /** Authentication of control packets. @default none */
  readonly authentication?: AuthenticationOptions | undefined
}

/** Authentication options that have been checked: the key is octets. */
export interface CheckedAuthenticationOptions extends AuthenticationOptions {
  readonly key: Uint8Array
}

/** Options with every default filled in. */
export interface CheckedSessionOptions extends Required<Omit<SessionOptions, 'authentication'>> {
  /** With the key as octets; `undefined` for none. */
  readonly authentication: CheckedAuthenticationOptions | undefined
}

/** FRR's and MetalLB's defaults of {@link SessionOptions}. */
export const SESSION_DEFAULTS: CheckedSessionOptions = {
  receiveInterval: 300,
  transmitInterval: 300,
  detectMultiplier: 3,
  echoInterval: 50,
  echoMode: false,
  passiveMode: false,
  minimumTtl: 254,
  authentication: undefined,
}

/** Microseconds in a millisecond. */
export const MILLISECOND: Microseconds = 1000
/** The longest interval that 32 bits of microseconds can tell. */
const LONGEST_INTERVAL: Milliseconds = 4_294_967
const LONGEST_PASSWORD = 16

function checkBoolean(name: string, value: boolean): void {
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be true or false, not ${String(value)}`)
}

function checkAuthentication(options: AuthenticationOptions): CheckedAuthenticationOptions {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`authentication must have type, keyId and key, and is ${String(options)}`)
  }
  const { key, keyId, type } = options
  if (!AUTHENTICATION_TYPES.includes(type)) {
    throw new RangeError(`authentication.type must be one of ${AUTHENTICATION_TYPES.join(', ')}, not ${type}`)
  }
  checkWhole('authentication.keyId', keyId, 0, 255)
  const octets = typeof key === 'string' ? new TextEncoder().encode(key) : key
  if (!(octets instanceof Uint8Array)) throw new TypeError('authentication.key must be a string or a Uint8Array')
  const longest = type === 'simple-password' ? LONGEST_PASSWORD : digestLength(digestAlgorithm(type))
  if (octets.length < 1 || octets.length > longest) {
    throw new RangeError(`authentication.key must have 1 to ${longest} octets for ${type}, not ${octets.length}`)
  }
  return { type, keyId, key: octets.slice() }
}

/** Options that have been through here stay as they are. */
const CHECKED = new WeakSet<SessionOptions>()

/**
 * Fills in the defaults.
 *
 * @throws {RangeError} an option has a value outside its range; the message begins with its name
 * @throws {TypeError} an option is of another type
 */
export function checkSessionOptions(options: SessionOptions = {}): CheckedSessionOptions {
  if (CHECKED.has(options)) return options as CheckedSessionOptions
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as SessionOptions
  const merged = { ...SESSION_DEFAULTS, ...given }
  checkWhole('receiveInterval', merged.receiveInterval, 1, LONGEST_INTERVAL)
  checkWhole('transmitInterval', merged.transmitInterval, 1, LONGEST_INTERVAL)
  checkWhole('detectMultiplier', merged.detectMultiplier, 1, 255)
  checkWhole('echoInterval', merged.echoInterval, 1, LONGEST_INTERVAL)
  checkBoolean('echoMode', merged.echoMode)
  checkBoolean('passiveMode', merged.passiveMode)
  checkWhole('minimumTtl', merged.minimumTtl, 1, 254)
  const { authentication } = merged
  const checked: CheckedSessionOptions = {
    ...merged,
    authentication: authentication === undefined ? undefined : checkAuthentication(authentication),
  }
  CHECKED.add(checked)
  return checked
}
