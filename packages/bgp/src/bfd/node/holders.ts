import {
  checkSessionOptions,
  type AuthenticationOptions,
  type CheckedSessionOptions,
  type SessionOptions,
} from '../fsm/index.js'

/** Control and echo packets are not sent or asked for at shorter intervals than so, in milliseconds. */
export const LEAST_INTERVAL = 10
/**
 * Below so many milliseconds a machine that is busy with other things may not keep the pace; it is said in the log. Where the worker
 * has no precedence (CAP_SYS_NICE is missing), even this is not sure while the program itself keeps all processors busy.
 */
export const STEADY_INTERVAL = 50

const INTERVALS = ['receiveInterval', 'transmitInterval', 'echoInterval'] as const

/**
 * Options of one holder with the defaults filled in.
 *
 * @throws {RangeError | TypeError} an option has no meaning, or an interval is below {@link LEAST_INTERVAL}
 */
export function checkHolderOptions(options: SessionOptions): CheckedSessionOptions {
  const checked = checkSessionOptions(options)
  for (const name of INTERVALS) {
    if (checked[name] < LEAST_INTERVAL) {
      throw new RangeError(`${name} must be ${LEAST_INTERVAL} ms at least, not ${checked[name]}`)
    }
  }
  return checked
}

/** Names of the intervals that are below {@link STEADY_INTERVAL} and in use. */
export const hastyIntervals = (options: CheckedSessionOptions): readonly string[] =>
  INTERVALS.filter(name => options[name] < STEADY_INTERVAL && (options.echoMode || name !== 'echoInterval'))

/**
 * What holders of one session have together: the smallest intervals, multiplier and TTL; passive when all are; echo when one is.
 *
 * @throws {RangeError} their authentication is not the same
 */
export function mergeOptions(
  holders: readonly [CheckedSessionOptions, ...CheckedSessionOptions[]],
): CheckedSessionOptions {
  const [first, ...others] = holders
  for (const { authentication } of others) {
    if (!isSameAuthentication(first.authentication, authentication)) {
      throw new RangeError('authentication must be the same for all who share a session')
    }
  }
  const least = (name: (typeof INTERVALS)[number] | 'detectMultiplier' | 'minimumTtl'): number =>
    Math.min(...holders.map(holder => holder[name]))
  return checkSessionOptions({
    receiveInterval: least('receiveInterval'),
    transmitInterval: least('transmitInterval'),
    detectMultiplier: least('detectMultiplier'),
    // Only those who want echo packets have a say in how many.
    echoInterval: Math.min(
      ...(holders.some(h => h.echoMode) ? holders.filter(h => h.echoMode) : holders).map(h => h.echoInterval),
    ),
    echoMode: holders.some(({ echoMode }) => echoMode),
    passiveMode: holders.every(({ passiveMode }) => passiveMode),
    minimumTtl: least('minimumTtl'),
    authentication: first.authentication,
  })
}

function isSameAuthentication(a: AuthenticationOptions | undefined, b: AuthenticationOptions | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return (
    a.type === b.type &&
    a.keyId === b.keyId &&
    octetsOf(a).every((octet, at) => octet === octetsOf(b)[at]) &&
    octetsOf(a).length === octetsOf(b).length
  )
}

const octetsOf = ({ key }: AuthenticationOptions): Uint8Array =>
  typeof key === 'string' ? new TextEncoder().encode(key) : key
