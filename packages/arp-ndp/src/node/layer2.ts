import { EventEmitter } from 'node:events'
import { Worker } from 'node:worker_threads'
import { parseAddress, parseHostAddress, type ParsedAddress } from '../address.js'
import { ClosedError } from '../errors.js'
import type { AddressCounters, InterfaceSelection } from '../responder/owned-addresses.js'
import { excludes } from '../responder/scan.js'
import { silentLogger, type Logger } from './logger.js'
import { revivedError, type AddressChange, type Answers, type Report, type Request } from './messages.js'
import type { ResponderChange, WorkerOptions } from './messages.js'
import type { PortStatistics } from './port.js'

/** How a {@link Layer2} is started. */
export interface Layer2Options {
  /** Regular expressions; an interface whose name matches one is left alone. They are not anchored. @default none */
  readonly excludeInterfaces?: readonly string[]
  /** Milliseconds between two looks at all interfaces, beside those that link events cause. @default 10_000 */
  readonly scanInterval?: number
  /** @default silent */
  readonly log?: Logger
  /** When aborted, the same as disposing. */
  readonly signal?: AbortSignal
}

/** An address to answer for. */
export interface WantedAddress {
  /** IPv4 or IPv6, in any spelling. */
  readonly address: string
  /** On all interfaces that are not excluded, or on those of exactly these names. */
  readonly interfaces: InterfaceSelection
}

/** Events of a {@link Layer2}. */
export interface Layer2Events {
  /** The names of all interfaces that are not excluded, whenever they have changed. */
  interfaces: [names: readonly string[]]
  /** A responder came or went. */
  responder: [change: ResponderChange]
  /** The worker has died: nothing is answered any more, and this handle is closed. */
  error: [error: Error]
}

const SCAN_INTERVAL = 10_000
/** Milliseconds that a worker may take to close its sockets before it is terminated. */
const PATIENCE = 2000

/** Reports that concern a running worker. */
type Told = Exclude<Report, { type: 'ready' | 'failed' }>

interface Question {
  resolve(value: Answers[keyof Answers]): void
  reject(error: Error): void
}

/**
 * Answers ARP and NDP for a set of addresses from a worker thread of its own, however busy this thread is, and tells the
 * neighbours when the set changes. Needs CAP_NET_RAW.
 */
export class Layer2 extends EventEmitter<Layer2Events> implements AsyncDisposable {
  readonly #worker: Worker
  readonly #log: Logger
  readonly #exited: Promise<unknown>
  readonly #questions = new Map<number, Question>()
  /** Canonical text → interfaces, as a sorted text to compare. */
  readonly #current = new Map<string, string>()
  #parsed = new Map<string, ParsedAddress>()
  #interfaces: readonly string[] = []
  #nextQuestion = 1
  #ready: { resolve(): void; reject(error: Error): void } | undefined
  /** What came before the caller could listen. */
  #held: Told[] | undefined = []
  #closing = false
  #closed = false

