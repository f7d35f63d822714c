import { EventEmitter } from 'node:events'
import { listOf, octets, optional, text } from '@typemetal/options'
import { ExchangeError, JoinError, StateError } from '../errors.js'
import {
  type Endpoint,
  type Member,
  type Milliseconds,
  type NodeStatus,
  parseAddress,
  Swim,
  type SwimAction,
  tuningOf,
} from '../swim/index.js'
import { type AllowList, allowList } from './allow-list.js'
import { systemClock } from './clock.js'
import type { Counters } from './counters.js'
import { Driver } from './driver.js'
import { Keyring } from './keyring.js'
import { Journal } from './journal.js'
import { silent } from './logger.js'
import { checkMemberlistOptions, DEFAULT_PORT, endpoint, type MemberlistOptions, swimPart, wait } from './options.js'
import { findOwnAddress, isPublic, parseJoinAddress, resolveJoinAddress } from './resolve.js'
import { Security } from './security.js'
import { openTransport, type Transport } from './transport.js'

/** Events of {@link Memberlist} and what their listeners get. */
export interface MemberlistEvents {
  /** A node became a member; the first is ourselves. */
  join: [member: Member]
  /** A member died or left. */
  leave: [member: Member]
  /** A member did not answer somebody; it stays a member until it is certain. That it answers after all is no event. */
  suspect: [member: Member]
  /** A member that this node watches did not answer a ping; it may only be late. Again with each ping that it misses. */
  silence: [member: Member]
  /** A member changed its meta. */
  update: [member: Member]
  /** Another node claims a name that a living node has; the one known stays. */
  conflict: [existing: Member, other: Member]
  /** A user message from any node. */
  message: [payload: Uint8Array]
  /** User state of a peer, from a push/pull. */
  remoteState: [state: Uint8Array, join: boolean]
  /** A probe was answered: round-trip time and what the ack carried. */
  probed: [member: Member, rtt: Milliseconds, payload: Uint8Array | undefined]
}

/** Joins that run at the same time; the reference makes one after the other. */
const PARALLEL_JOINS = 8

/** Who waits for the end of a request. */
interface Pending {
  readonly resolve: (action: SwimAction) => void
  readonly reject: (error: Error) => void
}

/**
 * A node in a ring of memberlist nodes: ours, HashiCorp's, MetalLB's speakers. {@link start} opens the sockets,
 * {@link join} finds the others, {@link leave} says goodbye, and {@link close} or the end of an `await using` block
 * closes without a word, as a crash would.
 *
 * @example
 * ```ts
 * // Two nodes on loopback; with `secretKeys` the ring is encrypted.
 * import { once } from 'node:events'
 * import { Memberlist } from '@typemetal/memberlist'
 *
 * const options = { bindAddress: '127.0.0.1', bindPort: 0, secretKeys: [new Uint8Array(32).fill(7)] }
 * await using a = new Memberlist({ ...options, name: 'a' })
 * await using b = new Memberlist({ ...options, name: 'b', meta: new TextEncoder().encode('rack 7') })
 * await a.start()
 * await b.start()
 * await b.join([`127.0.0.1:${a.port}`])
 * console.log(a.members().map(member => member.name).sort()) // [ 'a', 'b' ]
 *
 * const gone = once(a, 'leave')
 * await b.leave()
 * console.log((await gone)[0].state) // left
 * ```
 */
export class Memberlist extends EventEmitter<MemberlistEvents> implements AsyncDisposable {
  /** The keys of the ring, which may change while it runs. */
  readonly keyring: Keyring
  readonly #options: MemberlistOptions
  readonly #driver: Driver
  readonly #journal: Journal
  readonly #isAllowed: AllowList | undefined
  readonly #security: Security
  /** Ends of requests that the node answers later. */
  readonly #pending = new Map<number, Pending>()
  readonly #abort = (): void => void this.close()
  #request = 0
  #state: 'new' | 'starting' | 'running' | 'closed' = 'new'
  #swim: Swim | undefined
  #port = 0
  #closing: Promise<void> | undefined
  #leaving: Promise<SwimAction> | undefined
  #onLeft: Pending | undefined

  /** @throws {TypeError | RangeError} on options that make no sense, or that there are none of; the message begins with the name */
  constructor(options: MemberlistOptions) {
    super()
    checkMemberlistOptions(options)
    this.#options = options
    this.keyring = new Keyring(options.secretKeys)
    this.#isAllowed = allowList(options.allowedCidrs)
    this.#security = new Security({
      keyring: this.keyring,
      label: options.label ?? '',
      skipInboundLabelCheck: options.skipInboundLabelCheck ?? false,
      verifyIncoming: options.gossipVerifyIncoming ?? true,
      verifyOutgoing: options.gossipVerifyOutgoing ?? true,
      protocolVersion: options.protocolVersion ?? 2,
      compressStreams: tuningOf(options).enableCompression,
    })
    const clock = options.clock ?? systemClock
    this.#journal = new Journal(options.log ?? silent, clock)
    this.#driver = new Driver({
      security: this.#security,
      clock,
      journal: this.#journal,
      isAllowed: this.#isAllowed,
      onAction: action => this.#onAction(action),
    })
    this.#createSwim(options.bindPort || DEFAULT_PORT) // throws now rather than in start
    options.signal?.addEventListener('abort', this.#abort, { once: true })
  }

  /** UDP and TCP port; 0 before the start. */
  get port(): number {
    return this.#port
  }

  /** What this node has done and seen. */
  get counters(): Readonly<Counters> {
    return this.#journal.counters
  }

  /** How much this node doubts its own health: 0 is not at all. */
  get healthScore(): number {
    return this.#swim?.healthScore ?? 0
  }

  /** Messages still to be gossiped, about nodes and of the program above. */
  get queuedBroadcasts(): number {
    return this.#swim ? this.#swim.queuedBroadcasts + this.#swim.queuedUserBroadcasts : 0
  }

  /** Messages about nodes that came in datagrams, by type, whatever was made of them. */
  get messages(): Readonly<Record<'alive' | 'suspect' | 'dead', number>> {
    return this.#swim?.messages ?? { alive: 0, suspect: 0, dead: 0 }
  }

  /** How many nodes are held for what, the dead that are not yet forgotten included. */
  states(): Readonly<Record<NodeStatus, number>> {
    return this.#swim?.states() ?? { alive: 0, suspect: 0, dead: 0, left: 0 }
  }

  /**
   * Opens the sockets and becomes the first member of a ring of one.
   *
   * @throws {StateError} when called twice or closed; the signal's reason when it is aborted; the system's error when
   *   the address or port cannot be had, after which it may be tried again
   */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw new StateError(`cannot start: ${this.#state}`)
    this.#options.signal?.throwIfAborted()
    this.#state = 'starting'
    const transport = await this.#open()
    if (this.#closing) {
      await transport.close()
      this.#options.signal?.throwIfAborted()
      throw new StateError('closed while starting')
    }
    this.#state = 'running'
    this.#port = transport.port
    this.#swim = this.#createSwim(transport.port)
    this.#driver.start(this.#swim, transport)
    const { address } = this.localMember()
    if (this.keyring.primary === undefined && isPublic(address))
      this.#journal.say('warn', { address }, 'bound to a public address without encryption: anybody can join')
  }

  /**
   * Exchanges states with nodes of a ring, so that either side learns all the other knows.
   *
   * @param addresses `[name/]host[:port]` each; a name that resolves to several addresses joins them all
   * @returns how many nodes were reached
   * @throws {JoinError} when addresses were given and none was reached
   * @throws {StateError} when not running
   * @throws {TypeError} when the addresses are no array of strings
   */
  async join(addresses: readonly string[]): Promise<number> {
    this.#running()
    listOf(text)('addresses', addresses)
    const errors: Error[] = []
    const endpoints = await this.#resolveAll(addresses, errors)
    let reached = 0
    const next = async (): Promise<void> => {
      for (let to = endpoints.shift(); to !== undefined; to = endpoints.shift()) {
        const error = await this.#joinOne(to)
        if (error === undefined) reached++
        else errors.push(new ExchangeError(`${to.address}:${to.port}: ${error}`))
      }
    }
    await Promise.all(Array.from({ length: Math.min(PARALLEL_JOINS, endpoints.length) }, next))
    if (reached > 0 && errors.length > 0)
      this.#journal.say('info', { reached, missed: errors.map(({ message }) => message) }, 'joined in part')
    if (reached === 0 && errors.length > 0) throw new JoinError(`no node reached: ${errors[0]!.message}`, errors)
    return reached
  }

  /**
   * Tells the ring that we go, and waits until that has been gossiped. The node keeps answering until {@link close}, or until
   * {@link rejoin} it has left only for a while. Called again, it waits on.
   *
   * @param timeout rejects with {@link ExchangeError} after this time, milliseconds; 0 waits as long as it takes
   * @throws {StateError} when not running, or closed meanwhile
   */
  async leave(timeout: Milliseconds = 5000): Promise<void> {
    this.#running()
    wait('timeout', timeout)
    this.#leaving ??= new Promise((resolve, reject) => {
      this.#onLeft = { resolve, reject }
      this.#driver.handle({ type: 'leave' })
    })
    await within(this.#leaving, timeout, 'timeout waiting for leave broadcast')
  }

  /**
   * Takes our place in the ring again after {@link leave}, under the same name and on the same sockets, and exchanges states with
   * those that are known, so that none of them misses it. Nothing happens when we have not left.
   *
   * @returns when everybody known has been told or could not be reached
   * @throws {StateError} when not running
   */
  async rejoin(): Promise<void> {
    this.#running()
    if (this.#leaving === undefined) return
    this.#leaving = undefined
    this.#driver.handle({ type: 'rejoin' })
    const { name } = this.#options
    const others = this.members().filter(member => member.name !== name)
    const next = async (): Promise<void> => {
      for (let to = others.shift(); to !== undefined; to = others.shift()) await this.#joinOne(to)
    }
    await Promise.all(Array.from({ length: PARALLEL_JOINS }, next))
  }

  /**
   * Accuses a member of not answering, for whoever calls this knows more than gossip: as after a failed probe, it has the time of a
   * suspicion to contradict. Nothing happens to one that is not held for alive, to this node, or after {@link leave}.
   *
   * @throws {StateError} when not running
   */
  accuse(name: string): void {
    this.#running()
    text('name', name)
    this.#driver.handle({ type: 'accuse', node: name })
  }

  /**
   * Tells the ring our new meta, and resolves when it has been gossiped, at once when nobody else is there.
   *
   * @param timeout rejects with {@link ExchangeError} after this time, milliseconds; 0 waits as long as it takes
   * @throws {RangeError} above 512 octets
   * @throws {StateError} when not running, or closed meanwhile
   */
  async updateMeta(meta: Uint8Array | undefined, timeout: Milliseconds = 10_000): Promise<void> {
    this.#running()
    wait('timeout', timeout)
    const updated = this.#ask(request => this.#driver.handle({ type: 'update', request, meta }))
    await within(updated, timeout, 'timeout waiting for update broadcast')
  }

  /**
   * Gossips a message: we tell some nodes, a few times over. Whoever hears it by its `message` event and wants the
   * whole ring to hear passes it on the same way, and knows what it has passed on already. A newer message of the same
   * name takes the place of an older one that is still being told.
   *
   * @throws {TypeError} when the payload is no Uint8Array, or the name no string
   * @throws {RangeError} when the payload does not fit a datagram
   * @throws {StateError} when not running
   */
  broadcast(payload: Uint8Array, name?: string): void {
    this.#running()
    octets('payload', payload)
    optional(text)('name', name)
    this.#driver.handle({ type: 'broadcast', payload, name })
  }

  /** Sends a message to one node in a datagram, which may be lost. @throws {TypeError | RangeError} what is no endpoint, or no octets */
  sendBestEffort(to: Endpoint, payload: Uint8Array): void {
    this.#running()
    endpoint('to', to)
    octets('payload', payload)
    this.#driver.handle({ type: 'send', request: 0, to, payload, reliable: false })
  }

  /** Sends a message to one node on a stream. @throws {ExchangeError} when it could not be delivered */
  async sendReliable(to: Endpoint, payload: Uint8Array): Promise<void> {
    this.#running()
    endpoint('to', to)
    octets('payload', payload)
    const action = await this.#ask(request =>
      this.#driver.handle({ type: 'send', request, to, payload, reliable: true }),
    )
    if (action.type === 'sent' && action.error !== undefined) throw new ExchangeError(action.error)
  }

  /** Round-trip time to a node. @throws {ExchangeError} when it does not answer within the probe timeout */
  async ping(node: string, to: Endpoint): Promise<Milliseconds> {
    this.#running()
    text('node', node)
    endpoint('to', to)
    const action = await this.#ask(request => this.#driver.handle({ type: 'ping', request, node, to }))
    if (action.type !== 'pong' || action.rtt === undefined) throw new ExchangeError(`no response from node ${node}`)
    return action.rtt
  }

  /** The living and the suspected, ourselves included; snapshots, in no order. */
  members(): readonly Member[] {
    return this.#swim?.members() ?? []
  }

  /** Ourselves. @throws {StateError} when not started */
  localMember(): Member {
    const member = this.#swim?.member(this.#options.name)
    if (!member) throw new StateError('not started')
    return member
  }

  /** Closes the sockets without telling the ring, which will find us dead. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** {@link close} */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#abort)
    this.#state = 'closed'
    await this.#driver.stop()
    for (const { reject } of this.#pending.values()) reject(new StateError('closed'))
    this.#pending.clear()
    this.#onLeft?.reject(new StateError('closed'))
    this.#onLeft = undefined
  }

  #createSwim(port: number): Swim {
    const { bindAddress, advertiseAddress, advertisePort } = this.#options
    const bound = { '0.0.0.0': 4, '::': 6 } as const
    const family = bindAddress === '0.0.0.0' || bindAddress === '::' ? bound[bindAddress] : undefined
    const address = parseAddress(advertiseAddress ?? (family ? findOwnAddress(family) : bindAddress))
    return new Swim({
      ...swimPart(this.#options),
      address,
      port: advertisePort ?? port,
      isAllowed: this.#isAllowed,
      packetOverhead: () => this.#security.packetOverhead,
    })
  }

  async #open(): Promise<Transport> {
    const driver = this.#driver
    try {
      return await openTransport(this.#options.bindAddress, this.#options.bindPort ?? DEFAULT_PORT, {
        onPacket: (octets, address, port) => driver.onPacket(octets, address, port),
        onStream: socket => driver.onStream(socket),
        onError: error => driver.onError(error),
      })
    } catch (error) {
      if (!this.#closing) this.#state = 'new'
      throw error
    }
  }

  /** A listener that throws fails as it always would, uncaught, but not in the middle of what is to be done. */
  #onAction(action: SwimAction): void {
    try {
      this.#tell(action)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }

  #tell(action: SwimAction): void {
    switch (action.type) {
      case 'member':
        return void this.emit(action.event, action.member)
      case 'suspect':
        return void this.emit('suspect', action.member)
      case 'silence':
        return void this.emit('silence', action.member)
      case 'conflict':
        return void this.emit('conflict', action.existing, action.other)
      case 'userMessage':
        return void this.emit('message', action.payload)
      case 'remoteState':
        return void this.emit('remoteState', action.state, action.join)
      case 'probed':
        return void this.emit('probed', action.member, action.rtt, action.payload)
      case 'left':
        return this.#onLeft?.resolve(action)
      case 'joined':
      case 'updated':
      case 'pong':
      case 'sent': {
        const pending = this.#pending.get(action.request)
        this.#pending.delete(action.request)
        return pending?.resolve(action)
      }
      default:
        return undefined
    }
  }

  /** Makes a request and waits for the action that ends it. @throws {StateError} closed meanwhile */
  async #ask(make: (request: number) => void): Promise<SwimAction> {
    const request = ++this.#request
    const answer = new Promise<SwimAction>((resolve, reject) => this.#pending.set(request, { resolve, reject }))
    try {
      make(request)
    } catch (error) {
      this.#pending.delete(request) // the caller's mistake; nobody will answer
      throw error
    }
    return answer
  }

  async #joinOne(to: Endpoint): Promise<string | undefined> {
    try {
      const action = await this.#ask(request => this.#driver.handle({ type: 'join', request, to }))
      return action.type === 'joined' ? action.error : undefined
    } catch (error) {
      if (error instanceof StateError) return error.message
      throw error
    }
  }

  async #resolveAll(addresses: readonly string[], errors: Error[]): Promise<Endpoint[]> {
    const defaultPort = this.#port
    const resolved = await Promise.all(
      addresses.map(async text => {
        try {
          return await resolveJoinAddress(parseJoinAddress(text, defaultPort))
        } catch (error) {
          errors.push(error instanceof Error ? error : new Error(String(error)))
          return []
        }
      }),
    )
    return resolved.flat()
  }

  #running(): void {
    if (this.#state !== 'running') throw new StateError(`not running: ${this.#state}`)
  }
}

/** Waits for an answer, but not longer than this; 0 is as long as it takes. @throws {ExchangeError} after that */
async function within<T>(answer: Promise<T>, timeout: Milliseconds, reason: string): Promise<T> {
  if (timeout === 0) return answer
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ExchangeError(reason)), timeout)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
