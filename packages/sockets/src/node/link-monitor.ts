import { callback, checkOptions, type Kinds, optional } from '@typemetal/options'
import type { SocketError } from '../errors.js'
import { NetlinkSocket } from './netlink.js'

const Group = { link: 0x1, ipv4Address: 0x10, ipv6Address: 0x100 } as const

/** What a {@link LinkMonitor} tells. */
export interface LinkMonitorOptions {
  /** Something about an interface or an address changed: list again. One call for all changes of one turn of the loop. */
  onChange(): void
  /** Netlink has failed for another reason than lost messages. Without this it is lost. */
  onError?(error: SocketError): void
}

const KINDS: Kinds<LinkMonitorOptions> = {
  onChange: callback<LinkMonitorOptions['onChange']>(),
  onError: optional(callback<NonNullable<LinkMonitorOptions['onError']>>()),
}

/**
 * Tells when interfaces or their addresses change: created, removed, up, down, renamed, another MAC, carrier, address added
 * or removed (RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR). Says that, not what: {@link RtnetlinkMonitor} does. Needs no
 * privilege. Holds the process open until closed.
 */
export class LinkMonitor implements Disposable {
  readonly #socket: NetlinkSocket
  readonly #onChange: () => void
  #pending: NodeJS.Immediate | undefined

  /**
   * @throws {TypeError} an option that cannot be, or an unknown one; the message begins with its name
   * @throws {SocketError} when the kernel refuses; `ENOSYS` off Linux
   */
  constructor(options: LinkMonitorOptions) {
    checkOptions(options, KINDS)
    this.#socket = new NetlinkSocket(Group.link | Group.ipv4Address | Group.ipv6Address)
    this.#onChange = () => options.onChange()
    try {
      this.#socket.watch({
        onMessages: () => this.#changed(),
        // Changes were lost because they came too fast: that, too, is a change.
        onLost: () => this.#changed(),
        onError: error => options.onError?.(error),
      })
    } catch (error) {
      this.close()
      throw error
    }
  }

  #changed(): void {
    this.#pending ??= setImmediate(() => {
      this.#pending = undefined
      this.#onChange()
    })
  }

  /** No call comes afterwards. Safe to call twice. */
  close(): void {
    clearImmediate(this.#pending)
    this.#socket.close()
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close()
  }
}
