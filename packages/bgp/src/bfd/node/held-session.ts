import type { CheckedSessionOptions } from '../fsm/index.js'
import type { State } from '../wire/index.js'
import { BfdSession, type BfdSnapshot, type SharedSession } from './bfd-session.js'
import { CellReader, createCells } from './cells.js'
import type { Endpoint } from './endpoint.js'
import { mergeOptions } from './holders.js'
import type { Request, StateDetails } from './messages.js'

interface Wish {
  readonly options: CheckedSessionOptions
  readonly disabled: boolean
}

/** The main thread's side of a session: who holds it, what they want together, what the worker has told last. */
export class HeldSession implements SharedSession {
  readonly id: number
  readonly endpoint: Endpoint
  state: State = 'Down'
  remoteState: State = 'Down'
  readonly #wishes = new Map<BfdSession, Wish>()
  readonly #memory = createCells()
  readonly #cells = new CellReader(this.#memory)
  readonly #send: (request: Request) => void
  readonly #onIdle: (session: HeldSession) => void
  /** What the worker was told last. */
  #told: Wish | undefined
  /** What was known when the worker had gone. */
  #last: BfdSnapshot | undefined

  /** @param onIdle called when the last holder has left */
  constructor(
    id: number,
    endpoint: Endpoint,
    send: (request: Request) => void,
    onIdle: (session: HeldSession) => void,
  ) {
    this.id = id
    this.endpoint = endpoint
    this.#send = send
    this.#onIdle = onIdle
  }

  /** @throws {RangeError} the options do not go with those of the other holders */
  join(options: CheckedSessionOptions): BfdSession {
    const holder = new BfdSession(this, options)
    this.update(holder, options, false)
    return holder
  }

  update(holder: BfdSession, options: CheckedSessionOptions, disabled: boolean): void {
    const next = new Map(this.#wishes).set(holder, { options, disabled })
    const together = unite([...next.values()])
    this.#wishes.set(holder, { options, disabled })
    this.#tell(together)
  }

  leave(holder: BfdSession): void {
    this.#wishes.delete(holder)
    if (this.#wishes.size === 0) {
      this.#send({ type: 'remove', id: this.id })
      this.#onIdle(this)
    } else this.#tell(unite([...this.#wishes.values()]))
  }

  snapshot(): BfdSnapshot {
    if (this.#last !== undefined) return this.#last
    const { address, localAddress, interface: name, device, multihop } = this.endpoint
    const identity = { address, localAddress, interface: name, device, multihop }
    return { ...identity, ...this.#cells.snapshot(), ...this.#cells.counters() }
  }

  /** The worker says that the state has changed. */
  report(to: State, from: State, details: StateDetails): void {
    this.state = to
    this.remoteState = details.remoteState
    this.#tellAll(holder => holder.emit('state', to, from, details))
  }

  /** The worker says that the remote system's state has changed, and the session's has not. */
  reportRemote(to: State, from: State): void {
    this.remoteState = to
    this.#tellAll(holder => holder.emit('remoteState', to, from))
  }

  /** There is no worker any more. The session is AdminDown, which is no statement about the remote system. */
  abandon(cause: string): void {
    const last = this.snapshot()
    this.#last = { ...last, state: 'AdminDown', transmitInterval: 0, polling: false, echoActive: false }
    if (this.state === 'AdminDown') return
    const { diagnostic, remoteState, remoteDiagnostic } = last
    this.report('AdminDown', this.state, { diagnostic, remoteState, remoteDiagnostic, cause })
  }

  /** Those who hold it now, all of them, even if a listener of one throws. */
  #tellAll(tell: (holder: BfdSession) => void): void {
    const failures: unknown[] = []
    const holders = [...this.#wishes.keys()]
    for (const holder of holders) {
      try {
        if (!holder.closed) tell(holder)
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  #tell(wish: Wish): void {
    const { id, endpoint } = this
    const told = this.#told
    this.#told = wish
    if (told === undefined) {
      this.#send({ type: 'add', id, endpoint, ...wish, cells: this.#memory })
      return
    }
    if (JSON.stringify(told.options) !== JSON.stringify(wish.options)) {
      this.#send({ type: 'change', id, options: wish.options })
    }
    if (told.disabled !== wish.disabled) this.#send({ type: wish.disabled ? 'disable' : 'enable', id })
  }
}

/** @throws {RangeError} they do not agree */
function unite(wishes: readonly Wish[]): Wish {
  const [first, ...others] = wishes.map(({ options }) => options)
  if (first === undefined) throw new RangeError('nobody holds the session')
  return { options: mergeOptions([first, ...others]), disabled: wishes.every(({ disabled }) => disabled) }
}
