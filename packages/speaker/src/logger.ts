/** Structured logging, as every part of the speaker takes it. */

/** What pino offers, and all that is asked of a logger here. */
export interface Logger {
  /** For whom looks for a fault. */
  debug(fields: object, msg: string): void
  /** What an operator wants to see: what comes and goes. */
  info(fields: object, msg: string): void
  /** Something is wrong, and the work goes on. */
  warn(fields: object, msg: string): void
  /** Something is lost until somebody looks. */
  error(fields: object, msg: string): void
  /** A logger that adds `fields` to every line. */
  child(fields: object): Logger
}

const nothing = (): void => {}

/** Says nothing. */
export const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => silent }
