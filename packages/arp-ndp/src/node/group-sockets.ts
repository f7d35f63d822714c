import { formatAddress } from '../address.js'
import type { GroupAction } from '../responder/groups.js'
import type { GroupSocket } from './platform.js'

/** The kernel's memory for the options of one socket is used up (`net.core.optmem_max`). */
const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOBUFS' || error.code === 'ENOMEM')

/**
 * Memberships of one interface, on as many sockets as they need: Linux lets a socket hold only some hundreds.
 */
export class GroupSockets {
  readonly #open: () => GroupSocket
  readonly #sockets: GroupSocket[] = []
  readonly #holders = new Map<string, GroupSocket>()

  /** @param open makes another socket on the interface */
  constructor(open: () => GroupSocket) {
    this.#open = open
  }

  /**
   * Carries out what {@link GroupMembership} asks for.
   * @throws {SocketError} the kernel refuses a join
   */
  perform(actions: readonly GroupAction[]): void {
    for (const { type, group } of actions) {
      const text = formatAddress(group)
      if (type === 'join') this.#join(text)
      else this.#leave(text)
    }
  }

  #join(group: string): void {
    const last = this.#sockets.at(-1)
    if (last !== undefined) {
      try {
        last.joinGroup(group)
        this.#holders.set(group, last)
        return
      } catch (error) {
        if (!isFull(error)) throw error
      }
    }
    const fresh = this.#open()
    this.#sockets.push(fresh)
    fresh.joinGroup(group)
    this.#holders.set(group, fresh)
  }

  #leave(group: string): void {
    this.#holders.get(group)?.leaveGroup(group)
    this.#holders.delete(group)
  }

  /** Leaves every group. */
  close(): void {
    for (const socket of this.#sockets.splice(0)) socket.close()
    this.#holders.clear()
  }
}
