import type { Logger } from '../../node/logger.js'

export { SILENT, type Logger } from '../../node/logger.js'

/** Names of the methods of a {@link Logger} that write a line. */
export type LogLevel = Exclude<keyof Logger, 'child'>

/** Writes one line. */
export type Log = (level: LogLevel, fields: object, message: string) => void
