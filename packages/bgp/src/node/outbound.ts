import { exportRoute, type ExportSession } from '../export.js'
import { AdjRibOut, keyFamily, type PrefixKey } from '../rib/index.js'
import type { ParsedRoute } from '../route.js'
import { createEndOfRib, encodeUpdate, familyOf, type FamilyName, type MessageContext } from '../wire/index.js'
import type { Logger } from './logger.js'

/** Where UPDATEs go. */
export interface UpdateSink {
  /** TCP has enough for now; {@link Outbound.flush} is called again when it has not. */
  readonly isBlocked: boolean
  /** @param count UPDATEs in `octets` */
  write(octets: Uint8Array, count: number): void
}

/** An Established session to announce on. */
export interface OutboundSession extends ExportSession, MessageContext {
  readonly families: readonly FamilyName[]
  readonly sink: UpdateSink
}

/** Octets handed to TCP at once, about. */
const CHUNK = 65_536

interface Running {
  readonly session: OutboundSession
  readonly adjRibOut: AdjRibOut
  /** Families whose End-of-RIB is still to come. */
  endOfRib: readonly FamilyName[]
  readonly warned: Set<FamilyName>
}

/** The routes that one peer is to know, over all its sessions, and the way from there into UPDATEs. */
export class Outbound {
  readonly #shared: ReadonlyMap<PrefixKey, ParsedRoute>
  readonly #log: Logger
  #own: ReadonlyMap<PrefixKey, ParsedRoute> = new Map()
  #running: Running | undefined
  #flushPlanned = false

  /** @param shared routes for all peers; those of the peer's own come before them */
  constructor(shared: ReadonlyMap<PrefixKey, ParsedRoute>, log: Logger) {
    this.#shared = shared
    this.#log = log
  }

  /** Prefixes that the peer has been told of. */
  get announced(): number {
    return this.#running?.adjRibOut.size ?? 0
  }

  /** Prefixes that the peer should know of. */
  get wanted(): number {
    if (this.#running) return this.#running.adjRibOut.wantedSize
    let count = this.#own.size
    for (const key of this.#shared.keys()) if (!this.#own.has(key)) count++
    return count
  }

  /** Replaces the peer's own routes; only what differs is sent. */
  setRoutes(routes: ReadonlyMap<PrefixKey, ParsedRoute>): void {
    const before = this.#own
    this.#own = routes
    for (const key of before.keys()) if (!routes.has(key)) this.changed(key)
    for (const [key, route] of routes) {
      if (before.get(key)?.fingerprint !== route.fingerprint) this.changed(key)
    }
  }

  /** The route to a prefix, of the peer's own or shared, may have changed. */
  changed(key: PrefixKey): void {
    if (!this.#running) return
    this.#apply(this.#running, key)
    this.#planFlush()
  }

  /** A session is Established: everything is announced on it, then End-of-RIB for each family (RFC 4724 section 2). */
  up(session: OutboundSession): void {
    const running = {
      session,
      adjRibOut: new AdjRibOut(session),
      endOfRib: session.families,
      warned: new Set<FamilyName>(),
    }
    this.#running = running
    for (const key of this.#own.keys()) this.#apply(running, key)
    for (const key of this.#shared.keys()) if (!this.#own.has(key)) this.#apply(running, key)
    this.flush()
  }

  /** The session has ended. */
  down(): void {
    this.#running = undefined
  }

  /** Announces a family's prefixes again, RFC 2918 section 4. */
  refresh(family: FamilyName): void {
    this.#running?.adjRibOut.refresh(family)
    this.#planFlush()
  }

  /** Sends what waits, for as long as TCP takes it. */
  flush(): void {
    const running = this.#running
    if (!running) return
    const { sink } = running.session
    while (!sink.isBlocked) {
      const { octets, count } = nextChunk(running)
      if (count === 0) break
      sink.write(octets, count)
    }
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

  #apply(running: Running, key: PrefixKey): void {
    const { session, adjRibOut } = running
    const route = this.#own.get(key) ?? this.#shared.get(key)
    if (!route || !session.families.includes(route.family)) {
      adjRibOut.delete(key)
      return
    }
    const exported = exportRoute(route, session)
    if (exported) adjRibOut.set(key, exported.attributes, exported.nextHop)
    else {
      adjRibOut.delete(key)
      this.#warnOnce(running, keyFamily(key))
    }
  }

  #warnOnce({ warned }: Running, family: FamilyName): void {
    if (warned.has(family)) return
    warned.add(family)
    this.#log.warn({ family }, 'no local address of this family for the next hop: its prefixes are not announced')
  }
}

/** UPDATEs up to about {@link CHUNK} octets; when all are sent, the End-of-RIB markers. */
function nextChunk(running: Running): { octets: Uint8Array; count: number } {
  const messages: Uint8Array[] = []
  let length = 0
  for (let next = nextUpdate(running); next; next = length < CHUNK ? nextUpdate(running) : undefined) {
    messages.push(next)
    length += next.length
  }
  if (messages.length === 1) return { octets: messages[0]!, count: 1 }
  const octets = new Uint8Array(length)
  let at = 0
  for (const message of messages) {
    octets.set(message, at)
    at += message.length
  }
  return { octets, count: messages.length }
}

function nextUpdate(running: Running): Uint8Array | undefined {
  const update = running.adjRibOut.next()
  if (update) return update
  const [family, ...rest] = running.endOfRib
  if (!family) return undefined
  running.endOfRib = rest
  return encodeUpdate(createEndOfRib(familyOf(family)), running.session)
}
