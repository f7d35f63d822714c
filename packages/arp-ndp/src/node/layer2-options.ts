import { checkOptions, flag, listOf, methods, number, optional, signal, text, type Kinds } from '@typemetal/options'
import { policy, type DefencePolicy } from '../acd/defence.js'
import { milliseconds } from '../time-kinds.js'
import { excludes } from '../responder/scan.js'
import type { Logger } from './logger.js'
import type { WorkerOptions } from './messages.js'

/** How a {@link Layer2} is started. Times in milliseconds. */
export interface Layer2Options {
  /** Regular expressions; an interface whose name matches one is left alone. They are not anchored. @default none */
  readonly excludeInterfaces?: readonly string[]
  /** Between two looks at all interfaces, beside those that link events cause. @default 10_000 */
  readonly scanInterval?: number
  /**
   * Announces every address again at least so often, spread over the interval: for switches and routers that forget.
   * At least 1000. @default none: announced is what is new or has moved
   */
  readonly refreshInterval?: number
  /**
   * Gratuitous frames a second on each interface and for each protocol: lower it where storm control drops broadcasts.
   * Answers are not held back. 1 to 1,000,000. @default 200_000
   */
  readonly gratuitousRate?: number
  /**
   * What to do when another host uses an address of ours, beside telling it (RFC 5227 §2.4): nothing, announce the address
   * once, or announce it each time, not more often than every 10 s. Answering goes on in any case: who gives way is for the
   * caller to decide. @default 'never'
   */
  readonly defend?: DefencePolicy
  /**
   * Whether the worker thread asks for the real-time policy of the system, or a higher priority, so that it answers in time on a
   * busy machine. It does without when CAP_SYS_NICE is missing. @default true
   */
  readonly raisePriority?: boolean
  /** @default silent */
  readonly log?: Logger
  /** When aborted, the same as disposing. */
  readonly signal?: AbortSignal
}

const SCAN_INTERVAL = 10_000
const SHORTEST_REFRESH = 1000
const GRATUITOUS_RATE = 200_000
const HIGHEST_RATE = 1_000_000
/** What timers of Node.js can wait for. */
const LONGEST = 2 ** 31 - 1

const KINDS: Kinds<Layer2Options> = {
  excludeInterfaces: optional(listOf(text)),
  scanInterval: optional(milliseconds(1, LONGEST)),
  refreshInterval: optional(milliseconds(SHORTEST_REFRESH, LONGEST)),
  gratuitousRate: optional(number(`a number from 1 to ${HIGHEST_RATE}`, value => value >= 1 && value <= HIGHEST_RATE)),
  defend: optional(policy),
  raisePriority: optional(flag),
  log: optional(methods<Logger>('debug', 'info', 'warn', 'error', 'child')),
  signal: optional(signal),
}

/**
 * The worker's share of the options.
 * @throws {SyntaxError} a pattern that is no regular expression
 * @throws {TypeError | RangeError} any other value that is not allowed, or an unknown option, with the option's name in front
 */
export function workerOptions(options: Layer2Options): WorkerOptions {
  checkOptions(options, KINDS, { logger: 'log', interfaces: 'excludeInterfaces' })
  const { excludeInterfaces = [], scanInterval = SCAN_INTERVAL, refreshInterval, defend = 'never' } = options
  const { gratuitousRate = GRATUITOUS_RATE, raisePriority: raisesPriority = true } = options
  excludes(excludeInterfaces) // a bad pattern is the caller's error, here and now
  return {
    excludeInterfaces: [...excludeInterfaces],
    scanInterval,
    refreshInterval,
    gratuitousRate,
    defend,
    raisesPriority,
  }
}
