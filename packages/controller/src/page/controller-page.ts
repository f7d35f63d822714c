/** What the status page of a controller says: pools, Services and their addresses, from what the process knows anyway. */
import { formatConfigError, type IPAddressPool, type Store } from '@typemetal/cluster'
import {
  FactsMemory,
  type Line,
  type NoticeFacts,
  type PageFacts,
  type PageSource,
  type PoolFacts,
  type ServerFacts,
  type ServiceFacts,
  type Timestamp,
  TransitionLog,
  Watchers,
} from '@typemetal/cluster/page'
import type { Candidacy } from '../node/candidacy.js'
import type { Clock } from '../node/clock.js'
import type { Controller } from '../node/controller.js'
import { parseClasses } from '../reconcile/class-filter.js'
import type { Outcome } from '../reconcile/outcome.js'
import { linesOf } from './happenings.js'
import { noticeRows } from './notices.js'
import { poolRows, poolRowsByStatus } from './pools.js'
import { serviceRows } from './services.js'

/** Who leads: the part of a `Candidacy` that is used here. */
interface Election extends Pick<Candidacy, 'leads' | 'standby' | 'holder'> {
  on(event: 'change', listener: () => void): unknown
}

/** The parts of a process that its page looks at, and changes nothing of. */
export interface ControllerParts {
  readonly namespace: string
  readonly lbClass: string
  /** It answers the API server's questions about objects, and gives no addresses. */
  readonly isWebhookOnly: boolean
  readonly version: string
  /** Of the Pod or host. */
  readonly host: string
  /** As `/readyz` says it. */
  readonly ready: () => true | string
  readonly store: Pick<Store, 'snapshot' | 'on'>
  readonly controller: Pick<Controller, 'decisions' | 'on'>
  readonly candidacy: Election
  readonly clock: Clock
}

/** Something that lasts. */
interface Lasting {
  readonly reason: string
  readonly since: Timestamp
}

/** Nothing is made before somebody looks, but a line for each transition, from when it is made. */
export class ControllerPage implements PageSource {
  readonly #parts: ControllerParts
  readonly #classes: ReadonlySet<string>
  readonly #startedAt: Timestamp
  readonly #watchers: Watchers
  readonly #log = new TransitionLog()
  readonly #memory = new FactsMemory()
  /** Grows with each decision. */
  #decided = 0
  #errors: Lasting | undefined
  #outage: Lasting | undefined
  #role: string

  constructor(parts: ControllerParts) {
    this.#parts = parts
    this.#watchers = new Watchers((delay, callback) => parts.clock.after(delay, callback))
    this.#classes = parseClasses(parts.lbClass)
    this.#startedAt = this.#now
    this.#role = this.#newRole
    const { store, controller, candidacy } = parts
    controller.on('decided', outcome => this.#onDecided(outcome))
    candidacy.on('change', () => this.#onLeader())
    store.on('change', () => this.#watchers.tell())
    store.on('outage', reason => this.#onOutage(reason))
  }

  facts(): PageFacts {
    const { namespace, store } = this.#parts
    const snapshot = store.snapshot()
    const [services, pools] = [snapshot.objects('Service'), snapshot.objects('IPAddressPool')]
    const from = [this.#decided, this.#isDeciding]
    const memory = this.#memory
    return {
      server: memory.section('server', [], () => this.#server()),
      notices: memory.section('notices', [], () => this.#notices()),
      pools: memory.section('pools', [pools, ...from], () => this.#pools(pools, namespace)),
      services: memory.section('services', [services, ...from], () => this.#services(services)),
      transitions: this.#log.newestFirst,
    }
  }

  watch(changed: () => void): () => void {
    return this.#watchers.add(changed)
  }

  /** Whether this process decides, now, about addresses. */
  get #isDeciding(): boolean {
    return !this.#isStandby && this.#parts.controller.decisions.config !== undefined
  }

  get #isStandby(): boolean {
    return this.#parts.isWebhookOnly || this.#parts.candidacy.standby !== false
  }

  get #newRole(): string {
    const { candidacy, isWebhookOnly } = this.#parts
    if (isWebhookOnly) return 'webhooks only'
    if (candidacy.leads) return 'leading'
    return this.#isStandby ? 'standing by' : 'working alone'
  }

  get #now(): Timestamp {
    return this.#parts.clock.now().toISOString()
  }

  #server(): ServerFacts {
    const { host, namespace, version, ready } = this.#parts
    const role = this.#newRole
    return { component: 'controller', host, namespace, version, startedAt: this.#startedAt, role, ready: ready() }
  }

  #notices(): readonly NoticeFacts[] {
    const { controller, candidacy, isWebhookOnly, ready, store } = this.#parts
    const snapshot = store.snapshot()
    return noticeRows({
      ready: ready(),
      errors: this.#isStandby ? [] : controller.decisions.configErrors,
      errorsSince: this.#errors?.since,
      faults: snapshot.faults,
      outage: this.#outage,
      leader: this.#isStandby && !isWebhookOnly ? candidacy.holder : undefined,
      states: snapshot.objects('ConfigurationState').values(),
    })
  }

  #pools(objects: ReadonlyMap<string, IPAddressPool>, namespace: string): readonly PoolFacts[] {
    const { allocator, config } = this.#parts.controller.decisions
    if (!this.#isDeciding || !config) return poolRowsByStatus(objects.values())
    const own = new Map([...objects].map(([key, pool]) => [key.slice(namespace.length + 1), pool]))
    return poolRows(config, own, pool => allocator.counters(pool))
  }

  #services(services: Parameters<typeof serviceRows>[0]): readonly ServiceFacts[] {
    const { allocator, failures } = this.#parts.controller.decisions
    const decisions = this.#isDeciding ? { held: (key: string) => allocator.get(key), failures } : undefined
    return serviceRows(services, this.#classes, decisions)
  }

  #tell(...lines: readonly Line[]): void {
    if (lines.length > 0) {
      const at = this.#now
      for (const line of lines) this.#log.add({ at, ...line })
    }
    this.#watchers.tell()
  }

  #onDecided({ moves }: Outcome): void {
    this.#decided++
    this.#followErrors()
    this.#tell(...linesOf(moves))
  }

  #followErrors(): void {
    const { configErrors, config } = this.#parts.controller.decisions
    const [first] = configErrors
    if (!first && !config) return
    const more = configErrors.length - 1
    const reason = first ? `${formatConfigError(first)}${more > 0 ? ` and ${more} more` : ''}` : ''
    if (reason === this.#errors?.reason) return
    this.#errors = { reason, since: this.#now }
    const object = 'configuration'
    this.#tell(
      reason === ''
        ? { verdict: 'good', object, what: 'in force' }
        : { verdict: 'bad', object, what: 'not in force', why: reason },
    )
  }

  #onLeader(): void {
    const role = this.#newRole
    const { holder } = this.#parts.candidacy
    if (role === this.#role) return this.#watchers.tell()
    this.#role = role
    const why = role === 'standing by' && holder !== '' ? { why: `${holder} leads` } : {}
    return this.#tell({ verdict: role === 'leading' ? 'good' : 'note', object: 'this controller', what: role, ...why })
  }

  #onOutage(reason: string | undefined): void {
    this.#outage = reason === undefined ? undefined : { reason, since: this.#outage?.since ?? this.#now }
    const object = 'cluster'
    this.#tell(
      reason === undefined
        ? { verdict: 'good', object, what: 'can be read again' }
        : { verdict: 'bad', object, what: 'cannot be read', why: reason },
    )
  }
}
