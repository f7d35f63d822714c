/** Carries out what the conflict machine decides: asks the segment, keeps the time, tells. */
import type { Clock } from '../clock.js'
import { ConflictMachine } from './conflict-machine.js'
import type { Claim, Conflict, ConflictAction, ConflictEvent, ConflictMachineOptions } from './conflict-machine.js'

/** What can be asked on the segment. Neither rejects. */
export interface Segment {
  /** Name of the node that a MAC address seen on an interface belongs to; `undefined` when it is none that is known. */
  identify(mac: string, interfaceName: string): Promise<string | undefined>
  /** Whether the host with this MAC address answers for the address. */
  answers(claim: Claim): Promise<boolean>
}

/** What a {@link ConflictGuard} can do about an address. */
export interface GuardHands {
  /** Tells the segment that this node has the address. */
  announce(address: string): void
  /** Tells it once more, as the answer to a claim (RFC 5227 section 2.4). */
  defend(address: string): void
  /** Stops answering. */
  yield(address: string): void
  /** Answers again. */
  resume(address: string): void
  /** Who watches is told of a conflict. */
  tell(state: 'begun' | 'over', conflict: Conflict): void
}

/** Options of {@link ConflictGuard}. */
export interface ConflictGuardOptions extends ConflictMachineOptions {
  /** Says which node a MAC address belongs to. */
  readonly segment: Segment
  /** Where timers run; a test's own. */
  readonly clock: Clock
  /** Do what is decided. */
  readonly hands: GuardHands
}

/** Resolves conflicts about addresses of this node until it is closed. */
export class ConflictGuard {
  readonly #machine: ConflictMachine
  readonly #segment: Segment
  readonly #clock: Clock
  readonly #hands: GuardHands
  #cancel: (() => void) | undefined
  #closed = false

  constructor({ segment, clock, hands, ...options }: ConflictGuardOptions) {
    this.#machine = new ConflictMachine(options)
    this.#segment = segment
    this.#clock = clock
    this.#hands = hands
  }

  /** Conflicts that last. */
  get conflicts(): readonly Conflict[] {
    return this.#machine.conflicts
  }

  /** A host claims an address of this node. */
  sight({ address, interface: on, mac }: Claim): void {
    this.#handle({ type: 'sighting', address, interface: on, mac })
  }

  /** This node is no longer to announce an address. */
  drop(address: string): void {
    if (this.#machine.concerns(address)) this.#handle({ type: 'dropped', address })
  }

  /** Nothing happens afterwards. */
  close(): void {
    this.#closed = true
    this.#cancel?.()
  }

  #handle(event: ConflictEvent): void {
    if (!this.#closed) this.#perform(this.#machine.handle(event, this.#clock.now()))
  }

  #perform(actions: readonly ConflictAction[]): void {
    for (const action of actions) this.#carryOut(action)
    this.#cancel?.()
    const due = this.#machine.nextTimeout
    if (due === undefined || this.#closed) return
    this.#cancel = this.#clock.after(Math.max(0, due - this.#clock.now()), () =>
      this.#perform(this.#machine.handleTimeout(this.#clock.now())),
    )
  }

  #carryOut(action: ConflictAction): void {
    switch (action.type) {
      case 'identify': {
        const { mac } = action
        void this.#segment.identify(mac, action.interface).then(node => this.#handle({ type: 'identified', mac, node }))
        break
      }
      case 'check': {
        const { type: _, ...claim } = action
        void this.#segment.answers(claim).then(present => this.#handle({ type: 'checked', ...claim, present }))
        break
      }
      case 'announce':
      case 'defend':
      case 'yield':
      case 'resume':
        this.#hands[action.type](action.address)
        break
      case 'begun':
      case 'over':
        this.#hands.tell(action.type, action.conflict)
        break
      default:
        action satisfies never
    }
  }
}
