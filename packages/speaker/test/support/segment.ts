/** Two or more speakers on a LAN without gossip between them, in virtual time: what the conflict machines make of each other. */
import { ConflictMachine, electionOrder } from '@typemetal/speaker'
import type { AddressElection, Conflict, ConflictAction } from '@typemetal/speaker'

interface Delivery {
  readonly at: number
  readonly run: () => void
}

/** How a {@link FakeSpeaker} is. */
export interface FakeSpeakerOptions {
  readonly name: string
  /** Names of the nodes that it knows by their MAC addresses. */
  readonly knows: ReadonlySet<string>
  readonly scores?: ReadonlyMap<string, number>
  /** @default each address is a Service of its own, which every node may have */
  readonly electionOf?: (address: string) => AddressElection | undefined
}

/** A host that answers for addresses, with a machine behind it that looks after conflicts. */
export class FakeSpeaker {
  readonly told: { readonly state: 'begun' | 'over'; readonly conflict: Conflict; readonly at: number }[] = []
  readonly frames: { readonly address: string; readonly at: number }[] = []
  readonly machine: ConflictMachine
  readonly name: string
  readonly #lan: FakeLan
  readonly #options: FakeSpeakerOptions
  readonly #wanted = new Set<string>()
  readonly #yielded = new Set<string>()
  running = true

  constructor(lan: FakeLan, options: FakeSpeakerOptions) {
    this.#lan = lan
    this.#options = options
    this.name = options.name
    const { scores = new Map<string, number>() } = options
    const electionOf = options.electionOf ?? (key => ({ key, scores }))
    this.machine = new ConflictMachine({
      node: options.name,
      electionOf: address => (this.#wanted.has(address) ? electionOf(address) : undefined),
    })
  }

  get mac(): string {
    return `02:00:00:00:00:${this.name.slice(1).padStart(2, '0')}`
  }

  answers(address: string): boolean {
    return this.running && this.#wanted.has(address) && !this.#yielded.has(address)
  }

  /** It takes an address, as it does when it believes that nobody else lives. */
  take(address: string): void {
    this.#wanted.add(address)
    this.#lan.claim(this, address)
  }

  /** The plan no longer wants it. */
  drop(address: string): void {
    this.#wanted.delete(address)
    this.#yielded.delete(address)
    this.perform(this.machine.handle({ type: 'dropped', address }, this.#lan.now))
  }

  hear(address: string, mac: string): void {
    if (this.answers(address)) {
      this.perform(this.machine.handle({ type: 'sighting', address, interface: 'eth0', mac }, this.#lan.now))
    }
  }

  perform(actions: readonly ConflictAction[]): void {
    for (const action of actions) this.#carryOut(action)
  }

  #carryOut(action: ConflictAction): void {
    const { now } = this.#lan
    switch (action.type) {
      case 'announce':
      case 'defend':
        this.#lan.claim(this, action.address)
        break
      case 'yield':
        this.#yielded.add(action.address)
        break
      case 'resume':
        this.#yielded.delete(action.address)
        this.#lan.claim(this, action.address)
        break
      case 'identify': {
        const { mac } = action
        const host = this.#lan.hostOf(mac)
        const node = host && this.#options.knows.has(host.name) ? host.name : undefined
        this.#lan.later(20, () => this.perform(this.machine.handle({ type: 'identified', mac, node }, this.#lan.now)))
        break
      }
      case 'check': {
        const { type: _, ...claim } = action
        this.#lan.checks++
        const present = this.#lan.hostOf(claim.mac)?.answers(claim.address) ?? false
        this.#lan.later(present ? 1 : 200, () =>
          this.perform(this.machine.handle({ type: 'checked', ...claim, present }, this.#lan.now)),
        )
        break
      }
      default:
        this.told.push({ state: action.type, conflict: action.conflict, at: now })
    }
  }
}

/** One segment; frames take a millisecond. */
export class FakeLan {
  now = 0
  /** Questions asked so far. */
  checks = 0
  readonly speakers: FakeSpeaker[] = []
  #pending: Delivery[] = []
  /** Called after everything that happens. */
  onStep = (): void => {}

  add(options: FakeSpeakerOptions): FakeSpeaker {
    const speaker = new FakeSpeaker(this, options)
    this.speakers.push(speaker)
    return speaker
  }

  hostOf(mac: string): FakeSpeaker | undefined {
    return this.speakers.find(speaker => speaker.mac === mac)
  }

  later(ms: number, run: () => void): void {
    this.#pending.push({ at: this.now + ms, run })
  }

  /** A gratuitous frame: everybody hears it. */
  claim(from: FakeSpeaker, address: string): void {
    if (!from.answers(address)) return
    from.frames.push({ address, at: this.now })
    for (const other of this.speakers) if (other !== from) this.later(1, () => other.hear(address, from.mac))
  }

  /** Who answers for an address. */
  owners(address: string): readonly string[] {
    return this.speakers.filter(speaker => speaker.answers(address)).map(({ name }) => name)
  }

  /** Lets time pass. */
  run(ms: number): void {
    const end = this.now + ms
    for (;;) {
      const times = [
        ...this.#pending.map(({ at }) => at),
        ...this.speakers.map(({ machine, running }) => (running ? machine.nextTimeout : undefined) ?? Infinity),
      ]
      const next = Math.min(...times)
      if (next > end) break
      this.now = Math.max(this.now, next)
      const due = this.#pending.filter(({ at }) => at <= this.now)
      this.#pending = this.#pending.filter(({ at }) => at > this.now)
      for (const { run } of due) run()
      for (const speaker of this.speakers) {
        const timeout = speaker.machine.nextTimeout
        if (speaker.running && timeout !== undefined && timeout <= this.now) {
          speaker.perform(speaker.machine.handleTimeout(this.now))
        }
      }
      this.onStep()
    }
    this.now = end
  }
}

/** Who should have it of those. */
export const firstOf = (names: readonly string[], address: string): string => electionOrder(names, address)[0] ?? ''
