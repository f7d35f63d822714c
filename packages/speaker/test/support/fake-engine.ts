/** A BGP engine that only remembers what it was asked. */
import { EventEmitter } from 'node:events'
import type { NotificationDetails } from '@typemetal/bgp'
import type {
  CreateEngine,
  Engine,
  EngineOptions,
  EnginePeer,
  EnginePeerOptions,
  Farewell,
  NegotiatedSession,
  RoutePlan,
} from '@typemetal/speaker'

const COUNTERS = {
  opensSent: 1, opensReceived: 1, updatesSent: 2, updatesReceived: 0, keepalivesSent: 3, keepalivesReceived: 4,
  notificationsSent: 0, notificationsReceived: 0, routeRefreshSent: 0, routeRefreshReceived: 0, totalSent: 6, totalReceived: 5,
  prefixesAnnounced: 1, prefixesPending: 2,
} // prettier-ignore

interface Events {
  state: [to: string, from: string, cause: string]
  notification: [direction: 'sent' | 'received', details: NotificationDetails]
}

export class FakePeer extends EventEmitter<Events> implements EnginePeer {
  state = 'Idle'
  closed = false
  farewell: Farewell | undefined
  routes: readonly RoutePlan[] = []
  /** What was told by name, not as a whole: `+prefix`, `-prefix`. */
  readonly told: string[] = []
  readonly changes: EnginePeerOptions[] = []
  readonly counters: typeof COUNTERS = { ...COUNTERS }
  options: EnginePeerOptions
  address: string
  localAddress: string | undefined
  bfdState: string | undefined
  negotiated: NegotiatedSession | undefined
  /** Why the next change, or a route with this prefix, is refused. */
  refusal: string | undefined
  unsendable: string | undefined

  constructor(options: EnginePeerOptions) {
    super()
    this.options = options
    this.address = options.address ?? ''
  }

  setRoutes(routes: readonly RoutePlan[]): void {
    const bad = routes.find(({ prefix }) => prefix === this.unsendable)
    if (bad) throw new RangeError(`too many communities for one route: ${bad.prefix}`)
    this.routes = routes
  }

  announce(route: RoutePlan): void {
    if (route.prefix === this.unsendable) throw new RangeError(`too many communities for one route: ${route.prefix}`)
    this.told.push(`+${route.prefix}`)
    this.routes = [...this.routes.filter(({ prefix }) => prefix !== route.prefix), route]
  }

  withdraw(prefix: string): void {
    this.told.push(`-${prefix}`)
    this.routes = this.routes.filter(route => route.prefix !== prefix)
  }

  change(options: EnginePeerOptions): [] {
    if (this.refusal !== undefined) throw new RangeError(this.refusal)
    this.options = options
    this.changes.push(options)
    return []
  }

  become(to: string, cause = 'test'): void {
    const from = this.state
    this.state = to
    this.emit('state', to, from, cause)
  }

  async close(farewell?: Farewell): Promise<void> {
    this.closed = true
    this.farewell = farewell
    if (this.state !== 'Idle') this.become('Idle', 'ManualStop')
  }
}

export class FakeEngine implements Engine {
  readonly peers: FakePeer[] = []
  disposed = false
  farewell: Farewell | undefined
  /** What it was made with; `undefined` before it was needed. */
  options: EngineOptions | undefined
  /** Why the next peer is refused. */
  refusal: string | undefined

  readonly create: CreateEngine = options => {
    this.options = options
    return this
  }

  addPeer(options: EnginePeerOptions): FakePeer {
    if (this.refusal !== undefined) throw new RangeError(this.refusal)
    const peer = new FakePeer(options)
    this.peers.push(peer)
    return peer
  }

  get open(): readonly FakePeer[] {
    return this.peers.filter(({ closed }) => !closed)
  }

  async close(farewell?: Farewell): Promise<void> {
    this.farewell = farewell
    this.disposed = true
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
