import type { ControlMessage } from '../fsm/index.js'
import { splitMessages } from '../split-messages.js'
import type { Connection } from './connection.js'
import { MessageCounter } from './counters.js'
import type { Logger } from './logger.js'
import type { UpdateSink } from './outbound.js'
import { notificationFields, type NotificationDetails } from './peer-log.js'

export type Direction = 'sent' | 'received'

/** Who wants to see the messages of a peer. */
export interface MessageListener {
  /** Asked before each run of messages. */
  isListening(): boolean
  /** One whole message as it is on the wire: a view. */
  message(direction: Direction, octets: Uint8Array): void
  /** A NOTIFICATION, asked for or not. */
  notification(direction: Direction, details: NotificationDetails): void
}

/** What goes over the sessions of one peer: counts it, logs NOTIFICATIONs, shows it to those who listen. */
export class PeerMessages {
  readonly counter = new MessageCounter()
  readonly #log: Logger
  readonly #listener: MessageListener

  constructor(log: Logger, listener: MessageListener) {
    this.#log = log
    this.#listener = listener
  }

  sent(message: ControlMessage): void {
    this.counter.sent(message.type)
    if (message.type === 'notification') this.#tell('sent', notificationFields(message))
  }

  received(message: ControlMessage): void {
    this.counter.received(message.type)
    if (message.type === 'notification') this.#tell('received', notificationFields(message))
  }

  #tell(direction: Direction, details: NotificationDetails): void {
    this.#log.info(details, `notification ${direction}`)
    this.#listener.notification(direction, details)
  }

  /** Whole messages, one or many. */
  octets(direction: Direction, octets: Uint8Array): void {
    if (!this.#listener.isListening()) return
    for (const message of splitMessages(octets)) this.#listener.message(direction, message)
  }

  /** Where the UPDATEs for a connection go. */
  sinkOf(connection: Connection): UpdateSink {
    const write = (octets: Uint8Array): void => {
      this.octets('sent', octets)
      connection.write(octets)
    }
    return {
      get isBlocked(): boolean {
        return connection.isBlocked
      },
      write: (octets, count) => {
        this.counter.sent('update', count)
        write(octets)
      },
      writeRefresh: octets => {
        this.counter.sent('route-refresh')
        write(octets)
      },
    }
  }
}
