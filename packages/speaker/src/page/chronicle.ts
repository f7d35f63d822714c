/** What has become of a speaker since it began: transitions, and since when things are as they are. */
import { formatConfigError } from '@typemetal/cluster'
import type { Store } from '@typemetal/cluster'
import { TransitionLog, Watchers } from '@typemetal/cluster/page'
import type { Line, Timestamp, TransitionFacts } from '@typemetal/cluster/page'
import type { BGPAnnouncer } from '../announcer/bgp.js'
import type { Conflict } from '../announcer/conflict-machine.js'
import type { Layer2Announcer } from '../announcer/layer2.js'
import type { Clock } from '../clock.js'
import type { ConfigurationReport } from '../core/configuration.js'
import type { Outcome } from '../core/decider.js'
import type { NodeDrain } from '../drain/node-drain.js'
import type { DrainState } from '../drain/types.js'
import type { Ring } from '../gossip/ring.js'
import { linesOf } from './happenings.js'
import { MemberMemory } from './members.js'
import { drainReasonInWords } from './reasons.js'
import { conflictText } from './services.js'
import { SessionMemory } from './session-memory.js'

/** The parts of a speaker that tell of themselves. */
export interface ChronicleParts {
  readonly node: string
  readonly store: Pick<Store, 'on'>
  readonly ring: Ring | undefined
  readonly bgp: BGPAnnouncer
  readonly layer2: Layer2Announcer
  readonly drain: NodeDrain
  readonly clock: Clock
}

/** Something that lasts. */
interface Lasting {
  readonly why: string
  readonly since: Timestamp
}

/** Listens as long as the speaker lives, and keeps a line for each thing that happens. */
export class Chronicle {
  readonly #node: string
  readonly #clock: Clock
  readonly #log = new TransitionLog()
  readonly #watchers: Watchers
  /** Sessions by the name of their BGPPeer. */
  readonly sessions = new SessionMemory()
  readonly members: MemberMemory
  readonly startedAt: Timestamp
  readonly #bfd = new SessionMemory()
  #outcome: Outcome | undefined
  #configuration: Lasting | undefined
  #outage: Lasting | undefined
  #drain: Lasting | undefined

  /** @param watchers are told whenever something may be different */
  constructor(parts: ChronicleParts, watchers: Watchers) {
    this.#node = parts.node
    this.#clock = parts.clock
    this.#watchers = watchers
    this.startedAt = this.#now
    this.members = new MemberMemory(parts.ring ? parts.ring.hosts : [], this.startedAt)
    this.#listen(parts)
  }

  /** The last decision; `undefined` before the first. */
  get outcome(): Outcome | undefined {
    return this.#outcome
  }

  /** Why the newest configuration is not in force, or that it is. */
  get configuration(): Lasting | undefined {
    return this.#configuration
  }

  /** Why the cluster cannot be read. */
  get outage(): Lasting | undefined {
    return this.#outage
  }

  /** Why the drain is where it is. */
  get drain(): Lasting | undefined {
    return this.#drain
  }

  /** The newest first. */
  get transitions(): readonly TransitionFacts[] {
    return this.#log.newestFirst
  }

  /** What is remembered of BFD with an address. */
  bfd(peer: string, vrf: string): ReturnType<SessionMemory['get']> {
    return this.#bfd.get(`${vrf} ${peer}`)
  }

  /** The speaker has decided anew. */
  follow(outcome: Outcome): void {
    this.#outcome = outcome
    for (const [name, session] of outcome.delta.sessions) if (!session) this.sessions.forget(name)
    this.#followConfiguration(outcome)
    this.#tell(...linesOf(outcome.transitions))
  }

  get #now(): Timestamp {
    return this.#clock.timestamp()
  }

  #tell(...lines: readonly Line[]): void {
    if (lines.length > 0) {
      const at = this.#now
      for (const line of lines) this.#log.add({ at, ...line })
    }
    this.#watchers.tell()
  }

  #listen({ store, ring, bgp, layer2, drain }: ChronicleParts): void {
    store.on('outage', reason => this.#onOutage(reason))
    bgp.on('session', (...change) => this.#onSession(...change))
    bgp.on('notification', (name, direction, details) => {
      this.sessions.notified(name, direction, details, this.#now)
      this.#tell()
    })
    bgp.on('bfd', (...change) => this.#onBFD(...change))
    bgp.on('limits', () => this.#tell())
    layer2.on('conflict', (state, conflict) => this.#onConflict(state, conflict))
    layer2.on('interfaces', () => this.#tell())
    drain.on('transition', (to, reason) => this.#onDrain(to, drainReasonInWords(reason)))
    drain.on('change', () => this.#tell())
    for (const event of ['members', 'suspect'] as const) {
      ring?.on(event, () => this.#tell(...this.members.follow(ring.hosts, this.#now)))
    }
  }

  #followConfiguration({ configuration, adopted }: Outcome): void {
    const why = textOf(configuration)
    const isNews = why !== this.#configuration?.why
    if (isNews) this.#configuration = { why, since: this.#now }
    const object = 'configuration'
    if (configuration.state === 'inForce') {
      if (adopted || isNews) this.#tell({ verdict: 'good', object, what: 'in force' })
    } else if (isNews) this.#tell({ verdict: 'bad', object, what: 'not in force', why })
  }

  #onSession(name: string, to: string, from: string, cause: string): void {
    const news = this.sessions.changed(name, to, from, cause, this.#now)
    const verdict = news?.what === 'session up' ? 'good' : 'bad'
    this.#tell(...(news ? [{ verdict, object: `BGPPeer ${name}`, ...news } as const] : []))
  }

  #onBFD(peer: string, vrf: string, to: string, from: string, reason: string): void {
    if (to !== 'Up' && from !== 'Up') return this.#tell()
    const isUp = to === 'Up'
    this.#bfd.set(`${vrf} ${peer}`, { since: this.#now, ...(!isUp && { failure: reason }) })
    const object = `BFD ${peer}`
    return this.#tell(
      isUp
        ? { verdict: 'good', object, what: 'session up' }
        : { verdict: 'bad', object, what: `session ${to}`, why: reason },
    )
  }

  #onConflict(state: 'begun' | 'over', conflict: Conflict): void {
    const object = `address ${conflict.address}`
    this.#tell(
      state === 'over'
        ? { verdict: 'good', object, what: 'no other host answers for it any longer' }
        : { verdict: 'bad', object, what: 'conflict', why: conflictText(conflict) },
    )
  }

  #onDrain(to: DrainState, why: string): void {
    this.#drain = { why, since: this.#now }
    const verdict = to === 'announcing' ? 'good' : 'note'
    this.#tell({ verdict, object: `node ${this.#node}`, what: `drain: ${to}`, why })
  }

  #onOutage(reason: string | undefined): void {
    this.#outage = reason === undefined ? undefined : { why: reason, since: this.#outage?.since ?? this.#now }
    const object = 'cluster'
    this.#tell(
      reason === undefined
        ? { verdict: 'good', object, what: 'can be read again' }
        : { verdict: 'bad', object, what: 'cannot be read', why: reason },
    )
  }
}

/** Empty while all is well; no news while it stays the same. */
function textOf(report: ConfigurationReport): string {
  if (report.state === 'inForce') return ''
  if (report.state === 'waiting') return 'Services have to move off addresses that it has no pool for'
  const [first] = report.errors
  const more = report.errors.length - 1
  return first ? `${formatConfigError(first)}${more > 0 ? ` and ${more} more` : ''}` : 'unknown'
}
