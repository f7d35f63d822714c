import { checkOptions, flag, oneOf, optional, record, whole, type Kind, type Kinds } from '@typemetal/options'
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

const interval = optional(whole(1, LONGEST_INTERVAL))
/** Nobody is shown what was given: it may be a key. */
const key: Kind<Uint8Array | string> = (name, value) => {
  if (typeof value === 'string' || value instanceof Uint8Array) return value
  throw hidden(name, 'a string or a Uint8Array', value)
}
const hidden = (name: string, wanted: string, value: unknown): TypeError =>
  new TypeError(`${name} must be ${wanted}, not ${value === null ? 'null' : `of type ${typeof value}`}`)

const authenticationRecord = record<AuthenticationOptions>({
  type: oneOf(...AUTHENTICATION_TYPES),
  keyId: whole(0, 255),
  key,
})
const authentication: Kind<AuthenticationOptions> = (name, value) => {
  if (typeof value === 'object' && value !== null) return authenticationRecord(name, value)
  throw hidden(name, 'an object with type, keyId and key', value)
}

/** What each of {@link SessionOptions} has to be. */
export const SESSION_KINDS: Kinds<SessionOptions> = {
  receiveInterval: interval,
  transmitInterval: interval,
  detectMultiplier: optional(whole(1, 255)),
  echoInterval: interval,
  echoMode: optional(flag),
  passiveMode: optional(flag),
  minimumTtl: optional(whole(1, 254)),
  authentication: optional(authentication),
}

function checkAuthentication(options: AuthenticationOptions): CheckedAuthenticationOptions {
  const { key, keyId, type } = options
  const octets = typeof key === 'string' ? new TextEncoder().encode(key) : key
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
 * @throws {TypeError} an option is of another type, or unknown
 */
export function checkSessionOptions(options: SessionOptions = {}): CheckedSessionOptions {
  if (CHECKED.has(options)) return options as CheckedSessionOptions
  checkOptions(options, SESSION_KINDS)
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as SessionOptions
  const merged = { ...SESSION_DEFAULTS, ...given }
  const { authentication } = merged
  const checked: CheckedSessionOptions = {
    ...merged,
    authentication: authentication === undefined ? undefined : checkAuthentication(authentication),
  }
  CHECKED.add(checked)
  return checked
}
