import { EventEmitter } from 'node:events'
import { Worker } from 'node:worker_threads'
import { checkOptions, listOf, shown, text as string, type Kinds } from '@typemetal/options'
import { parseHostAddress } from '../address.js'
import { ClosedError } from '../errors.js'
import { isInterfaceName, parseAnswerable } from '../responder/answerable.js'
import type { AddressCounters } from '../responder/owned-addresses.js'
import { isStationMac, parseMac } from '../wire/mac.js'
import { workerOptions, type Layer2Options } from './layer2-options.js'
import { silentLogger, type Logger } from './logger.js'
import { revivedError, type Answers, type Report, type Request, type ResponderChange } from './messages.js'
import type { AddressConflict } from './messages.js'
import { pack } from './packed-change.js'
import type { PortStatistics } from './port.js'
import { WantedSet, type WantedAddress } from './wanted-set.js'

/** A neighbour to tell where an address is: {@link Layer2.refreshNeighbor}. */
export interface NeighborRefresh {
  /** Which address, one that is set. */
  readonly address: string
  /** Name of the interface the neighbour is behind. */
  readonly interface: string
  /** The neighbour's, `02:00:00:00:00:01`. */
  readonly mac: string
  /** The neighbour's own address, of the same family as `address`. */
  readonly ip: string
}

const NEIGHBOR_KINDS: Kinds<NeighborRefresh> = { address: string, interface: string, mac: string, ip: string }
const addressList = listOf(string)

/** Events of a {@link Layer2}. */
export interface Layer2Events {
  /** The names of all interfaces that are not excluded, whenever they have changed. */
  interfaces: [names: readonly string[]]
  /** A responder came or went. */
  responder: [change: ResponderChange]
  /** An address is set for interfaces none of which this host has, so nobody hears of it. Told once, until it is `matched`. */
  unmatched: [entry: { readonly address: string; readonly interfaces: readonly string[] }]
  /** An address that was `unmatched` has an interface now. */
  matched: [entry: { readonly address: string }]
  /**
   * Another host uses an address that we answer for: at first sight, and then at most once a second for each MAC address.
   * It comes also when another node takes an address over before we are told to give it up.
   */
  conflict: [conflict: AddressConflict]
  /** The other host was not seen for a minute, or the address is no longer set, or the interface is gone. */
  'conflict-over': [conflict: AddressConflict]
  /**
   * The worker has died: nothing is answered any more, and this handle is closed. It is not started again by itself, because
   * what has killed it may do so at once again; start another one and give it the addresses, which announces them anew.
   * As with every emitter, an `error` that nobody listens to ends the process, so that its supervisor restarts it.
   */
  error: [error: Error]
}

/** A small young generation is collected in a fraction of a millisecond; nothing on the path of requests allocates. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256 }
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
 *
 * @example
 * ```ts
 * import { DEFAULT_EXCLUDED_INTERFACES, Layer2 } from '@typemetal/arp-ndp'
 *
 * await using layer2 = await Layer2.start({ excludeInterfaces: DEFAULT_EXCLUDED_INTERFACES })
 * layer2.on('conflict', ({ address, interface: on, mac }) => console.log(`${mac} on ${on} has ${address} too`))
 * layer2.setAddresses([
 *   { address: '192.0.2.200', interfaces: 'all' },
 *   { address: '2001:db8::200', interfaces: ['eth0'] },
 * ])
 * for (const [address, { requestsReceived }] of await layer2.counters()) console.log(address, requestsReceived)
 * ```
 */
