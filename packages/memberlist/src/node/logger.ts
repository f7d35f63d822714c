/** Structured log: constant message, facts as fields. A pino logger fits. */
export interface Logger {
  /** For whom looks for a fault. */
  debug(fields: object, message: string): void
  /** What an operator wants to see: what comes and goes. */
  info(fields: object, message: string): void
  /** Something is wrong, and the work goes on. */
  warn(fields: object, message: string): void
  /** Something is lost until somebody looks. */
  error(fields: object, message: string): void
  /** A logger that adds `fields` to every line. */
  child(fields: object): Logger
}

/** Says nothing. */
export const silent: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silent,
}
