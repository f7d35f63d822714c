import { isLinkLocal } from '../../address.js'
import type { Instant } from '../../fsm/index.js'
import { NdpOptionType } from './ndp-option.js'
import { decodeRouterAdvertisement, ROUTER_ADVERTISEMENT, type RouterAdvertisement } from './router-advertisement.js'
import { decodeRouterSolicitation, ROUTER_SOLICITATION } from './router-solicitation.js'

/** A Neighbor Discovery message as it came. */
export interface DiscoveryPacket {
  /** The ICMPv6 message from its type on. */
  readonly data: Uint8Array
  /** Without zone; `::` where it had none. */
  readonly source: string
  readonly hopLimit: number
}

/** What the owner of a {@link Discovery} has to do. */
export type DiscoveryAction =
  | { readonly type: 'advertise'; readonly to: string }
  | { readonly type: 'solicit' }
  | { readonly type: 'discarded'; readonly source: string; readonly why: string }

/** The neighbour's address without zone, or why there is none. */
export type Neighbor =
  { readonly address: string; readonly reason?: undefined } | { readonly address?: undefined; readonly reason: string }

export interface DiscoveryOptions {
  /** Name of the interface, for what is said. */
  readonly interface: string
  /** Our own addresses on it: advertisements from there are ours. */
  readonly ownAddresses: readonly string[]
  /** 0 up to 1, for jitter. */
  readonly random: () => number
}

/** A router that advertises itself. */
interface Candidate {
  heard: Instant
  /** Milliseconds without a word until it counts as gone. */
  lifetime: number
}

/** Groups of RFC 4291 section 2.7.1. */
export const ALL_NODES = 'ff02::1'
export const ALL_ROUTERS = 'ff02::2'

// All in milliseconds. Names in capitals are those of RFC 4861 section 10.
const MAX_RTR_ADV_INTERVAL = 10_000 // what FRR takes between unnumbered peers; the RFC's own default is ten minutes
const MIN_DELAY_BETWEEN_RAS = 3000
const MAX_INITIAL_RTR_ADVERTISEMENTS = 3
const MAX_RA_DELAY_TIME = 500
const RTR_SOLICITATION_INTERVAL = 4000
const MAX_RTR_SOLICITATIONS = 3
/** A neighbour is asked again after so much silence: a little more than it lets pass itself. */
const SILENCE = 12_000
/** Three solicitations without an answer, and the shortest life of a neighbour that says nothing of its own. */
const ALL_UNANSWERED = 3 * RTR_SOLICITATION_INTERVAL + MAX_RA_DELAY_TIME
const LIFETIME = SILENCE + 2 * ALL_UNANSWERED
/** Whoever sends from more addresses than that fills no memory here. */
const MOST = 8

/** How long a router may be silent: three of its intervals where it tells them (RFC 6275 section 7.3). */
function lifetimeOf({ routerLifetime, options }: RouterAdvertisement): number {
  const interval = options.find(({ type }) => type === NdpOptionType.AdvertisementInterval)?.value
  const told = interval && interval.length >= 6 ? new DataView(interval.buffer, interval.byteOffset).getUint32(2) : 0
  return Math.max(LIFETIME, routerLifetime * 1000, 3 * told)
}

/**
 * Finds the one other router on a link, and lets it find us, by router advertisements (RFC 4861 sections 6.2 and 6.3): what
 * unnumbered peers have in the place of configured addresses. Reads no clock and opens no socket.
 *
 * It departs from the RFC in one thing: it goes on soliciting, slowly, since we are a router ourselves, and a neighbour that has
 * gone is to be noticed. With several routers on the link there is no neighbour: they are solicited, and when all but one are
 * silent, that one is it.
 */
export class Discovery {
  readonly #options: DiscoveryOptions
  readonly #candidates = new Map<string, Candidate>()
  /** When who is sent an advertisement of its own. */
  readonly #replies = new Map<string, Instant>()
  #severalSince: Instant | undefined
  #advertised = 0
  #lastAdvertised = -Infinity
  #nextAdvertisement: Instant = 0
  #solicited = 0
  #lastSolicited: Instant = 0
  #hasHeard = false

  constructor(options: DiscoveryOptions) {
    this.#options = options
  }

  /** The one router that is there. */
  get neighbor(): Neighbor {
    const [address, ...others] = this.#candidates.keys()
    const { interface: name } = this.#options
    if (address === undefined)
      return { reason: `no router advertisement on ${name} ${this.#hasHeard ? 'any more' : 'yet'}` }
    if (others.length === 0) return { address }
    const all = [address, ...others].toSorted().join(', ')
    return { reason: `${others.length + 1} routers on ${name} (${all}): an unnumbered peer must be the only one` }
  }

