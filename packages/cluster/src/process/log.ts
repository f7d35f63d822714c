import { type DestinationStream, pino } from 'pino'
import { StartupError } from './startup-error.js'

/** What every Typemetal class logs to; a pino logger fits. */
export interface Logger {
  /** For whom looks for a fault. */
  debug(fields: object, message: string): void
  /** What an operator wants to see: what comes and goes. */
  info(fields: object, message: string): void
  /** Something is wrong, and the work goes on. */
  warn(fields: object, message: string): void
  /** Something is lost until somebody looks. */
  error(fields: object, message: string): void
  /** A logger that adds `fields` to each line. */
  child(fields: object): Logger
}

/** Level names of `--log-level`, as MetalLB has them. */
export const LOG_LEVELS = ['all', 'debug', 'info', 'warn', 'error', 'none'] as const

/** Name of a level of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Options of {@link createLogger}. */
export interface LoggerOptions {
  /** One of {@link LOG_LEVELS}. @default 'info' */
  readonly level?: string
  /** Where lines go. @default standard output, written synchronously so that the last words of a process are not lost */
  readonly destination?: DestinationStream
}

/**
 * A logger that writes one JSON object a line, in the shape of MetalLB's: `level`, `ts` (RFC 3339, UTC), the fields, `msg`.
 * An Error in a field is written as its message.
 *
 * @throws {StartupError} the level is unknown
 */
export function createLogger({ level = 'info', destination }: LoggerOptions = {}): Logger {
  if (!isLevel(level)) throw new StartupError(`log level "${level}" is unknown: choose ${LOG_LEVELS.join(', ')}`)
  return pino(
    {
      level: level === 'all' ? 'trace' : level === 'none' ? 'silent' : level,
      base: null,
      formatters: { level: label => ({ level: label }), log: withMessages },
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  )
}

/** A logger that keeps silent: the default of everything that takes one. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
}

const isLevel = (text: string): text is LogLevel => (LOG_LEVELS as readonly string[]).includes(text)

function withMessages(fields: Record<string, unknown>): Record<string, unknown> {
  if (!Object.values(fields).some(value => value instanceof Error)) return fields
  const entries = Object.entries(fields)
  return Object.fromEntries(entries.map(([name, value]) => [name, value instanceof Error ? value.message : value]))
}
