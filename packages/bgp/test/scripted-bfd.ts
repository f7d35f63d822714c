/** BFD that says what a test tells it to. */
import { EventEmitter } from 'node:events'
import type { BfdSessionRequest, BfdSource, BfdSourceSession, BfdStateDetails } from '@typemetal/bgp'
import { Diagnostic, type State } from '@typemetal/bgp/bfd'

interface Events {
  state: [to: State, from: State, details: BfdStateDetails]
  remoteState: [to: State, from: State]
}

/** One session, as one holder has it. */
export class ScriptedSession extends EventEmitter<Events> implements BfdSourceSession {
  readonly request: BfdSessionRequest
  readonly changes: object[] = []
  state: State = 'Down'
  remoteState: State = 'Down'
  remoteControlPlaneIndependent = false
  localAddress: string | undefined
  closed = false
  readonly #source: ScriptedBfd

  constructor(request: BfdSessionRequest, source: ScriptedBfd) {
    super()
    this.request = request
    this.localAddress = request.localAddress
    this.#source = source
  }

  change(options: object): void {
    if (this.#source.refusal) throw new RangeError(this.#source.refusal)
    this.changes.push(options)
  }

  snapshot(): { remoteControlPlaneIndependent: boolean; localAddress: string | undefined } {
    const { remoteControlPlaneIndependent, localAddress } = this
    return { remoteControlPlaneIndependent, localAddress }
  }

  close(): void {
    this.closed = true
    this.removeAllListeners()
  }

  /** Goes to a state, as bfd.SessionState does. */
  go(to: State, details: Partial<BfdStateDetails> = {}): void {
    const from = this.state
    this.state = to
    this.remoteState = details.remoteState ?? to
    this.emit('state', to, from, {
      diagnostic: Diagnostic.NoDiagnostic,
      remoteState: this.remoteState,
      remoteDiagnostic: Diagnostic.NoDiagnostic,
      cause: 'the test wants it',
      ...details,
    })
  }

  /** The path fails: nothing has come for the Detection Time. */
  fail(): void {
    this.go('Down', { diagnostic: Diagnostic.ControlDetectionTimeExpired, remoteState: 'Up' })
  }

  /** The neighbour says another state, and ours stays. */
  goRemote(to: State): void {
    const from = this.remoteState
    this.remoteState = to
    this.emit('remoteState', to, from)
  }
}

export class ScriptedBfd implements BfdSource {
  /** All that were asked for, in the order they were. */
  readonly asked: ScriptedSession[] = []
  /** What to refuse sessions and changes with. */
  refusal = ''

  session(request: BfdSessionRequest): ScriptedSession {
    if (this.refusal) throw new RangeError(this.refusal)
    const session = new ScriptedSession(request, this)
    this.asked.push(session)
    return session
  }

  /** Those that are held. */
  get held(): readonly ScriptedSession[] {
    return this.asked.filter(({ closed }) => !closed)
  }

  /** The one that is held. */
  get only(): ScriptedSession {
    const [only, ...others] = this.held
    if (!only || others.length > 0) throw new Error(`${this.held.length} sessions are held`)
    return only
  }
}