  /** When {@link handleTimeout} is next due. */
  get nextTimeout(): Instant {
    const expiries = [...this.#candidates.values()].map(candidate => this.#expiry(candidate))
    return Math.min(this.#nextAdvertisement, this.#nextSolicitation, ...this.#replies.values(), ...expiries)
  }

  /** The interface is up. */
  start(now: Instant): readonly DiscoveryAction[] {
    return [this.#solicit(now), this.#advertise(now)]
  }

  /** @returns what the caller must now do, in this order */
  handle(packet: DiscoveryPacket, now: Instant): readonly DiscoveryAction[] {
    const { data, source, hopLimit } = packet
    if (this.#options.ownAddresses.includes(source)) return []
    // RFC 4861 sections 6.1.1 and 6.1.2: a router in between would have lowered it.
    if (hopLimit !== 255) return [{ type: 'discarded', source, why: `hop limit ${hopLimit}` }]
    const why = this.#take(data, source, now)
    if (why !== undefined) return [{ type: 'discarded', source, why }]
    return this.handleTimeout(now)
  }

  /** Does all that is due at `now`. */
  handleTimeout(now: Instant): readonly DiscoveryAction[] {
    this.#expire(now)
    const actions: DiscoveryAction[] = []
    for (const [to, at] of this.#replies) {
      if (at > now) continue
      this.#replies.delete(to)
      actions.push({ type: 'advertise', to })
    }
    if (this.#nextAdvertisement <= now) actions.push(this.#advertise(now))
    if (this.#nextSolicitation <= now) actions.push(this.#solicit(now))
    return actions
  }

  /** @returns why it is discarded */
  #take(data: Uint8Array, source: string, now: Instant): string | undefined {
    switch (data[0]) {
      case ROUTER_ADVERTISEMENT:
        return this.#heardAdvertisement(data, source, now)
      case ROUTER_SOLICITATION:
        return this.#heardSolicitation(data, source, now)
      default:
        return 'neither advertisement nor solicitation'
    }
  }

  #heardAdvertisement(data: Uint8Array, source: string, now: Instant): string | undefined {
    const message = decodeRouterAdvertisement(data)
    if (!message) return 'malformed router advertisement'
    if (!isLinkLocal(source)) return 'router advertisement from an address that is not link-local'
    const known = this.#candidates.get(source)
    if (!known && this.#candidates.size >= MOST) return 'too many routers'
    this.#candidates.set(source, { heard: now, lifetime: lifetimeOf(message) })
    this.#hasHeard = true
    this.#countCandidates(now)
    // It may have come up after our last advertisement, and should not have to wait for the next.
    if (!known) this.#reply(source, now)
    return undefined
  }

  #heardSolicitation(data: Uint8Array, source: string, now: Instant): string | undefined {
    const message = decodeRouterSolicitation(data)
    if (!message) return 'malformed router solicitation'
    const hasSource = message.options.some(({ type }) => type === NdpOptionType.SourceLinkLayerAddress)
    if (source === '::' && hasSource) return 'router solicitation from nowhere with a link-layer address'
    const delay = this.#options.random() * MAX_RA_DELAY_TIME
    if (isLinkLocal(source)) this.#reply(source, now + delay)
    else {
      const soon = Math.max(now + delay, this.#lastAdvertised + MIN_DELAY_BETWEEN_RAS)
      this.#nextAdvertisement = Math.min(this.#nextAdvertisement, soon)
    }
    return undefined
  }

  #reply(to: string, at: Instant): void {
    const planned = this.#replies.get(to)
    if (planned !== undefined) this.#replies.set(to, Math.min(planned, at))
    else if (this.#replies.size < MOST) this.#replies.set(to, at)
  }

  /** RFC 4861 section 6.2.4: the first few soon after each other. */
  #advertise(now: Instant): DiscoveryAction {
    this.#advertised++
    this.#lastAdvertised = now
    const jitter = (this.#options.random() * MAX_RTR_ADV_INTERVAL) / 4
    const isInitial = this.#advertised < MAX_INITIAL_RTR_ADVERTISEMENTS
    this.#nextAdvertisement = now + (isInitial ? MIN_DELAY_BETWEEN_RAS : MAX_RTR_ADV_INTERVAL - jitter)
    return { type: 'advertise', to: ALL_NODES }
  }

  #solicit(now: Instant): DiscoveryAction {
    this.#solicited++
    this.#lastSolicited = now
    return { type: 'solicit' }
  }

  get #nextSolicitation(): Instant {
    const soon = this.#lastSolicited + RTR_SOLICITATION_INTERVAL
    if (this.#candidates.size > 1) return soon
    const [only] = this.#candidates.values()
    if (only) return Math.max(soon, only.heard + SILENCE)
    return this.#solicited < MAX_RTR_SOLICITATIONS ? soon : this.#lastSolicited + MAX_RTR_ADV_INTERVAL
  }

  /** Among several, silence counts from when they became several, and for less. */
  #expiry({ heard, lifetime }: Candidate): Instant {
    if (this.#severalSince === undefined) return heard + lifetime
    return Math.max(heard, this.#severalSince) + ALL_UNANSWERED
  }

  #expire(now: Instant): void {
    for (const [address, candidate] of this.#candidates) {
      if (this.#expiry(candidate) <= now) this.#candidates.delete(address)
    }
    this.#countCandidates(now)
  }

  #countCandidates(now: Instant): void {
    if (this.#candidates.size < 2) this.#severalSince = undefined
    else this.#severalSince ??= now
  }
}
