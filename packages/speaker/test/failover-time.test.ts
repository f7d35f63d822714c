/** How long an address is without an owner when that dies: whole speakers on a simulated ring, in virtual time. */
import { EventEmitter } from 'node:events'
import { type SimulatedNode, Simulator } from '@typemetal/memberlist/simulator'
import { Registry } from 'prom-client'
import { Ring, Speaker, electionOrder } from '@typemetal/speaker'
import type { Clock, Gossip, GossipMember } from '@typemetal/speaker'
import t from 'tap'
import { FakeEngine } from './support/fake-engine.js'
import { FakeResponder } from './support/fake-responder.js'
import { MemoryStore } from './support/memory-store.js'
import { metallb, node, pool, service } from './support/objects.js'
import { settle } from './support/virtual-clock.js'

const NAMES = ['n1', 'n2', 'n3']
const VIP = '10.1.0.1'
const [OWNER = '', HEIR = ''] = electionOrder(NAMES, VIP)
/** Milliseconds until a host that is silent is held for that: three questions, 100 ms apart. */
const UNANSWERED = 300

t.setTimeout(1_200_000)

/** The gossip of one speaker, as a node of the simulated ring. */
class SimulatedGossip extends EventEmitter implements Gossip {
  readonly counters = { packetFaults: {}, streamFaults: 0 }
  readonly node: SimulatedNode

  constructor(simulated: SimulatedNode) {
    super()
    this.node = simulated
  }

  async join(): Promise<number> {
    return 1
  }

  async leave(): Promise<void> {
    this.node.leave()
  }

  async rejoin(): Promise<void> {
    this.node.rejoin()
  }

  states(): ReturnType<Gossip['states']> {
    return { alive: this.members().length, suspect: 0, dead: 0, left: 0 }
  }

  members(): readonly GossipMember[] {
    return this.node.running ? this.node.swim.members() : []
  }

  accuse(name: string): void {
    this.node.accuse(name)
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Three speakers on one segment. */
class Segment {
  readonly sim: Simulator
  readonly gossips = new Map<string, SimulatedGossip>()
  readonly responders = new Map<string, FakeResponder>()
  readonly #stop = new AbortController()

  constructor(seed: number, preset: 'lan' | 'fast') {
    this.sim = new Simulator({ seed, latency: [0.2, 1] })
    const [first, ...others] = NAMES.map(name => this.sim.add({ name, preset, enableCompression: false }))
    for (const simulated of this.sim.nodes) this.#startSpeaker(simulated)
    const tell = (observer: SimulatedNode, event: string, member: GossipMember): void =>
      void this.gossips.get(observer.name)?.emit(event, member)
    this.sim.onMember = tell
    this.sim.onDoubt = tell
    for (const other of others) other.join(first!)
  }

  owns(name: string): boolean {
    return this.responders.get(name)?.answered.includes(VIP) ?? false
  }

  nodeOf(name: string): SimulatedNode {
    return this.gossips.get(name)!.node
  }

  /** Lets time pass, step by step, until something is so. @returns how long that took, Infinity when it did not come about */
  async pass(limit: number, step: number, isOver: () => boolean = () => false): Promise<number> {
    for (let passed = 0; passed < limit; passed += step) {
      if (isOver()) return passed
      this.sim.run(step)
      await settle()
    }
    return Infinity
  }

  async end(): Promise<void> {
    this.#stop.abort()
    await this.pass(60_000, 100)
  }

  #startSpeaker(simulated: SimulatedNode): void {
    const { name } = simulated
    const gossip = new SimulatedGossip(simulated)
    const clock = this.#clock()
    const ring = new Ring({
      node: name,
      gossip,
      peers: () => [],
      clock,
      reaches: address => this.#reaches(name, address),
    })
    const store = new MemoryStore()
    const responder = new FakeResponder()
    const startLayer2 = async (): Promise<FakeResponder> => responder
    const common = {
      namespace: 'metallb-system',
      registry: new Registry(),
      startLayer2,
      createEngine: new FakeEngine().create,
    }
    void new Speaker({ node: name, store, ring, clock, ...common }).run(this.#stop.signal)
    store.apply(
      ...NAMES.map((each, i) => node(each, `10.0.0.${i + 1}`)),
      pool(['10.1.0.0/24']),
      metallb('L2Advertisement', 'l2'),
    )
    store.apply(...service('web', VIP))
    this.gossips.set(name, gossip)
    this.responders.set(name, responder)
  }

  #clock(): Clock {
    const { sim } = this
    return {
      now: () => sim.now,
      timestamp: () => new Date(sim.now).toISOString(),
      after: (ms, run) => {
        let isWanted = true
        sim.after(ms, () => isWanted && run())
        return () => void (isWanted = false)
      },
    }
  }

  /** Whether the kernel of a host answers, as long as both are on the segment. */
  #reaches(from: string, address: string): Promise<boolean | undefined> {
    const target = this.sim.nodes.find(({ endpoint }) => endpoint.address === address)
    return new Promise(resolve => {
      if (!this.nodeOf(from).connected) resolve(undefined)
      else if (target?.connected) this.sim.after(1, () => resolve(true))
      else this.sim.after(UNANSWERED, () => resolve(false))
    })
  }
}

for (const [preset, what, limit] of [
  ['lan', 'killed', 2_000],
  ['fast', 'killed', 1_000],
  ['lan', 'unplugged', 2_000],
  ['fast', 'unplugged', 1_500],
] as const) {
  t.test(`preset ${preset}: the owner is ${what}, and another one answers within ${limit} ms`, async t => {
    const took: number[] = []
    for (let seed = 1; seed <= 10; seed++) {
      const segment = new Segment(seed, preset)
      const isUp = (): boolean => NAMES.every(name => segment.owns(name) === (name === OWNER))
      t.not(await segment.pass(60_000, 20, isUp), Infinity, 'only the owner answers')
      await segment.pass(8_000 + segment.sim.random() * 2_000, 20)
      const owner = segment.nodeOf(OWNER)
      if (what === 'killed') owner.kill()
      else owner.disconnect()
      took.push(await segment.pass(30_000, 1, () => segment.owns(HEIR)))
      await segment.end()
    }
    t.ok(Math.max(...took) <= limit, `${took.join(', ')} ms`)
    t.ok(Math.min(...took) > 0, 'and nobody before')
  })
}
