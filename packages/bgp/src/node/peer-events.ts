import type { State } from '../fsm/index.js'
import type { FamilyName, UpdateMessage } from '../wire/index.js'

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
  /** The peer has announced all that it has of a family, RFC 4724 section 2. */
  endOfRib: [family: FamilyName]
}
