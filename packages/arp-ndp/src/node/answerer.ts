import { Announcer, type AnnouncerAction, type Instant } from '../responder/announcer.js'
import { OwnedAddresses, type OwnedAddress } from '../responder/owned-addresses.js'
import { compareScan, excludes, scan, type WantedResponder } from '../responder/scan.js'
import type { AddressChange, Answers, Report, WorkerOptions } from './messages.js'
import { plainError } from './messages.js'
import type { Closable, Platform } from './platform.js'
import { Port } from './port.js'

/** Milliseconds that link events are gathered before the next look, so that a storm of them costs one look each. */
const SETTLE = 20
/** Rounds sent before requests get their turn: a big failover must not keep askers waiting. */
const ROUNDS_PER_TURN = 64

/** A gratuitous round to send: on every port, or on one that has just come up. */
interface Round {
  readonly address: string
  readonly port: Port | undefined
}

/** What the worker does: keeps a responder on every wanted interface, tells neighbours of addresses, reports. */
export class Answerer {
  readonly #platform: Platform
  readonly #report: (report: Report) => void
  readonly #scanInterval: number
  readonly #isExcluded: (name: string) => boolean
  readonly #table = new OwnedAddresses()
  readonly #announcer = new Announcer()
  readonly #ports = new Map<string, Port>()
  readonly #standing = new Map<string, WantedResponder>()
  /** Responder key → what it failed with: logged once for each error code, not at each look. */
  readonly #failures = new Map<string, Error & { readonly code?: unknown }>()
  #known = ''
  #rounds: Round[] = []
  #monitor: Closable | undefined
  #scanAt: Instant = Infinity
  #cancelScan = (): void => {}
  #cancelTick = (): void => {}
  #cancelRounds: (() => void) | undefined

  /** @param report called with what the main thread should know */
  constructor(platform: Platform, options: WorkerOptions, report: (report: Report) => void) {
    this.#platform = platform
    this.#report = report
    this.#scanInterval = options.scanInterval
    this.#isExcluded = excludes(options.excludeInterfaces)
  }

