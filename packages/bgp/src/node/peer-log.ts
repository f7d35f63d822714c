import { hardResetReason } from '../fsm/index.js'
import { notificationName, shutdownCommunication, type NotificationMessage } from '../wire/index.js'
import type { Logger } from './logger.js'

/** The log of one peer, under the name that it has at the time. */
export class PeerLog implements Logger {
  readonly #parent: Logger
  #log: Logger

  constructor(parent: Logger, name: string) {
    this.#parent = parent
    this.#log = parent.child({ peer: name })
  }

  rename(name: string): void {
    this.#log = this.#parent.child({ peer: name })
  }

  debug(fields: object, message: string): void {
    this.#log.debug(fields, message)
  }

  info(fields: object, message: string): void {
    this.#log.info(fields, message)
  }

  warn(fields: object, message: string): void {
    this.#log.warn(fields, message)
  }

  error(fields: object, message: string): void {
    this.#log.error(fields, message)
  }

  child(fields: object): Logger {
    return this.#log.child(fields)
  }
}

/** A NOTIFICATION in words. */
export interface NotificationDetails {
  readonly errorCode: number
  readonly errorSubcode: number
  /** Names of both; of a hard reset (RFC 8538) those of its reason too. */
  readonly reason: string
  /** Shutdown Communication, RFC 9003. */
  readonly communication?: string
  /** Data as hex, for it may be anything. */
  readonly data?: string
}

/** A NOTIFICATION as fields of a log line. */
export function notificationFields(notification: NotificationMessage): NotificationDetails {
  const { errorCode, errorSubcode, data } = notification
  const communication = shutdownCommunication(notification)
  const rest = (hardResetReason(notification) ?? notification).data
  return {
    errorCode,
    errorSubcode,
    reason: notificationName(notification),
    ...(communication && { communication }),
    ...(rest.length > 0 && { data: Buffer.from(data).toString('hex') }),
  }
}
