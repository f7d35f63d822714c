import type { GroupAction } from '../responder/groups.js'
import type { GroupSocket, Platform } from './platform.js'

/** Groups joined or left before others get their turn: the more an interface has, the longer the kernel takes for each. */
const GROUPS_PER_TURN = 16

/** The kernel's memory for the options of one socket is used up (`net.core.optmem_max`). */
const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOBUFS' || error.code === 'ENOMEM')

/** A socket and how many groups it holds. */
interface Holder {
  readonly socket: GroupSocket
  size: number
}

/** A solicited-node group is told by its last 24 bits. */
const keyOf = (group: Uint8Array): number => (group[13]! << 16) | (group[14]! << 8) | group[15]!

/**
 * Memberships of one interface, on as many sockets as they need: Linux lets a socket hold only some hundreds or thousands. A
 * few are joined at once; of many the rest follows bit by bit, while requests are answered and addresses announced.
 */
export class GroupSockets {
  readonly #platform: Platform
  readonly #interfaceIndex: number
  readonly #onError: (error: unknown) => void
  readonly #holders = new Set<Holder>()
  readonly #holderOf = new Map<number, Holder>()
  /** What is still to be done, by group. */
  readonly #waiting = new Map<number, GroupAction>()
  /** Joins that the kernel has refused: {@link retry}. */
  readonly #refused = new Map<number, GroupAction>()
  /** Groups that a socket has shown to hold. */
  #capacity = Infinity
  #cancelTurn: (() => void) | undefined

  /** @param onError the kernel refuses a group; once for all that it refuses in one turn */
  constructor(platform: Platform, interfaceIndex: number, onError: (error: unknown) => void) {
    this.#platform = platform
    this.#interfaceIndex = interfaceIndex
    this.#onError = onError
  }

  /** Carries out what `GroupMembership` asks for, now or soon. */
  perform(actions: readonly GroupAction[]): void {
    for (const action of actions) {
      const key = keyOf(action.group)
      this.#refused.delete(key)
      // A join that was not carried out yet and the leave after it make nothing, and so the other way round.
      if (!this.#waiting.delete(key)) this.#waiting.set(key, action)
    }
    if (this.#cancelTurn === undefined) this.#take()
  }

  /** Tries once more what was refused. */
  retry(): void {
    for (const [key, action] of this.#refused) this.#waiting.set(key, action)
    this.#refused.clear()
    if (this.#cancelTurn === undefined) this.#take()
  }

  #take(): void {
    this.#cancelTurn = undefined
    const failures: unknown[] = []
    let turns = GROUPS_PER_TURN
    for (const [key, action] of this.#waiting) {
      if (turns-- === 0) break
      this.#waiting.delete(key)
      try {
        if (action.type === 'join') this.#join(key, action)
        else this.#leave(key, action)
      } catch (error) {
        failures.push(error)
      }
    }
    if (this.#waiting.size > 0) this.#cancelTurn = this.#platform.after(0, () => this.#take())
    if (failures.length > 0) this.#onError(failures[0])
  }

  #join(key: number, action: GroupAction): void {
    this.#refused.set(key, action)
    const roomy = [...this.#holders].find(({ size }) => size < this.#capacity)
    if (roomy === undefined || !this.#joinOn(roomy, key, action)) this.#joinOnFresh(key, action)
    this.#refused.delete(key)
  }

  /** @returns whether there was room */
  #joinOn(holder: Holder, key: number, { group }: GroupAction): boolean {
    try {
      holder.socket.joinGroup(group)
    } catch (error) {
      if (!isFull(error) || holder.size === 0) throw error
      this.#capacity = holder.size
      return false
    }
    holder.size++
    this.#holderOf.set(key, holder)
    return true
  }

  #joinOnFresh(key: number, action: GroupAction): void {
    const holder = { socket: this.#platform.openGroups(this.#interfaceIndex), size: 0 }
    try {
      this.#joinOn(holder, key, action)
      this.#holders.add(holder)
    } catch (error) {
      holder.socket.close()
      throw error
    }
  }

  #leave(key: number, { group }: GroupAction): void {
    const holder = this.#holderOf.get(key)
    if (holder === undefined) return
    this.#holderOf.delete(key)
    holder.size--
    if (holder.size > 0) return holder.socket.leaveGroup(group)
    // Who leaves one group after another and joins on other sockets must not keep empty ones.
    this.#holders.delete(holder)
    return holder.socket.close()
  }

  /** Leaves every group. Safe to call twice. */
  close(): void {
    this.#cancelTurn?.()
    this.#waiting.clear()
    this.#refused.clear()
    for (const { socket } of this.#holders) socket.close()
    this.#holders.clear()
    this.#holderOf.clear()
  }
}