  /**
   * Looks at the interfaces once and goes on doing so.
   * @throws {SocketError} links cannot be listed, or no responder at all can be opened for want of a privilege
   */
  start(): void {
    this.#scan()
    const refused = [...this.#failures.values()].find(({ code }) => code === 'EPERM')
    if (refused !== undefined && this.#ports.size === 0) throw refused
    this.#monitor = this.#platform.watchLinks(
      () => this.#scanWithin(SETTLE),
      error => this.#log('warn', { error: error.message }, 'watching links has failed; polling goes on'),
    )
    this.#report({ type: 'ready' })
  }

  /** Applies a change of the addresses to answer for; each new or changed one gets a burst. */
  change(set: readonly AddressChange[], remove: readonly string[]): void {
    const now = this.#platform.now()
    const changed: OwnedAddress[] = []
    const actions: AnnouncerAction[] = []
    for (const text of remove) {
      const owned = this.#table.delete(text)
      if (owned !== undefined) changed.push(owned)
      this.#announcer.handle({ type: 'withdraw', address: text }, now)
    }
    for (const { text, octets, interfaces } of set) changed.push(this.#table.set(text, octets, interfaces))
    for (const port of this.#ports.values()) port.adopt(changed)
    for (const { text } of set) actions.push(...this.#announcer.handle({ type: 'announce', address: text }, now))
    this.#perform(actions)
  }

  /** Starts a burst for an owned address, or makes the running one longer. */
  announce(address: string): void {
    if (this.#table.get(address) === undefined) return
    this.#perform(this.#announcer.handle({ type: 'announce', address }, this.#platform.now()))
  }

  /** Current counts. */
  answer(question: keyof Answers): Answers[keyof Answers] {
    if (question === 'counters') return this.#table.counters
    return Array.from(this.#ports.values(), port => port.statistics())
  }

  /** Closes every socket and timer. */
  close(): void {
    this.#monitor?.close()
    this.#cancelScan()
    this.#cancelTick()
    this.#cancelRounds?.()
    for (const port of this.#ports.values()) port.close()
    this.#ports.clear()
  }

  // Interfaces

  /** Makes the next look happen no later than so; events that keep coming do not put it off. */
  #scanWithin(milliseconds: number): void {
    const at = this.#platform.now() + milliseconds
    if (at >= this.#scanAt) return
    this.#cancelScan()
    this.#scanAt = at
    this.#cancelScan = this.#platform.after(milliseconds, () => {
      try {
        this.#scan()
      } catch (error) {
        this.#log('warn', { error: plainError(error).message }, 'looking at the interfaces has failed')
      }
    })
  }

  /** One look at all interfaces. @throws {SocketError} links cannot be listed */
  #scan(): void {
    this.#scanAt = Infinity
    this.#scanWithin(this.#scanInterval)
    const { known, wanted } = scan(this.#platform.links(), this.#isExcluded)
    this.#reportKnown(known)
    this.#reconcile(wanted)
  }

  #reportKnown(names: readonly string[]): void {
    const known = names.join(' ')
    if (known === this.#known) return
    this.#known = known
    this.#report({ type: 'interfaces', names })
  }

  #reconcile(wanted: readonly WantedResponder[]): void {
    const { close, open, recovered, keep } = compareScan(this.#standing, wanted)
    for (const key of close) this.#closePort(key)
    for (const responder of keep) this.#standing.set(responder.key, responder)
    for (const responder of open) this.#openPort(responder)
    for (const key of recovered) this.#reannounce(this.#ports.get(key))
    for (const key of this.#failures.keys()) {
      if (!wanted.some(responder => responder.key === key)) this.#failures.delete(key)
    }
  }

  #closePort(key: string): void {
    this.#ports.get(key)?.close()
    this.#ports.delete(key)
    this.#reportResponder('delete', this.#standing.get(key))
    this.#standing.delete(key)
  }

  #openPort(wanted: WantedResponder): void {
    const { key } = wanted
    try {
      const port = new Port(this.#platform, wanted, this.#table, error => this.#portFailed(wanted, error))
      this.#ports.set(key, port)
      this.#standing.set(key, wanted)
      this.#failures.delete(key)
      port.adopt(this.#table)
      this.#reportResponder('create', wanted)
      this.#reannounce(port)
    } catch (error) {
      this.#logOnce(wanted, error, 'a responder could not be created; it is tried again')
    }
  }

  /** The port stays. A link that was down, if only for a moment, is announced on again when a look finds it running. */
  #portFailed(wanted: WantedResponder, error: unknown): void {
    const standing = this.#standing.get(wanted.key)
    if (plainError(error).code !== 'ENETDOWN') this.#logOnce(wanted, error, 'a responder has met an error')
    else if (standing !== undefined) this.#standing.set(wanted.key, { ...standing, running: false })
  }

  #reportResponder(action: 'create' | 'delete', wanted: WantedResponder | undefined): void {
    if (wanted === undefined) return
    const { protocol, interface: name } = wanted.identity
    this.#report({ type: 'responder', change: { action, protocol, interface: name } })
  }

  // Announcing

  /** Tells the neighbours behind one port of every address at once, and again with the bursts that follow. */
  #reannounce(port: Port | undefined): void {
    if (port === undefined) return
    const now = this.#platform.now()
    for (const { text } of this.#table) {
      this.#rounds.push({ address: text, port })
      this.#announcer.handle({ type: 'extend', address: text }, now)
    }
    this.#perform([])
  }

  #perform(actions: readonly AnnouncerAction[]): void {
    for (const { address } of actions) this.#rounds.push({ address, port: undefined })
    if (this.#cancelRounds === undefined) this.#sendRounds()
    this.#rearm()
  }

  #sendRounds(): void {
    this.#cancelRounds = undefined
    for (const { address, port } of this.#rounds.splice(0, ROUNDS_PER_TURN)) {
      const owned = this.#table.get(address)
      if (owned === undefined) continue // withdrawn meanwhile
      for (const each of port === undefined ? this.#ports.values() : [port]) each.announce(owned)
    }
    for (const port of this.#ports.values()) port.flush()
    if (this.#rounds.length > 0) this.#cancelRounds = this.#platform.after(0, () => this.#sendRounds())
  }

  #rearm(): void {
    this.#cancelTick()
    const due = this.#announcer.nextTimeout
    if (due === undefined) return
    const wait = Math.max(0, due - this.#platform.now())
    this.#cancelTick = this.#platform.after(wait, () =>
      this.#perform(this.#announcer.handleTimeout(this.#platform.now())),
    )
  }

  // Log

  #logOnce(wanted: WantedResponder, cause: unknown, message: string): void {
    const error: Error & { readonly code?: unknown } = cause instanceof Error ? cause : new Error(String(cause))
    const known = this.#failures.get(wanted.key)
    this.#failures.set(wanted.key, error)
    if (known !== undefined && known.code === error.code) return
    const { protocol, interface: name } = wanted.identity
    this.#log('warn', { protocol, interface: name, error: error.message }, message)
  }

  #log(level: 'warn', fields: object, message: string): void {
    this.#report({ type: 'log', level, fields, message })
  }
}
