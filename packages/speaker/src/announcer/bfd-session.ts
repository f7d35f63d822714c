/** A BFD session that outlives the worker it runs in. */
import { EventEmitter } from 'node:events'
import type { BfdSessionRequest, BfdSourceSession, BfdStateDetails } from '@typemetal/bgp'
import type { BfdSnapshot } from '@typemetal/bgp/bfd'

/** State of a BFD session, RFC 5880 section 6.2. */
export type State = BfdSourceSession['state']
type Options = Parameters<BfdSourceSession['change']>[0]

interface Events {
  state: [to: State, from: State, details: BfdStateDetails]
  remoteState: [to: State, from: State]
}

/** A session of the worker, as the speaker uses it. */
export interface RunningBfdSession extends BfdSourceSession {
  snapshot(): BfdSnapshot
}

/**
 * What a BGP peer holds: Down while BFD does not run, then what the worker's session says. When the worker dies it is AdminDown, which
 * accuses nobody, and goes on with the next worker.
 */
export class StandingBfdSession extends EventEmitter<Events> implements BfdSourceSession {
  readonly #closed: (session: StandingBfdSession) => void
  #request: BfdSessionRequest
  #running: RunningBfdSession | undefined
  #state: State = 'Down'
  #remoteState: State = 'Down'
  #notifications = 0

  constructor(request: BfdSessionRequest, closed: (session: StandingBfdSession) => void) {
    super()
    this.#request = request
    this.#closed = closed
  }

  /** Which session it is, and its options. */
  get request(): BfdSessionRequest {
    return this.#request
  }

  /** State of our side; `Down` while there is no worker. */
  get state(): State {
    return this.#state
  }

  /** What the neighbour has last said of its side. */
  get remoteState(): State {
    return this.#remoteState
  }

  /** Changes that BGP was told of. */
  get notifications(): number {
    return this.#notifications
  }

  /** What the worker knows now; `undefined` while there is none. */
  get reading(): BfdSnapshot | undefined {
    return this.#running?.snapshot()
  }

  /** Goes on with this session of a worker, or with none. */
  attach(running: RunningBfdSession | undefined): void {
    this.#running = running
    if (!running) return
    // It has said AdminDown when the worker before this one died.
    if (this.#state !== running.state) this.#changed(running.state, 'BFD runs again')
    running.on('state', (to, from, details) => {
      if (this.#running !== running) return
      this.#state = to
      this.#remoteState = details.remoteState
      this.#notifications++
      this.emit('state', to, from, details)
    })
    running.on('remoteState', (to, from) => {
      if (this.#running !== running) return
      this.#remoteState = to
      this.#notifications++
      this.emit('remoteState', to, from)
    })
  }

  change(options: Options): void {
    this.#running?.change(options)
    const { address, localAddress, interface: on, device, multihop } = this.#request
    this.#request = {
      ...options,
      address,
      ...(localAddress !== undefined && { localAddress }),
      ...(on !== undefined && { interface: on }),
      ...(device !== undefined && { device }),
      ...(multihop !== undefined && { multihop }),
    }
  }

  snapshot(): ReturnType<BfdSourceSession['snapshot']> {
    return this.#running?.snapshot() ?? { remoteControlPlaneIndependent: false }
  }

  close(): void {
    this.#running?.close()
    this.#running = undefined
    this.removeAllListeners()
    this.#closed(this)
  }

  #changed(to: State, cause: string): void {
    const from = this.#state
    this.#state = to
    this.#remoteState = 'Down'
    this.emit('state', to, from, { diagnostic: 0, remoteState: 'Down', remoteDiagnostic: 0, cause })
  }
}