export class Layer2 extends EventEmitter<Layer2Events> implements AsyncDisposable {
  readonly #worker: Worker
  readonly #log: Logger
  readonly #exited: Promise<unknown>
  readonly #questions = new Map<number, Question>()
  readonly #wanted = new WantedSet()
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
   * @throws {TypeError | RangeError} another option that is not allowed, or an unknown one; the message begins with its name
   * @throws {Error} with `code` `EPERM` without CAP_NET_RAW, `ENOSYS` when the system is not Linux
   */
  static async start(options: Layer2Options = {}): Promise<Layer2> {
    const workerData = workerOptions(options)
    const { log = silentLogger, signal } = options
    signal?.throwIfAborted()
    const worker = new Worker(new URL('./layer2-worker.js', import.meta.url), {
      name: 'typemetal-layer2',
      workerData,
      resourceLimits: RESOURCE_LIMITS,
    })
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
   * @throws {TypeError} an entry without the fields it must have; nothing has changed then
   * @throws {RangeError} no address that can be answered for, or no interface name; nothing has changed then
   */
  setAddresses(wanted: readonly WantedAddress[]): void {
    const { set, remove } = this.#wanted.replace(wanted)
    if (set.length > 0 || remove.length > 0) this.#send({ type: 'change', set: pack(set), remove })
  }

  /**
   * The same by what is different: costs work for these addresses, not for all. An address in both is set. Each address has one
   * entry here, the last when it is given twice, whose interfaces replace those that all entries of {@link setAddresses} gave it.
   * @param set new ones, or ones with other interfaces
   * @param remove addresses in any spelling; those that are not set are passed over
   * @throws {TypeError} as {@link setAddresses}; nothing has changed then
   * @throws {RangeError} as {@link setAddresses}; nothing has changed then
   */
  changeAddresses(set: readonly WantedAddress[], remove: readonly string[] = []): void {
    const change = this.#wanted.change(set, remove)
    if (change.set.length > 0 || change.remove.length > 0)
      this.#send({ type: 'change', set: pack(change.set), remove: change.remove })
  }

  /**
   * Starts the gratuitous burst for an address again, or makes the one that runs longer; nothing for one that is not set.
   * @throws {RangeError} not an address that can be answered for
   */
  announce(address: string): void {
    const { text } = parseAnswerable(address)
    if (this.#wanted.has(text)) this.#send({ type: 'announce', address: text })
  }

  /**
   * Announces an address once, as RFC 5227 §2.4 (b) and (c) defend one. How often is for the caller to decide: at most once in
   * DEFEND_INTERVAL, 10 s, against a host that will not give way. Nothing for an address that is not set.
   * @throws {RangeError} not an address that can be answered for
   */
  defend(address: string): void {
    const { text } = parseAnswerable(address)
    if (this.#wanted.has(text)) this.#send({ type: 'defend', address: text })
  }

  /**
   * Ends the bursts of these addresses and leaves them out when all are refreshed, until they are set anew or {@link announce}d: for
   * addresses that another host is about to take over, and that are answered until it has. Those that are not set are passed over.
   * @throws {RangeError} not an address that can be answered for
   */
  hush(addresses: readonly string[]): void {
    addressList('addresses', addresses)
    const texts = addresses.map(address => parseAnswerable(address).text).filter(text => this.#wanted.has(text))
    if (texts.length > 0) this.#send({ type: 'hush', addresses: texts })
  }

  /**
   * Tells one neighbour alone where an address is: an ARP reply or an unsolicited advertisement to its MAC address. For a
   * router that ignores broadcasts or forgets; call it as often as that one needs. Nothing happens for an address that is
   * not set, or not for that interface.
   * @throws {TypeError | RangeError} a field that is not what it must be; the message begins with its name
   */
  refreshNeighbor(neighbor: NeighborRefresh): void {
    checkOptions(neighbor, NEIGHBOR_KINDS, {}, 'neighbor')
    const { text, octets } = parseAnswerable(neighbor.address)
    const ip = parseNeighborAddress(neighbor.ip)
    if (ip.length !== octets.length) throw new RangeError(`ip must be of the family of ${text}, not ${neighbor.ip}`)
    if (!isInterfaceName(neighbor.interface))
      throw new RangeError(`interface must be the name of an interface, not '${neighbor.interface}'`)
    const mac = parseNeighborMac(neighbor.mac)
    if (!this.#wanted.has(text)) return
    this.#send({ type: 'refresh', address: text, interface: neighbor.interface, neighbor: { mac, ip } })
  }

  /** Names of all interfaces that are not excluded, also of those that are down or belong to a bond or bridge. */
  interfaces(): readonly string[] {
    return this.#interfaces
  }

  /**
   * Counts by address: of those that are set, and of many that once were.
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

  /**
   * Who else uses addresses of ours now.
   * @throws {ClosedError} closed before it could answer
   */
  conflicts(): Promise<readonly AddressConflict[]> {
    return this.#ask('conflicts')
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
      case 'unmatched':
        this.emit('unmatched', { address: report.address, interfaces: report.interfaces })
        break
      case 'matched':
        this.emit('matched', { address: report.address })
        break
      case 'conflict':
      case 'conflict-over':
        for (const conflict of report.conflicts) this.emit(report.type, conflict)
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

/** @throws {RangeError} not the address of one host */
function parseNeighborAddress(ip: string): Uint8Array {
  try {
    return parseHostAddress(ip).octets
  } catch (cause) {
    throw new RangeError(`ip must be the address of a neighbour, not ${shown(ip)}`, { cause })
  }
}

/** @throws {RangeError} not the MAC address of one host */
function parseNeighborMac(text: string): Uint8Array {
  const mac = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text) ? parseMac(text) : undefined
  if (mac === undefined || !isStationMac(mac))
    throw new RangeError(`mac must be that of a neighbour, such as '02:00:00:00:00:01', not ${shown(text)}`)
  return mac
}
