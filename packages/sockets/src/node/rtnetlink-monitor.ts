import { callback, checkOptions, type Kind, type Kinds, listOf, oneOf, optional } from '@typemetal/options'
import type { SocketError } from '../errors.js'
import { decodeRtnetlinkChange, type RtnetlinkChange, type RtnetlinkKind } from '../wire/rtnetlink-message.js'
import { NetlinkSocket } from './netlink.js'
import { bufferSize } from './socket-kinds.js'

/** Bits of the multicast groups that tell of each kind, both families (`RTMGRP_*`). */
const GROUPS: { readonly [K in RtnetlinkKind]: number } = { link: 0x1, neighbor: 0x4, address: 0x110, route: 0x440 }

/** What a {@link RtnetlinkMonitor} listens to. */
export interface RtnetlinkMonitorOptions {
  /** At least one. */
  readonly kinds: readonly RtnetlinkKind[]
  /** Octets the kernel may queue, some 200 to 1000 a change. @default net.core.rmem_default, usually 208 KB */
  readonly receiveBuffer?: number
  /** Changes in the order they came about, as many as there were. */
  onChanges(changes: readonly RtnetlinkChange[]): void
  /**
   * Changes were lost, because they came faster than they were read: list again. What comes later is told as before; a change can
   * be in the list and told once more.
   */
  onLost(): void
  /** Netlink has failed for another reason than lost messages. Without this it is lost. */
  onError?(error: SocketError): void
}

/** Some of the kinds there are. */
export const rtnetlinkKinds: Kind<readonly RtnetlinkKind[]> = (name, value) => {
  const kinds = listOf(oneOf(...(Object.keys(GROUPS) as RtnetlinkKind[])))(name, value)
  if (kinds.length === 0) throw new RangeError(`${name} must have one at least`)
  return kinds
}

const KINDS: Kinds<RtnetlinkMonitorOptions> = {
  kinds: rtnetlinkKinds,
  receiveBuffer: optional(bufferSize),
  onChanges: callback<RtnetlinkMonitorOptions['onChanges']>(),
  onLost: callback<RtnetlinkMonitorOptions['onLost']>(),
  onError: optional(callback<NonNullable<RtnetlinkMonitorOptions['onError']>>()),
}

/**
 * Tells what changes about interfaces, addresses, neighbours and routes: each change as a value, as the kernel's notification has
 * it. Open it first and list then: what changes in between is told, and nothing is missed. Callbacks come on the loop of the thread
 * that opened it. Needs no privilege. Holds the process open until closed.
 *
 * {@link LinkMonitor} is for those who list again anyway, {@link watchRtnetlink} for those who rather await.
 */
export class RtnetlinkMonitor implements Disposable {
  readonly #socket: NetlinkSocket

  /**
   * @throws {TypeError | RangeError} an option that cannot be, or an unknown one; the message begins with its name
   * @throws {SocketError} when the kernel refuses; `ENOSYS` off Linux
   */
  constructor(options: RtnetlinkMonitorOptions) {
    checkOptions(options, KINDS)
    this.#socket = new NetlinkSocket(groupsOf(options.kinds), options.receiveBuffer)
    try {
      this.#socket.watch({
        onMessages(messages) {
          const changes = messages.flatMap(message => decodeRtnetlinkChange(message) ?? [])
          if (changes.length > 0) options.onChanges(changes)
        },
        onLost: () => options.onLost(),
        onError: error => options.onError?.(error),
      })
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** No call comes afterwards. Safe to call twice, and from a callback. */
  close(): void {
    this.#socket.close()
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close()
  }
}

function groupsOf(kinds: readonly RtnetlinkKind[]): number {
  let groups = 0
  for (const kind of kinds) groups |= GROUPS[kind]
  return groups
}
