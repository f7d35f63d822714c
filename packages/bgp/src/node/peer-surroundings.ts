import type { Negotiated, State } from '../fsm/index.js'
import type { FamilyName } from '../wire/index.js'
import type { ListenTerms } from './listening-socket.js'
import type { Logger } from './logger.js'
import type { Peer } from './peer.js'
import type { LinkSurroundings } from './peer-link.js'
import type { CheckedPeerOptions, SpeakerDefaults } from './peer-options.js'
import type { RouteSurroundings } from './peer-routes.js'

/** What a peer has from its speaker. */
export interface PeerSurroundings extends RouteSurroundings, LinkSurroundings {
  readonly defaults: SpeakerDefaults
  readonly log: Logger
  /** The peer is elsewhere, or needs other things of the listening socket. */
  readonly optionsChanged: (peer: Peer, before: ListenTerms) => void
  readonly closed: (peer: Peer) => void
  /** @throws {RangeError} another peer is where these options say */
  readonly checkVacant: (options: CheckedPeerOptions) => void
  readonly transition: (peer: Peer, to: State, negotiated: Negotiated | undefined) => void
  readonly endOfRib: (peer: Peer, family: FamilyName) => void
}
