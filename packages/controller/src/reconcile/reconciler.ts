import type { Change, Config, ConfigError, IPAddressPool, ObjectKey, Service, Snapshot } from '@typemetal/cluster'
import { Allocator } from '../allocator/allocator.js'
import type { PoolCounters } from '../allocator/pool-state.js'
import { Annotation } from './annotations.js'
import { isOurClass, parseClasses } from './class-filter.js'
import { Configuration } from './configuration.js'
import { converge, type Convergence } from './converge.js'
import { Decisions } from './decisions.js'
import { EventMemory } from './event-memory.js'
import { reportErrors, reportFaults } from './fault-report.js'
import { canonicalIngressIPs, namesExactly, withoutAddresses } from './ingress.js'
import { inReclaimOrder, inServingOrder } from './order.js'
import { type Outcome, OutcomeBuilder } from './outcome.js'
import { withCounters } from './pool-status.js'
import { clusterEvent, Reason, serviceReference, type Notice } from './service-event.js'
import { shapeFault } from './shape.js'
import { reclaim, reserveUnreadable } from './standing.js'
import { serviceKey } from './wishes.js'

/** What a controller is told about itself. */
export interface ReconcilerOptions {
  /** Where `metallb.io` objects live. */
  readonly namespace: string
  /** `loadBalancerClass` values that are ours, separated by commas. @default '' (Services without a class) */
  readonly lbClass?: string
}

/** Kinds that the controller's configuration is made of. */
const CONFIG_KINDS: ReadonlySet<string> = new Set(['IPAddressPool', 'Community', 'Namespace'])

/**
 * All decisions of the controller: a new state of the cluster in, statuses and events out. Level-based: it looks at what
 * is, and the changes only tell where to look. Reads no clock and does no I/O.
 */
export class Reconciler {
  readonly #namespace: string
  readonly #classes: ReadonlySet<string>
  readonly #allocator = new Allocator()
  readonly #configuration: Configuration
  readonly #decisions = new Decisions()
  readonly #events = new EventMemory()
  /** Services that lack an address which they may get once something is released. */
  readonly #waiting = new Set<ObjectKey>()
  /** Why Services could not be served when they were looked at last. */
  readonly #failures = new Map<ObjectKey, string>()
  #faults: ReadonlySet<string> = new Set()
  #snapshot: Snapshot | undefined
  #out = new OutcomeBuilder()

  constructor(options: ReconcilerOptions) {
    this.#namespace = options.namespace
    this.#classes = parseClasses(options.lbClass ?? '')
    this.#configuration = new Configuration(options.namespace)
  }

  /** Whether a configuration has ever been accepted. */
  get loaded(): boolean {
    return this.#configuration.inForce !== undefined
  }

  /** The newest configuration that had no errors. */
  get config(): Config | undefined {
    return this.#configuration.inForce
  }

  /** Why Services lack what they want, those alone that do. */
  get failures(): ReadonlyMap<ObjectKey, string> {
    return this.#failures
  }

  /** What keeps the newest configuration from being in force; empty when it is. */
  get configErrors(): readonly ConfigError[] {
    return this.#configuration.errors
  }

  /** Who has which address. Read only. */
  get allocator(): Pick<Allocator, 'get' | 'services' | 'counters'> {
    return this.#allocator
  }

