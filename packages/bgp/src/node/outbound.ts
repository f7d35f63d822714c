import { SessionExporter } from '../exporter.js'
import type { ExportSession } from '../export.js'
import type { OwnRoutes } from '../own-routes.js'
import type { ExportPolicy } from '../policy.js'
import { AdjRibOut, type LocRib, type Row, type UpdatePacker } from '../rib/index.js'
import type { RouteSource } from '../route-source.js'
import {
  createEndOfRib,
  encodeMessage,
  encodeUpdate,
  familyOf,
  type FamilyName,
  type MessageContext,
} from '../wire/index.js'
import { messageLimit } from '../wire/header.js'
import type { Seconds } from '../fsm/index.js'
import type { Clock } from './clock.js'
import type { Logger } from './logger.js'

/** Where UPDATEs go. */
export interface UpdateSink {
  /** TCP takes no more; {@link Outbound.flush} is called again when it has not. */
  readonly isBlocked: boolean
  /** @param count UPDATEs in `octets` */
  write(octets: Uint8Array, count: number): void
  /** A ROUTE-REFRESH message. */
  writeRefresh(octets: Uint8Array): void
}

/** An Established session to announce on. */
export interface OutboundSession {
  readonly session: ExportSession
  /** How its messages are written. */
  readonly context: MessageContext
  readonly families: readonly FamilyName[]
  readonly policy: ExportPolicy
  /** The peer's number among the sources. */
  readonly source: number
  /** The policy has thrown. */
  readonly policyFailed: (error: unknown) => void
  /** Least time between two rounds of UPDATEs. */
  readonly minRouteAdvertisementInterval: Seconds
  /** Nothing of the family is announced before {@link Outbound.release}: its routes are not selected yet (RFC 4724 section 4.1). */
  defers(family: FamilyName): boolean
  readonly sink: UpdateSink
}

const OVERSIZED = 'path attributes leave no room for a prefix: not announced'

/** What an {@link Outbound} has from its peer and speaker. */
export interface OutboundSurroundings {
  readonly rib: LocRib<RouteSource>
  readonly packer: UpdatePacker
  readonly clock: Clock
  readonly log: Logger
  readonly random: () => number
}

/** A path as a peer was told it. */
export interface WrittenPath {
  /** Path attributes, without MP_REACH_NLRI. */
  readonly octets: Uint8Array
  /** That of MP_REACH_NLRI; `undefined` where NEXT_HOP is among the attributes. */
  readonly nextHop: Uint8Array | undefined
  readonly context: MessageContext
}

/** A path that a peer was told. */
export interface ToldPath {
  readonly family: FamilyName
  readonly prefix: Row
  /** 0 without Path Identifiers. */
  readonly pathId: number
  /** The same for all paths that were written alike. */
  readonly key: string
  /** How it was written. */
  readonly write: () => WrittenPath
}

/** A session that is announced on. */
interface Running {
  session: OutboundSession
  readonly exporter: SessionExporter
  readonly adjRibOut: AdjRibOut<RouteSource>
  /** Families whose End-of-RIB is still to come. */
  endOfRib: readonly FamilyName[]
  /** Families that the peer wants to be told again, and whether between marks (RFC 7313). */
  readonly asked: Map<FamilyName, boolean>
  /** Those of them that are being told again. */
  readonly refreshing: Map<FamilyName, boolean>
  readonly warned: Set<string>
  readonly unsubscribe: () => void
}

const BEGIN_OF_REFRESH = 1
const END_OF_REFRESH = 2

/** The routes that one peer is told, over all its sessions, and the way from there into UPDATEs. */
export class Outbound {
  readonly #own: OwnRoutes<RouteSource>
  readonly #surroundings: OutboundSurroundings
  #running: Running | undefined
  #flushPlanned = false
  /** No UPDATE before this instant. */
  #quietUntil = 0
  #cancelInterval = (): void => {}

  /** @param own routes for this peer alone */
  constructor(own: OwnRoutes<RouteSource>, surroundings: OutboundSurroundings) {
    this.#own = own
    this.#surroundings = surroundings
  }

  /** Paths that the peer has been told of. */
  get announced(): number {
    return this.#running?.adjRibOut.size ?? 0
  }

  /** Paths that the peer should know of. */
  get wanted(): number {
    return this.#running ? this.#running.adjRibOut.wantedSize : this.#own.size
  }

