import type { State } from '../fsm/index.js'
import type { FamilyName, UpdateMessage } from '../wire/index.js'
import type { NotificationDetails } from './peer-log.js'

/** Events of a `Peer`. */
export interface PeerEvents {
  /** The state has changed; `cause` is the event of RFC 4271 section 8.1 that did it, with what is known of it. */
  state: [to: State, from: State, cause: string]
  /**
   * An UPDATE has come in. Its octet fields are views that hold a whole buffer alive: copy what you keep. With a listener each UPDATE is made
   * values of, which costs a few microseconds.
   */
  update: [update: UpdateMessage]
  /** Whole messages as they are on the wire: views, good until the listener returns. */
  message: [direction: 'sent' | 'received', octets: Uint8Array]
  /** A NOTIFICATION has gone one way or the other, RFC 4271 section 4.5. */
  notification: [direction: 'sent' | 'received', details: NotificationDetails]
  /** The peer has announced all that it has of a family, RFC 4724 section 2. */
  endOfRib: [family: FamilyName]
}
