/** Gossip that only remembers what it was asked. */
import { EventEmitter } from 'node:events'
import type { Gossip, GossipMember } from '@typemetal/speaker'

export class FakeGossip extends EventEmitter implements Gossip {
  readonly joined: string[] = []
  readonly calls: string[] = []
  readonly alive: GossipMember[]
  reachable: readonly string[] = []
  suspects = 0
  counters = { packetFaults: {}, streamFaults: 0 }
  #gone: GossipMember | undefined

  /** Members by name; the n-th has the address 10.0.0.n. */
  constructor(names: readonly string[] = ['n1']) {
    super()
    this.alive = names.map((name, i) => ({ name, address: `10.0.0.${i + 1}`, state: 'alive' }))
  }

  /** A member is found dead. */
  kill(name: string): void {
    const [member] = this.alive.splice(
      this.alive.findIndex(member => member.name === name),
      1,
    )
    this.emit('leave', member)
  }

  /** A watched member misses a ping. */
  miss(name: string): void {
    this.emit(
      'silence',
      this.alive.find(member => member.name === name),
    )
  }

  /** Who was accused, by us or by others. */
  readonly accused: string[] = []

  /** A member is suspected. */
  accuse(name: string): void {
    this.accused.push(name)
    this.state(name, 'suspect')
    this.emit(
      'suspect',
      this.alive.find(member => member.name === name),
    )
  }

  /** What a member is held for from now on. */
  state(name: string, state: string): void {
    const at = this.alive.findIndex(member => member.name === name)
    const [member] = this.alive.splice(at, 1)
    if (member) this.alive.splice(at, 0, { ...member, state })
  }

  async join([host = '']: readonly string[]): Promise<number> {
    this.joined.push(host)
    if (!this.reachable.includes(host)) throw new Error('no node reached')
    return 1
  }

  members(): readonly GossipMember[] {
    return this.alive
  }

  /** Who this is, for {@link leave}: without a name nobody goes. */
  self = ''

  async leave(): Promise<void> {
    this.calls.push('leave')
    const own = this.alive.find(({ name }) => name === this.self)
    if (!own) return
    this.#gone = own
    this.kill(own.name)
  }

  /** What {@link rejoin} fails with. */
  broken: Error | undefined

  async rejoin(): Promise<void> {
    this.calls.push('rejoin')
    if (this.broken) throw this.broken
    if (!this.#gone) return
    this.alive.push(this.#gone)
    this.emit('join', this.#gone)
  }

  states(): Readonly<Record<'alive' | 'suspect' | 'dead' | 'left', number>> {
    return { alive: this.alive.length - this.suspects, suspect: this.suspects, dead: 0, left: 0 }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.calls.push('close')
  }
}
