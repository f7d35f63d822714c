import type { BmpMessage } from '../wire/message.js'

/** Something that a station is told of between a Peer Up and a Peer Down: a peer, or the Loc-RIB. */
export interface Subject {
  /** Which session this is, from 1; `undefined` while there is none. A station that knows of another one hears Peer Down first. */
  readonly session: number | undefined
  /** Peer Up for the session that stands. */
  up(): BmpMessage
  /** Peer Down for the session that the station knows of. @param resync the session stands, and is about to be shown anew */
  down(resync: boolean): BmpMessage
  /** All routes as Route Monitoring, End-of-RIB last; walks the RIB while it is read. */
  dump(): Iterator<BmpMessage>
  statistics(): BmpMessage
}
