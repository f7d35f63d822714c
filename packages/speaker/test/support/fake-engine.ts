/** A BGP engine that only remembers what it was asked. */
import { EventEmitter } from 'node:events'
import type { CreateEngine, Engine, EnginePeer, EnginePeerOptions, RoutePlan } from '@typemetal/speaker'

const COUNTERS = {
  opensSent: 1, opensReceived: 1, updatesSent: 2, updatesReceived: 0, keepalivesSent: 3, keepalivesReceived: 4,
  notificationsSent: 0, routeRefreshSent: 0, totalSent: 6, totalReceived: 5, prefixesAnnounced: 1, prefixesPending: 2,
} // prettier-ignore

export class FakePeer extends EventEmitter<{ state: [to: string, from: string, cause: string] }> implements EnginePeer {
  state = 'Idle'
  closed = false
  routes: readonly RoutePlan[] = []
  readonly counters = COUNTERS

  constructor(readonly options: EnginePeerOptions) {
    super()
  }

  setRoutes(routes: readonly RoutePlan[]): void {
    this.routes = routes
  }

  become(to: string, cause = 'test'): void {
    const from = this.state
    this.state = to
    this.emit('state', to, from, cause)
  }

  async close(): Promise<void> {
    this.closed = true
    if (this.state !== 'Idle') this.become('Idle', 'ManualStop')
  }
}

export class FakeEngine implements Engine {
  readonly peers: FakePeer[] = []
  disposed = false

  readonly create: CreateEngine = () => this

  addPeer(options: EnginePeerOptions): FakePeer {
    const peer = new FakePeer(options)
    this.peers.push(peer)
    return peer
  }

  get open(): readonly FakePeer[] {
    return this.peers.filter(({ closed }) => !closed)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true
  }
}
