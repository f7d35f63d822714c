/** Where log lines go; pino fits. Fields are an object, the message is constant. */
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

/** Names of the methods that write a line. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

const silence = (): void => {}

/** Writes nothing. */
export const silentLogger: Logger = {
  debug: silence,
  info: silence,
  warn: silence,
  error: silence,
  child: () => silentLogger,
}
