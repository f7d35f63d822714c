/** Structured logging, as every part of the speaker takes it. */

/** What pino offers, and all that is asked of a logger here. */
export interface Logger {
  debug(fields: object, msg: string): void
  info(fields: object, msg: string): void
  warn(fields: object, msg: string): void
  error(fields: object, msg: string): void
  child(fields: object): Logger
}

const nothing = (): void => {}

/** Says nothing. */
export const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => silent }
