/** What the status page of a speaker says: its own node, from what the process knows anyway. */
import type { Config, Store } from '@typemetal/cluster'
import { FactsMemory, Watchers } from '@typemetal/cluster/page'
import type { NodeFacts, NoticeFacts, PageFacts, PageSource, ServerFacts, SessionFacts } from '@typemetal/cluster/page'
import type { Conflict } from '../announcer/conflict-machine.js'
import type { Outcome } from '../core/decider.js'
import { shownOutcome } from '../drain/shown.js'
import type { DrainState } from '../drain/types.js'
import type { Plan } from '../plan/types.js'
import { Chronicle } from './chronicle.js'
import type { ChronicleParts } from './chronicle.js'
import { layer2Rows } from './layer2.js'
import { nodeRows } from './nodes.js'
import { noticeRows } from './notices.js'
import { ServiceRows } from './services.js'
import { sessionRows } from './sessions.js'

/** What a process tells its page about itself. */
export interface SpeakerPageOptions {
  /** Of the program. */
  readonly version: string
  /** Of the Pod or host. */
  readonly host: string
  /** As `/readyz` says it. */
  readonly ready: () => true | string
}

/** The parts of a speaker that its page looks at, and changes nothing of. */
export interface SpeakerParts extends SpeakerPageOptions, ChronicleParts {
  readonly namespace: string
  readonly ignoreExcludeLb: boolean
  readonly store: Pick<Store, 'snapshot' | 'on'>
  /** The configuration in force. */
  readonly config: () => Config | undefined
}

/** What a speaker does, in one word. */
const ROLES: Readonly<Record<DrainState, string>> = {
  announcing: 'announcing',
  lowering: 'draining',
  handingOver: 'draining',
  withdrawing: 'draining',
  drained: 'drained',
  parting: 'ending',
  ended: 'ending',
}

/** Nothing is made before somebody looks, but a line for each transition. */
export class SpeakerPage implements PageSource {
  readonly #parts: SpeakerParts
  readonly #watchers: Watchers
  readonly #chronicle: Chronicle
  readonly #memory = new FactsMemory()
  readonly #services = new ServiceRows()
  /** The last outcome as it is shown during a drain. */
  #shown: { readonly of: Outcome; readonly sole: ReadonlySet<string>; readonly plan: Plan } | undefined

  constructor(parts: SpeakerParts) {
    this.#parts = parts
    this.#watchers = new Watchers((ms, fn) => parts.clock.after(ms, fn))
    this.#chronicle = new Chronicle(parts, this.#watchers)
  }

  /** The speaker has decided anew. */
  follow(outcome: Outcome): void {
    this.#chronicle.follow(outcome)
  }

  facts(): PageFacts {
    const { ring } = this.#parts
    const { transitions, members } = this.#chronicle
    const plan = this.#shownPlan()
    const memory = this.#memory
    return {
      server: memory.section('server', [], () => this.#server()),
      notices: memory.section('notices', [], () => this.#notices()),
      ...(plan && this.#planSections(plan)),
      nodes: memory.section('nodes', [], () => this.#nodes(plan)),
      ...(ring && { members: memory.section('members', [], () => members.rows(ring.hosts, new Set(ring.members))) }),
      transitions,
    }
  }

  watch(changed: () => void): () => void {
    return this.#watchers.add(changed)
  }

  #planSections(plan: Plan): Pick<PageFacts, 'services' | 'sessions' | 'layer2'> {
    const { layer2, drain } = this.#parts
    const { conflicts, answered, isDown } = layer2
    const config = this.#parts.config()
    const contested = conflicts.flatMap(partsOf)
    const from = [plan.services, plan.peersOf, config, ...contested]
    // What is answered follows the plan, but for addresses that are held, left to others or refused: each makes it more or fewer.
    const held = [...drain.held].join()
    const onLan = [plan.layer2, plan.services, answered.length, isDown, drain.state, held, ...contested]
    const readings = { plan, answered: new Set(answered), conflicts, held: drain.held, isDown }
    return {
      services: this.#memory.section('services', from, () => this.#services.of(plan, config, conflicts)),
      sessions: this.#memory.section('sessions', [], () => this.#sessions(plan)),
      layer2: this.#memory.section('layer2', onLan, () => layer2Rows(readings)),
    }
  }

  #server(): ServerFacts {
    const { node, namespace, version, host, ready, drain } = this.#parts
    const { startedAt } = this.#chronicle
    const role = ROLES[drain.state]
    return { component: 'speaker', node, host, namespace, version, startedAt, role, ready: ready() }
  }

  #notices(): readonly NoticeFacts[] {
    const { ready, bgp, drain, store } = this.#parts
    const { outcome, configuration, outage, drain: step } = this.#chronicle
    return noticeRows({
      ready: ready(),
      configuration: outcome?.configuration,
      configurationSince: configuration?.since,
      limits: bgp.limits,
      faults: store.snapshot().faults,
      outage,
      drain: { state: drain.state, step },
    })
  }

  #nodes(plan: Plan | undefined): readonly NodeFacts[] {
    const { store, ring, node, drain, ignoreExcludeLb } = this.#parts
    const nodes = store.snapshot().objects('Node')
    return nodeRows({ nodes, members: ring?.members, plan, node, drain: drain.state, ignoreExcludeLb })
  }

  #sessions(plan: Plan): readonly SessionFacts[] {
    const { bgp } = this.#parts
    const chronicle = this.#chronicle
    return sessionRows({
      plan,
      peers: bgp.peers(),
      bfd: bgp.bfdSessions(),
      limits: bgp.limits,
      remembered: name => chronicle.sessions.get(name),
      rememberedBFD: (peer, vrf) => chronicle.bfd(peer, vrf),
    })
  }

  /** The plan as far as a drain lets it be carried out. */
  #shownPlan(): Plan | undefined {
    const { outcome } = this.#chronicle
    const { withdrawn, sole } = this.#parts.drain
    if (!outcome || withdrawn !== 'all') return outcome?.plan
    if (this.#shown?.of !== outcome || this.#shown.sole !== sole) {
      this.#shown = { of: outcome, sole, plan: shownOutcome(outcome, { withdrawn, sole }).plan }
    }
    return this.#shown.plan
  }
}

/** A conflict that lasts is made anew each time it is asked about. */
const partsOf = ({ address, mac, resolution, node }: Conflict): readonly unknown[] => [address, mac, resolution, node]