  /**
   * Decides on everything that the changes touch.
   *
   * @param snapshot the newest state
   * @param changes what has changed since the last call; `undefined`: look at everything
   */
  handle(snapshot: Snapshot, changes?: readonly Change[]): Outcome {
    const out = (this.#out = new OutcomeBuilder())
    this.#snapshot = snapshot
    this.#faults = reportFaults(snapshot.faults, this.#faults, out)
    const configTouched = !changes || changes.length === 0 || changes.some(({ kind }) => CONFIG_KINDS.has(kind))
    const changed = configTouched && this.#reconfigure(snapshot)
    for (const { kind, key } of changes ?? []) if (kind === 'IPAddressPool') out.pools.add(nameIn(key))
    if (this.loaded) this.#serve(snapshot, changed || !changes ? undefined : changes)
    else out.note('debug', 'no valid configuration yet', { event: 'noConfig' })
    for (const pool of this.#allocator.takeTouchedPools()) out.pools.add(pool)
    for (const key of this.#decisions.takeBlocked()) out.services.add(key)
    return out
  }

  /** The status that a Service should have, as long as it is not what the newest snapshot shows. */
  wantedService(key: ObjectKey): Service | undefined {
    return this.#decisions.wanted(key, this.#snapshot?.objects('Service').get(key))
  }

  /** The status that a pool should have, as long as it is not what the newest snapshot shows. */
  wantedPool(name: string): IPAddressPool | undefined {
    const pool = this.#snapshot?.objects('IPAddressPool').get(`${this.#namespace}/${name}`)
    const counters: PoolCounters | undefined = this.#allocator.counters(name)
    if (!pool || !counters) return undefined
    const wanted = withCounters(pool, counters)
    return wanted === pool ? undefined : wanted
  }

  /** @returns whether there are new pools in force */
  #reconfigure(snapshot: Snapshot): boolean {
    const { changed, news } = this.#configuration.judge(snapshot)
    const { errors, inForce } = this.#configuration
    this.#out.updates++
    if (errors.length > 0) this.#out.errors++
    if (news) reportErrors(errors, this.#out)
    if (!changed || !inForce) return false
    this.#allocator.setPools(inForce.pools)
    this.#out.note('info', 'config reloaded', { event: 'config reloaded', pools: [...inForce.pools.keys()] })
    return true
  }

  /** @param changes `undefined`: all Services */
  #serve(snapshot: Snapshot, changes: readonly Change[] | undefined): void {
    const openings = this.#allocator.openings
    const services = snapshot.objects('Service')
    const direct = new Set(changes?.filter(({ kind }) => kind === 'Service').map(({ key }) => key))
    this.#out.updates += direct.size
    const keys = changes ? direct : new Set([...services.keys(), ...this.#allocator.services])
    const ours: Service[] = []
    for (const key of keys) {
      const seen = services.get(key)
      const fault = seen && shapeFault(seen)
      if (!seen) this.#forget(key, 'serviceDeleted')
      else if (fault !== undefined) this.#refuse(seen, fault)
      else if (isOurClass(seen, this.#classes)) ours.push(this.#decisions.current(key, seen))
      else this.#disown(key, seen)
    }
    // First everybody gets back what they had, then the wishes are looked at: a wish never takes what is another's.
    const empty = ours.filter(service => !this.#allocator.get(serviceKey(service)))
    for (const service of inReclaimOrder(empty)) reclaim(service, this.#allocator)
    for (const service of inServingOrder(ours)) this.#pass(service, changes !== undefined)
    this.#serveWaiting(openings)
  }

  /** Tries the waiting Services again as long as something was released that they may want. */
  #serveWaiting(openings: number): void {
    for (let round = this.#waiting.size; round >= 0 && openings !== this.#allocator.openings; round--) {
      openings = this.#allocator.openings
      const services = [...this.#waiting].map(key => this.#current(key)).filter(service => service !== undefined)
      for (const service of inServingOrder(services)) this.#pass(service, false)
    }
  }

  #current(key: ObjectKey): Service | undefined {
    const seen = this.#snapshot?.objects('Service').get(key)
    return seen && this.#decisions.current(key, seen)
  }

  /** @param direct the Service itself has changed, and not only what is around it */
  #pass(service: Service, direct: boolean): void {
    const key = serviceKey(service)
    const verdict = converge(service, this.#allocator)
    if (verdict.waiting) this.#waiting.add(key)
    else this.#waiting.delete(key)
    if (direct && verdict.failure !== undefined) this.#out.errors++
    this.#follow(key, service, verdict)
    this.#decide(key, service, verdict.service)
    if (direct && verdict.service === service) this.#out.note('debug', 'no change', { event: 'noChange', service: key })
    this.#say(service, verdict)
  }

  /** Tells what has become of the addresses of a Service, once. */
  #follow(service: ObjectKey, current: Service, { service: wanted, failure, notes }: Convergence): void {
    const isNews = this.#fails(service, failure)
    if (wanted === current && !isNews) return
    const [from, to] = [canonicalIngressIPs(current), canonicalIngressIPs(wanted)]
    if (!(isNews && failure !== undefined) && from.join() === to.join()) return
    const cleared = notes.find(({ fields }) => fields['event'] === 'clearAssignment')?.fields
    const reason = failure ?? cleared?.['error'] ?? cleared?.['reason']
    const pool = to.length === 0 ? '' : (wanted.metadata.annotations?.[Annotation.allocatedFromPool] ?? '')
    this.#out.moves.push({ service, from, to, pool, ...(typeof reason === 'string' && { reason }) })
  }

  /** @returns whether that is news */
  #fails(service: ObjectKey, failure: string | undefined): boolean {
    if (this.#failures.get(service) === failure) return false
    if (failure === undefined) this.#failures.delete(service)
    else this.#failures.set(service, failure)
    return true
  }

  #decide(key: ObjectKey, current: Service, wanted: Service): void {
    const seen = this.#snapshot?.objects('Service').get(key)
    if (!seen || wanted === current) return
    this.#decisions.decide(key, seen, wanted)
    const before = canonicalIngressIPs(current)
    const fresh = canonicalIngressIPs(wanted).filter(text => !before.includes(text))
    this.#out.give(wanted.metadata.annotations?.[Annotation.allocatedFromPool] ?? '', fresh.length)
    this.#out.services.add(key)
    this.#out.note('debug', 'service updated', { event: 'serviceUpdated', service: key })
  }

  #say(service: Service, { notices, notes, failure }: Convergence): void {
    const news = this.#news(service, notices)
    // The same failure as before, on another's occasion, is not worth a line.
    const silent = notices.length > 0 && news.length === 0
    this.#out.notes.push(...notes.filter(({ level }) => !silent || level === 'debug'))
    if (failure !== undefined && notices.length === 0) {
      const fields = { event: 'convergeFailed', service: serviceKey(service), error: failure }
      this.#out.note('warn', 'service cannot be served', fields)
    }
    for (const notice of news) this.#out.events.push(clusterEvent(serviceReference(service), notice))
  }

  #news(service: Service, notices: readonly Notice[]): readonly Notice[] {
    const { metadata, spec } = service
    const { [Annotation.allocatedFromPool]: _, ...annotations } = metadata.annotations ?? {}
    const wish = () => JSON.stringify([annotations, metadata.labels, spec], bigintAsText)
    return this.#events.filter(serviceKey(service), wish, notices)
  }

  /** What cannot be read would stop all others halfway; what the Service has, it keeps meanwhile, also over a restart. */
  #refuse(service: Service, reason: string): void {
    reserveUnreadable(service, this.#allocator)
    const message = `the Service cannot be understood: ${reason}`
    const news = this.#news(service, [{ type: 'Warning', reason: Reason.internalError, message }])
    const key = serviceKey(service)
    if (this.#fails(key, message)) this.#out.moves.push({ service: key, from: [], to: [], pool: '', reason: message })
    for (const notice of news) {
      this.#out.events.push(clusterEvent(serviceReference(service), notice))
      this.#out.note('error', message, { event: 'internalError', service: serviceKey(service) })
    }
    this.#out.errors++
  }

  #forget(key: ObjectKey, reason: 'serviceDeleted' | 'notOurs'): void {
    const held = this.#allocator.get(key)
    if (held) {
      const from = held.addresses.map(({ text }) => text)
      this.#out.moves.push({ service: key, from, to: [], pool: '', reason })
      this.#out.note('info', 'service deleted', { event: 'serviceDeleted', service: key })
    }
    this.#failures.delete(key)
    this.#allocator.release(key)
    this.#decisions.forget(key)
    this.#events.forget(key)
    this.#waiting.delete(key)
  }

  /**
   * A Service of another class is none of our business, unless we gave it something: then it is taken back, and what we
   * wrote is removed. A Service that is no longer of type LoadBalancer has lost its class with it, so the record of the
   * pool tells that it was ours.
   */
  #disown(key: ObjectKey, seen: Service): void {
    const service = this.#decisions.current(key, seen)
    const held = this.#allocator.get(key)
    const marked = service.metadata.annotations?.[Annotation.allocatedFromPool] !== undefined
    const leftOver = marked && service.spec?.type !== 'LoadBalancer'
    if (!held && !leftOver) return
    const written = held !== undefined && namesExactly(service, held.addresses)
    this.#forget(key, 'notOurs')
    this.#out.note('info', 'service is not ours any more', {
      event: 'clearAssignment',
      reason: 'notOurs',
      service: key,
    })
    if (written || leftOver) this.#decide(key, service, withoutAddresses(service))
  }
}

/** The name in `namespace/name`. */
const nameIn = (key: ObjectKey): string => key.slice(key.indexOf('/') + 1)

const bigintAsText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)
