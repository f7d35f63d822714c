import { formatAddress } from '../address.js'
import type { GroupAction } from '../responder/groups.js'
import type { GroupSocket } from './platform.js'

/** The kernel's memory for the options of one socket is used up (`net.core.optmem_max`). */
const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOBUFS' || error.code === 'ENOMEM')

/** A socket and how many groups it holds. */
interface Holder {
  readonly socket: GroupSocket
  size: number
}

/**
 * Memberships of one interface, on as many sockets as they need: Linux lets a socket hold only some hundreds.
 */
export class GroupSockets {
  readonly #open: () => GroupSocket
  readonly #holders = new Set<Holder>()
  readonly #holderOf = new Map<string, Holder>()
  /** Groups that the kernel has refused: {@link retry}. */
  readonly #refused = new Set<string>()
  /** Groups that a socket has shown to hold. */
  #capacity = Infinity

  /** @param open makes another socket on the interface */
  constructor(open: () => GroupSocket) {
    this.#open = open
  }

  /**
   * Carries out what {@link GroupMembership} asks for, all that can be.
   * @throws {SocketError} the kernel has refused a group: the first such error
   */
  perform(actions: readonly GroupAction[]): void {
    const failures: unknown[] = []
    for (const { type, group } of actions) {
      const text = formatAddress(group)
      try {
        if (type === 'join') this.#join(text)
        else this.#leave(text)
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  /** Tries once more what was refused. @throws {SocketError} it is refused again */
  retry(): void {
    for (const group of this.#refused) this.#join(group)
  }

  #join(group: string): void {
    this.#refused.add(group)
    const roomy = [...this.#holders].find(({ size }) => size < this.#capacity)
    if (roomy === undefined || !this.#joinOn(roomy, group)) this.#joinOnFresh(group)
    this.#refused.delete(group)
  }

  /** @returns whether there was room */
  #joinOn(holder: Holder, group: string): boolean {
    try {
      holder.socket.joinGroup(group)
    } catch (error) {
      if (!isFull(error) || holder.size === 0) throw error
      this.#capacity = holder.size
      return false
    }
    holder.size++
    this.#holderOf.set(group, holder)
    return true
  }

  #joinOnFresh(group: string): void {
    const holder = { socket: this.#open(), size: 0 }
    try {
      this.#joinOn(holder, group)
      this.#holders.add(holder)
    } catch (error) {
      holder.socket.close()
      throw error
    }
  }

  #leave(group: string): void {
    this.#refused.delete(group)
    const holder = this.#holderOf.get(group)
    if (holder === undefined) return
    this.#holderOf.delete(group)
    holder.size--
    if (holder.size > 0) return holder.socket.leaveGroup(group)
    // What leaves one group after another and joins on other sockets must not leave empty ones behind.
    this.#holders.delete(holder)
    return holder.socket.close()
  }

  /** Leaves every group. */
  close(): void {
    for (const { socket } of this.#holders) socket.close()
    this.#holders.clear()
    this.#holderOf.clear()
    this.#refused.clear()
  }
}
