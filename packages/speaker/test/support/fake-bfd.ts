/** A BFD worker that says what a test tells it to. */
import { EventEmitter } from 'node:events'
import type { BfdSessionRequest, BfdStateDetails } from '@typemetal/bgp'
import type { BfdSnapshot } from '@typemetal/bgp/bfd'
import type { BfdWorker, RunningBfdSession, StartBfd } from '@typemetal/speaker'

type State = RunningBfdSession['state']

interface Events {
  state: [to: State, from: State, details: BfdStateDetails]
  remoteState: [to: State, from: State]
}

/** Only what is read of it. */
const SNAPSHOT = {
  packetsReceived: 7, packetsSent: 8, echoPacketsReceived: 1, echoPacketsSent: 2, upTransitions: 1, downTransitions: 0,
  detectionTime: 900_000, transmitInterval: 300_000, remoteControlPlaneIndependent: false,
} // prettier-ignore

export class FakeBfdSession extends EventEmitter<Events> implements RunningBfdSession {
  state: State = 'Down'
  remoteState: State = 'Down'
  closed = false
  readonly changes: object[] = []

  constructor(readonly request: BfdSessionRequest) {
    super()
  }

  change(options: object): void {
    this.changes.push(options)
  }

  snapshot(): BfdSnapshot {
    return { ...SNAPSHOT, ...this.request, state: this.state } as unknown as BfdSnapshot
  }

  close(): void {
    this.closed = true
    this.removeAllListeners()
  }

  become(to: State, cause = 'test'): void {
    const from = this.state
    this.state = to
    this.remoteState = to
    this.emit('state', to, from, { diagnostic: 0, remoteState: to, remoteDiagnostic: 0, cause })
  }
}

export class FakeBfdWorker extends EventEmitter<{ error: [Error] }> implements BfdWorker {
  readonly sessions: FakeBfdSession[] = []
  closed = false

  session(request: BfdSessionRequest): FakeBfdSession {
    const session = new FakeBfdSession(request)
    this.sessions.push(session)
    return session
  }

  /** Dies, as the real one does: its sessions are AdminDown first. */
  die(message: string): void {
    for (const session of this.sessions) session.become('AdminDown')
    this.emit('error', new Error(message))
  }

  async close(): Promise<void> {
    this.closed = true
  }
}

/** Starts workers, and remembers them. */
export class FakeBfd {
  readonly workers: FakeBfdWorker[] = []
  /** Why the next one cannot start. */
  refusal: string | undefined

  readonly start: StartBfd = async () => {
    if (this.refusal !== undefined) throw new Error(this.refusal)
    const worker = new FakeBfdWorker()
    this.workers.push(worker)
    return worker
  }
}
