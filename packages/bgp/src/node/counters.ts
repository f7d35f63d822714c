import type { Message } from '../wire/index.js'

/** Messages and prefixes of one peer, since it was added. */
export interface PeerCounters {
  readonly opensSent: number
  readonly opensReceived: number
  readonly updatesSent: number
  readonly updatesReceived: number
  readonly keepalivesSent: number
  readonly keepalivesReceived: number
  readonly notificationsSent: number
  readonly notificationsReceived: number
  readonly routeRefreshSent: number
  readonly routeRefreshReceived: number
  readonly totalSent: number
  readonly totalReceived: number
  /** Prefixes that the peer has been told of in this session. */
  readonly prefixesAnnounced: number
  /** Prefixes that the peer should know of; equal to `prefixesAnnounced` when nothing waits to be sent. */
  readonly prefixesPending: number
  /** Prefixes that the peer has announced to us and not withdrawn. */
  readonly prefixesReceived: number
  /** ConnectRetryCounter of RFC 4271 section 8: failures since the peer was started. */
  readonly connectRetryCounter: number
  /** Changes of the BFD session that BGP was told of. */
  readonly bfdNotifications: number
}

const NAMES = {
  open: 'opens',
  update: 'updates',
  keepalive: 'keepalives',
  notification: 'notifications',
  'route-refresh': 'routeRefresh',
} as const satisfies { readonly [T in Message['type']]: string }

type Stem = (typeof NAMES)[Message['type']]
type MessageCounts = Record<`${Stem | 'total'}${'Sent' | 'Received'}`, number>

/** Counts messages by type and direction. */
export class MessageCounter {
  readonly #counts: MessageCounts = {
    opensSent: 0,
    opensReceived: 0,
    updatesSent: 0,
    updatesReceived: 0,
    keepalivesSent: 0,
    keepalivesReceived: 0,
    notificationsSent: 0,
    notificationsReceived: 0,
    routeRefreshSent: 0,
    routeRefreshReceived: 0,
    totalSent: 0,
    totalReceived: 0,
  }

  sent(type: Message['type'], count = 1): void {
    this.#counts[`${NAMES[type]}Sent`] += count
    this.#counts.totalSent += count
  }

  received(type: Message['type'], count = 1): void {
    this.#counts[`${NAMES[type]}Received`] += count
    this.#counts.totalReceived += count
  }

  /** A copy of the counts. */
  read(): Readonly<MessageCounts> {
    return { ...this.#counts }
  }
}
