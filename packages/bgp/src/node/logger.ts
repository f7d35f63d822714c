import { methods } from '@typemetal/options'

/** What this package logs to; pino fits. Fields first, then a constant message. */
export interface Logger {
  /** For whom looks for a fault: every message and decision. */
  debug(fields: object, message: string): void
  /** What an operator wants to see: sessions, addresses and members that come and go. */
  info(fields: object, message: string): void
  /** Something is wrong and the work goes on. */
  warn(fields: object, message: string): void
  /** Something is lost until somebody looks. */
  error(fields: object, message: string): void
  /** A logger that adds `fields` to every line. */
  child(fields: object): Logger
}

/** What a {@link Logger} has to be. */
export const loggerKind = methods<Logger>('debug', 'info', 'warn', 'error', 'child')

/** Says nothing; the default. */
export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT }
