/** Layer 2: the worker that answers ARP and NDP, started only while the configuration needs it. */
import { EventEmitter } from 'node:events'
import { isInterfaceName, parseAnswerable } from '@typemetal/arp-ndp/responder'
import { systemClock } from '../clock.js'
import type { Clock } from '../clock.js'
import { silent } from '../logger.js'
import type { Logger } from '../logger.js'
import type { Interfaces } from '../plan/types.js'
import { ConflictGuard } from './conflict-guard.js'
import type { Segment } from './conflict-guard.js'
import type { Conflict } from './conflict-machine.js'
import type { AddressElection, Resolution } from './conflict-rule.js'
import type {
  AddressConflict,
  AddressCounters,
  Responder,
  ResponderAddress,
  ResponderChange,
} from './layer2-responder.js'
import { Layer2Set } from './layer2-set.js'

/** What resolves conflicts between speakers that do not hear of each other. */
export interface SplitBrainOptions {
  /** This node. */
  readonly node: string
  /** Where other speakers are asked, and told. */
  readonly segment: Segment
  /** What the election of an address is decided by; `undefined` when this node does not announce it. */
  readonly electionOf: (address: string) => AddressElection | undefined
}

/** Options of {@link Layer2Announcer}. */
export interface Layer2AnnouncerOptions {
  /** Starts the responder; called when layer 2 is first needed, and again after it was not. */
  readonly start: () => Promise<Responder>
  /** Absent: a second owner of an address is named in the log, and nothing is done about it. */
  readonly splitBrain?: SplitBrainOptions
  /** @default silent */
  readonly log?: Logger
  /** @default the machine's */
  readonly clock?: Clock
}

/** Who announces an address that this node holds on to. */
export interface Successor {
  readonly mac: string
  readonly interface: string
}

/** Events of a {@link Layer2Announcer}. */
export interface Layer2AnnouncerEvents {
  /** The node's interfaces have changed, or the responder has to be started again: plan anew. */
  interfaces: []
  /** Another host announces an address that is held: the next owner, who has it from now on. */
  taken: [address: string, by: Successor]
  /** Another host answers for an address that this node is to announce; or no longer does. */
  conflict: [state: 'begun' | 'over', conflict: Conflict]
}

/** Milliseconds for which a responder that died is left alone: doubled each time, up to the last, until one has lived longer than that. */
const RESTART_DELAY = 1_000
const LONGEST_RESTART_DELAY = 60_000
/** Conflicts said loudly in {@link LOUD_INTERVAL}: a ring that falls apart makes thousands, which the metrics count. */
const LOUD_LINES = 64
/** Milliseconds. */
const LOUD_INTERVAL = 60_000
/** Second owners that are remembered as logged. */
const MOST_LOGGED = 1_024

/** Answers for the addresses that a plan wants, and resolves conflicts about them. */
export class Layer2Announcer extends EventEmitter<Layer2AnnouncerEvents> implements AsyncDisposable {
  readonly #start: () => Promise<Responder>
  readonly #log: Logger
  readonly #clock: Clock
  readonly #splitBrain: SplitBrainOptions | undefined
  readonly #set = new Layer2Set(address => this.#isAnswerable(address))
  #responder: Responder | undefined
  #guard: ConflictGuard | undefined
  /** The responder knows nothing yet, so the next set is taken as a whole. */
  #fresh = false
  /** Addresses that no node can answer for: named in the log once. */
  readonly #refused = new Set<string>()
  /** Second owners that were named in the log. */
  readonly #logged = new Set<string>()
  readonly #resolved: Record<Resolution, number> = { defend: 0, yield: 0 }
  readonly #loud = { since: -Infinity, lines: 0 }
  #needed = false
  /** Stops the wait after the responder has died; `undefined` while there is none. */
  #resting: (() => void) | undefined
  #restartDelay = RESTART_DELAY

  constructor({ start, splitBrain, log = silent, clock = systemClock }: Layer2AnnouncerOptions) {
    super()
    this.#start = start
    this.#splitBrain = splitBrain
    this.#log = log
    this.#clock = clock
  }

  /** Names of the node's interfaces: none while layer 2 is needed and does not run, `undefined` while it is not needed. */
  get interfaces(): readonly string[] | undefined {
    return this.#responder?.interfaces() ?? (this.#needed ? [] : undefined)
  }

  /** True while layer 2 is needed and does not run. */
  get isDown(): boolean {
    return this.#needed && this.#responder === undefined
  }

  /** Addresses that this node answers for. */
  get answered(): readonly string[] {
    return this.#set.answered
  }

  /** Conflicts with other hosts that last. */
  get conflicts(): readonly Conflict[] {
    return this.#guard?.conflicts ?? []
  }

  /** Conflicts since the start, by how they were resolved. */
  get resolved(): Readonly<Record<Resolution, number>> {
    return this.#resolved
  }

  /**
   * Starts or stops the responder.
   * @throws what the responder throws when it cannot start, e.g. without CAP_NET_RAW
   */
  async need(needed: boolean): Promise<void> {
    this.#needed = needed
    if (!needed) return this[Symbol.asyncDispose]()
    if (this.#responder || this.#resting) return
    const responder = await this.#start()
    responder.on('interfaces', () => this.emit('interfaces'))
    responder.on('responder', change => this.#logChange(change))
    responder.on('conflict', conflict => this.#onConflict(conflict))
    responder.on('conflict-over', conflict => this.#logged.delete(nameOf(conflict)))
    const since = this.#clock.now()
    responder.on('error', error => this.#died(responder, since, error))
    this.#responder = responder
    this.#guard = this.#createGuard()
    this.#fresh = true
  }

  /**
   * Takes the wanted set. Nothing happens while layer 2 is not running. An address that nobody can answer for, such as a loopback
   * address of a careless pool, is left out: it must not cost the others.
   * @param wanted the whole set; must not change afterwards
   * @param changed addresses whose entries differ from the set before; absent: all may
   */
  apply(wanted: ReadonlyMap<string, Interfaces>, changed?: ReadonlyMap<string, unknown>): void {
    this.#set.want(wanted)
    if (this.#responder === undefined) return
    if (this.#fresh) {
      this.#fresh = false
      return this.#take(this.#set.concerned)
    }
    this.#take(changed?.keys() ?? this.#set.concerned)
  }

  /**
   * From now on {@link apply} takes no address away: what the plan no longer wants stays answered, without a word to anybody, until
   * it is released. For handing addresses over: when another host announces one, `taken` says so.
   * @returns what is answered
   */
  hold(): readonly string[] {
    const held = this.#set.hold()
    if (held.length > 0) this.#responder?.hush(held)
    for (const address of held) this.#guard?.drop(address)
    return held
  }

  /** Stops answering for addresses at once, whatever the plan wants, until {@link resume}. */
  release(addresses: readonly string[] | 'all'): void {
    this.#set.release(addresses)
    this.#take(addresses === 'all' ? this.#set.concerned : addresses)
  }

  /** Ends {@link hold} and {@link release}: the plan alone counts. What was held and is still wanted is announced again. */
  resume(): void {
    const held = this.#set.holding ? this.#set.answered : []
    this.#set.resume()
    this.#take(this.#set.concerned)
    for (const address of held) if (this.#set.wants(address)) this.#responder?.announce(address)
  }

  /** Counters by address; empty while layer 2 is not running. */
  async counters(): Promise<ReadonlyMap<string, AddressCounters>> {
    return (await this.#responder?.counters()) ?? new Map<string, AddressCounters>()
  }

  /** Resolves when the responder answers; at once where there is none. Costs the same however many addresses there are. */
  async probe(): Promise<void> {
    await this.#responder?.statistics()
  }

  /** Stops answering, at once and for all addresses. */
  async [Symbol.asyncDispose](): Promise<void> {
    const responder = this.#responder
    this.#forgetResponder()
    this.#resting?.()
    this.#resting = undefined
    await responder?.[Symbol.asyncDispose]()
  }

  /** Brings the responder in line with the set. */
  #take(addresses: Iterable<string>): void {
    if (this.#responder === undefined) return
    const concerned = [...addresses]
    const { set, remove } = this.#set.take(concerned)
    for (const address of concerned) if (!this.#set.wants(address)) this.#guard?.drop(address)
    if (set.length > 0 || remove.length > 0) this.#responder.changeAddresses(set.map(possible), remove)
  }

  /** Whoever listens asks for what is wanted again, which starts another one. */
  #died(responder: Responder, since: number, error: Error): void {
    if (responder !== this.#responder) return
    this.#forgetResponder()
    if (this.#clock.now() - since > LONGEST_RESTART_DELAY) this.#restartDelay = RESTART_DELAY
    const delay = this.#restartDelay
    this.#restartDelay = Math.min(delay * 2, LONGEST_RESTART_DELAY)
    const fields = { op: 'layer2', error: error.message, seconds: delay / 1_000 }
    this.#log.error(fields, 'layer 2 has stopped and is started again')
    this.#resting = this.#clock.after(delay, () => {
      this.#resting = undefined
      this.emit('interfaces')
    })
  }

  #forgetResponder(): void {
    this.#responder = undefined
    this.#guard?.close()
    this.#guard = undefined
    this.#set.reset()
    this.#logged.clear()
  }

  #createGuard(): ConflictGuard | undefined {
    if (!this.#splitBrain) return undefined
    const giveWay = (address: string, yielded: boolean): void => {
      this.#set.yield(address, yielded)
      this.#take([address])
    }
    return new ConflictGuard({
      ...this.#splitBrain,
      clock: this.#clock,
      hands: {
        announce: address => this.#responder?.announce(address),
        defend: address => this.#responder?.defend(address),
        yield: address => giveWay(address, true),
        resume: address => giveWay(address, false),
        tell: (state, conflict) => this.#tell(state, conflict),
      },
    })
  }

  #onConflict(conflict: AddressConflict): void {
    const { address, interface: on, mac } = conflict
    if (this.#set.holds(address)) {
      if (conflict.kind === 'claim') this.emit('taken', address, { mac, interface: on })
    } else if (!this.#guard) this.#logConflict(conflict)
    else if (conflict.kind === 'claim') this.#guard.sight(conflict)
  }

  #tell(state: 'begun' | 'over', conflict: Conflict): void {
    const { address, interface: on, mac, node, resolution } = conflict
    if (state === 'begun') this.#resolved[resolution]++
    const fields = {
      event: 'layer2Conflict',
      op: 'layer2',
      ip: address,
      interface: on,
      mac,
      ...(node && { owner: node }),
    }
    const [level, text] =
      state === 'over'
        ? (['info', 'no other host answers for the address any longer'] as const)
        : (['warn', resolution === 'yield' ? YIELDS : KEEPS] as const)
    this.#log[this.#isLoud() ? level : 'debug'](fields, text)
    this.emit('conflict', state, conflict)
  }

  #isLoud(): boolean {
    const now = this.#clock.now()
    if (now - this.#loud.since > LOUD_INTERVAL) Object.assign(this.#loud, { since: now, lines: 0 })
    return ++this.#loud.lines <= LOUD_LINES
  }

  #logConflict(conflict: AddressConflict): void {
    const name = nameOf(conflict)
    if (this.#logged.has(name)) return
    if (this.#logged.size >= MOST_LOGGED) this.#logged.clear()
    this.#logged.add(name)
    const { address, interface: on, mac } = conflict
    this.#log.warn({ op: 'layer2', address, interface: on, mac }, 'another host answers for an address of this node')
  }

  #logChange({ action, protocol, interface: name }: ResponderChange): void {
    const event = `${action}${protocol.toUpperCase()}Responder`
    this.#log.info({ event, interface: name }, `${action}d ${protocol.toUpperCase()} responder`)
  }

  #isAnswerable(address: string): boolean {
    const reason = refusalOf(address)
    if (reason === undefined) return true
    if (!this.#refused.has(address)) this.#log.error({ op: 'layer2', address, error: reason }, 'cannot be announced')
    this.#refused.add(address)
    return false
  }
}

const YIELDS = 'another speaker answers for an address of this node and comes first: it is left to it'
const KEEPS = 'another host answers for an address of this node: this node keeps it'

const nameOf = ({ address, interface: name, mac }: AddressConflict): string => `${address} ${name} ${mac}`

function refusalOf(address: string): string | undefined {
  try {
    parseAnswerable(address)
    return undefined
  } catch (error) {
    if (error instanceof RangeError) return error.message
    throw error
  }
}

/** Names of an advertisement that no interface can have match none; the responder takes them for a mistake. */
const possible = ({ address, interfaces }: ResponderAddress): ResponderAddress => ({
  address,
  interfaces: interfaces === 'all' ? 'all' : interfaces.filter(isInterfaceName),
})