  /** What the peer was told in this session, path by path, as it was written. */
  *told(): IterableIterator<ToldPath> {
    if (!this.#running) return
    const { adjRibOut, exporter, session } = this.#running
    for (const [family, prefix, pathId, told] of adjRibOut.entries()) {
      const write = (): WrittenPath => {
        const { octets, length, nextHop } = exporter.write(family, told.set, told.how)
        return { octets: octets.slice(0, length), nextHop, context: session.context }
      }
      yield { family, prefix, pathId, key: `${family} ${told.set} ${told.how}`, write }
    }
  }

  /** The route to a prefix may have changed. */
  changed(family: FamilyName, prefix: Row, selected = true): void {
    const running = this.#running
    if (!running) return
    running.adjRibOut.changed(family, prefix, selected)
    this.#planFlush()
  }

  /** A session is Established: everything is announced on it, then End-of-RIB for each family (RFC 4724 section 2). */
  up(session: OutboundSession): void {
    const { rib, packer } = this.#surroundings
    const warned = new Set<string>()
    const exporter = new SessionExporter({
      rib,
      session: session.session,
      own: this.#own,
      policy: session.policy,
      source: session.source,
      extendedNextHop: session.context.extendedNextHop ?? [],
      oversized: family => this.#warnOnce(warned, family, OVERSIZED),
      noNextHop: family =>
        this.#warnOnce(
          warned,
          family,
          'no local address of this family for the next hop: its prefixes are not announced',
        ),
      policyFailed: session.policyFailed,
    })
    const adjRibOut = new AdjRibOut({
      rib,
      exporter,
      packer,
      families: session.families,
      addPath: session.context.addPath ?? [],
      limit: messageLimit(session.context),
      oversized: family => this.#warnOnce(warned, family, OVERSIZED),
    })
    this.#running = {
      session,
      exporter,
      adjRibOut,
      endOfRib: session.families,
      asked: new Map(),
      refreshing: new Map(),
      warned,
      unsubscribe: rib.subscribe((family, prefix, selected) => this.changed(family, prefix, selected), session.source),
    }
    this.#quietUntil = 0
    for (const family of session.families) if (!session.defers(family)) adjRibOut.start(family)
    // In a moment: who hears that the session stands may want to see what goes out.
    this.#planFlush()
  }

  /** Other rules from now on: what differs under them is sent. */
  change(rules: Pick<OutboundSession, 'session' | 'policy' | 'minRouteAdvertisementInterval'>): void {
    const running = this.#running
    if (!running) return
    running.session = { ...running.session, ...rules }
    running.exporter.change(rules.session, rules.policy)
    running.warned.clear()
    for (const family of running.session.families) {
      if (!running.session.defers(family)) running.adjRibOut.start(family)
    }
    this.#planFlush()
  }

  /** The session has ended. */
  down(): void {
    this.#cancelInterval()
    this.#running?.unsubscribe()
    this.#running?.adjRibOut.close()
    this.#running = undefined
  }

  /**
   * Announces a family's prefixes again, RFC 2918 section 4; between two marks where both sides know them (RFC 7313). However often the peer
   * asks meanwhile, that comes to its end and then happens once more; and not before the End-of-RIB (RFC 7313 section 4.1).
   */
  refresh(family: FamilyName, marked: boolean): void {
    const running = this.#running
    if (!running?.session.families.includes(family)) return
    running.asked.set(family, marked)
    this.#beginRefreshes(running)
    this.#planFlush()
  }

  /** Announces a family that was held back, RFC 4724 section 4.1. */
  release(family: FamilyName): void {
    this.#running?.adjRibOut.start(family)
    this.#planFlush()
  }

  /** Sends what waits, for as long as TCP takes it. */
  flush(): void {
    const running = this.#running
    if (!running || this.#isQuiet()) return
    const { sink, minRouteAdvertisementInterval } = running.session
    let sent = false
    while (!sink.isBlocked) {
      const more = running.adjRibOut.next((octets, count) => {
        sent = true
        sink.write(octets, count)
      })
      this.#markEnds(running)
      if (!more && !running.adjRibOut.isPending) break
    }
    if (sent && minRouteAdvertisementInterval > 0 && !running.adjRibOut.isPending) {
      // RFC 4271 sections 9.2.1.1 and 10: with jitter.
      const { clock, random } = this.#surroundings
      this.#quietUntil = clock.now() + minRouteAdvertisementInterval * 1000 * (0.75 + 0.25 * random())
    }
  }

  /** Whether the MinRouteAdvertisementInterval is still running; flushes when it ends. */
  #isQuiet(): boolean {
    const { clock } = this.#surroundings
    const left = this.#quietUntil - clock.now()
    if (this.#quietUntil === 0 || left <= 0) return false
    this.#cancelInterval()
    this.#cancelInterval = clock.after(Math.ceil(left), () => this.flush())
    return true
  }

  /** Routes set one after the other go out together. */
  #planFlush(): void {
    if (this.#flushPlanned) return
    this.#flushPlanned = true
    queueMicrotask(() => {
      this.#flushPlanned = false
      this.flush()
    })
  }

  /** End-of-RIB (RFC 4724 section 2), and the ends of refreshes (RFC 7313 section 4), of families that are told whole. */
  #markEnds(running: Running): void {
    const { session, adjRibOut, refreshing } = running
    const done = running.endOfRib.filter(family => adjRibOut.isDone(family))
    if (done.length > 0) running.endOfRib = running.endOfRib.filter(family => !done.includes(family))
    for (const family of done) session.sink.write(encodeUpdate(createEndOfRib(familyOf(family)), session.context), 1)
    for (const [family, marked] of refreshing) {
      if (!adjRibOut.isDone(family)) continue
      refreshing.delete(family)
      if (marked) session.sink.writeRefresh(encodeRefresh(family, END_OF_REFRESH))
    }
    if (running.asked.size > 0) this.#beginRefreshes(running)
  }

  /** Begins to tell families again that were asked for and are told whole. */
  #beginRefreshes({ session, adjRibOut, asked, refreshing, endOfRib }: Running): void {
    for (const [family, marked] of asked) {
      if (refreshing.has(family) || endOfRib.includes(family)) continue
      asked.delete(family)
      refreshing.set(family, marked)
      if (marked) session.sink.writeRefresh(encodeRefresh(family, BEGIN_OF_REFRESH))
      adjRibOut.start(family, true)
    }
  }

  #warnOnce(warned: Set<string>, family: FamilyName, text: string): void {
    const key = `${family} ${text}`
    if (warned.has(key)) return
    warned.add(key)
    this.#surroundings.log.warn({ family }, text)
  }
}

const encodeRefresh = (family: FamilyName, subtype: number): Uint8Array =>
  encodeMessage({ type: 'route-refresh', ...familyOf(family), subtype })
