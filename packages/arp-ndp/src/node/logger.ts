/** Where log lines go; pino fits. Fields are an object, the message is constant. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
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