  private constructor(worker: Worker, log: Logger) {
    super()
    this.#worker = worker
    this.#log = log
    this.#exited = new Promise(resolve => worker.once('exit', resolve))
    worker.on('message', (report: Report) => this.#receive(report))
    worker.on('error', error => this.#fail(error instanceof Error ? error : new Error(String(error))))
    worker.on('exit', code => this.#fail(new ClosedError(`the layer-2 worker has ended with code ${code}`)))
  }

  /**
   * Starts the worker and waits until it has looked at the interfaces once.
   * @throws {SyntaxError} a pattern that is no regular expression
   * @throws {Error} with `code` `EPERM` without CAP_NET_RAW, `ENOSYS` when the system is not Linux
   */
  static async start(options: Layer2Options = {}): Promise<Layer2> {
    const { excludeInterfaces = [], scanInterval = SCAN_INTERVAL, log = silentLogger, signal } = options
    signal?.throwIfAborted()
    excludes(excludeInterfaces) // a bad pattern is the caller's error, here and now
    if (!(scanInterval > 0)) throw new RangeError(`scanInterval ${scanInterval} is not above 0`)
    const workerData: WorkerOptions = { excludeInterfaces, scanInterval }
    const worker = new Worker(new URL('./layer2-worker.js', import.meta.url), { name: 'typemetal-layer2', workerData })
    const layer2 = new Layer2(worker, log)
    await new Promise<void>((resolve, reject) => {
      layer2.#ready = { resolve, reject }
    })
    await layer2.#obey(signal)
    return layer2
  }

  /**
   * Replaces the set of addresses to answer for. An entry that is new or has changed its interfaces gets the gratuitous
   * burst; one that is gone is no longer answered. Interfaces of entries for the same address are united.
   * @throws {TypeError} something that is not an address; nothing has changed then
   * @throws {RangeError} an unspecified or multicast address; nothing has changed then
   */
  setAddresses(wanted: readonly WantedAddress[]): void {
    const next = this.#unite(wanted)
    const set: AddressChange[] = []
    for (const [text, change] of next) {
      const key = interfacesKey(change.interfaces)
      if (this.#current.get(text) === key) continue
      this.#current.set(text, key)
      set.push(change)
    }
    const remove = [...this.#current.keys()].filter(text => !next.has(text))
    for (const text of remove) this.#current.delete(text)
    if (set.length > 0 || remove.length > 0) this.#send({ type: 'change', set, remove })
  }

  /**
   * Starts the gratuitous burst for an address again, or makes the one that runs longer; nothing for one that is not set.
   * @throws {TypeError} not an address
   */
  announce(address: string): void {
    const { text } = parseAddress(address)
    if (this.#current.has(text)) this.#send({ type: 'announce', address: text })
  }

  /** Names of all interfaces that are not excluded, also of those that are down or belong to a bond or bridge. */
  interfaces(): readonly string[] {
    return this.#interfaces
  }

  /**
   * Counts by address, of every address that was ever set.
   * @throws {ClosedError} closed before it could answer
   */
  counters(): Promise<ReadonlyMap<string, AddressCounters>> {
    return this.#ask('counters')
  }

  /**
   * Counts of each responder: frames received, lost, dropped and why.
   * @throws {ClosedError} closed before it could answer
   */
  statistics(): Promise<readonly PortStatistics[]> {
    return this.#ask('statistics')
  }

  /** Stops answering and waits until every socket is closed. Sends nothing. Safe to call twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closing) {
      this.#closing = true
      this.#rejectAll(new ClosedError('layer 2 is closed'))
      this.#post({ type: 'close' })
    }
    const timer = setTimeout(() => void this.#worker.terminate(), PATIENCE)
    await this.#exited
    clearTimeout(timer)
  }

  /** @throws the signal's reason, when it was aborted while the worker started */
  async #obey(signal: AbortSignal | undefined): Promise<void> {
    if (signal === undefined) return
    const onAbort = (): void => void this[Symbol.asyncDispose]()
    signal.addEventListener('abort', onAbort)
    this.#worker.once('exit', () => signal.removeEventListener('abort', onAbort))
    if (!signal.aborted) return
    await this[Symbol.asyncDispose]()
    signal.throwIfAborted()
  }

  #unite(wanted: readonly WantedAddress[]): ReadonlyMap<string, AddressChange> {
    const parsed = new Map<string, ParsedAddress>()
    const next = new Map<string, AddressChange>()
    for (const { address, interfaces } of wanted) {
      // Parsing is dear, and between two calls hardly an address changes.
      const { text, octets } = this.#parsed.get(address) ?? parseHostAddress(address)
      parsed.set(address, { text, octets })
      next.set(text, { text, octets, interfaces: united(next.get(text)?.interfaces ?? [], interfaces) })
    }
    this.#parsed = parsed
    return next
  }

  #send(request: Request): void {
    if (!this.#closing) this.#post(request)
  }

  #post(request: Request): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(request)
  }

  #ask<Q extends keyof Answers>(question: Q): Promise<Answers[Q]> {
    if (this.#closing) return Promise.reject(new ClosedError('layer 2 is closed'))
    const id = this.#nextQuestion++
    this.#send({ type: 'ask', id, question })
    return new Promise((resolve, reject) => {
      this.#questions.set(id, { resolve: value => resolve(value as Answers[Q]), reject })
    })
  }

  #receive(report: Report): void {
    if (report.type === 'interfaces') this.#interfaces = report.names
    if (report.type === 'ready') this.#becomeReady()
    else if (report.type === 'failed') this.#fail(revivedError(report.error))
    else if (this.#held !== undefined) this.#held.push(report)
    else this.#deliver(report)
  }

  /** What the first look has found is told when the caller of {@link start} has had the time to listen. */
  #becomeReady(): void {
    this.#ready?.resolve()
    this.#ready = undefined
    setImmediate(() => {
      const held = this.#held ?? []
      this.#held = undefined
      for (const report of held) this.#deliver(report)
    })
  }

  #deliver(report: Told): void {
    switch (report.type) {
      case 'interfaces':
        this.emit('interfaces', report.names)
        break
      case 'responder':
        this.emit('responder', report.change)
        break
      case 'answer':
        this.#questions.get(report.id)?.resolve(report.value)
        this.#questions.delete(report.id)
        break
      case 'log':
        this.#log[report.level](report.fields, report.message)
        break
      default:
        report satisfies never
    }
  }

  /** The worker has ended, or will at once. Told once, and not when we have asked for it. */
  #fail(error: Error): void {
    if (this.#closed) return
    this.#closed = true
    const asked = this.#closing
    this.#closing = true
    this.#rejectAll(new ClosedError(error.message, { cause: error }))
    const starting = this.#ready
    this.#ready = undefined
    if (asked) return
    if (starting !== undefined) starting.reject(error)
    else this.emit('error', error)
  }

  #rejectAll(error: ClosedError): void {
    for (const question of this.#questions.values()) question.reject(error)
    this.#questions.clear()
  }
}

const interfacesKey = (interfaces: InterfaceSelection): string =>
  interfaces === 'all' ? 'all' : `some ${interfaces.toSorted().join(' ')}`

function united(a: InterfaceSelection, b: InterfaceSelection): InterfaceSelection {
  return a === 'all' || b === 'all' ? 'all' : [...new Set([...a, ...b])]
}
