import type { SocketError } from '../errors.js'
import {
  decodeNetlink,
  decodeNetlinkError,
  encodeNetlink,
  NetlinkFlag,
  NetlinkType,
  type NetlinkMessage,
} from '../wire/netlink.js'
import { AddressFamily, encodeNetlinkAddress } from '../wire/socket-address.js'
import { Descriptor, SocketType } from './descriptor.js'
import { Receiver } from './receiver.js'
import { check, systemError } from './system-error.js'

const NETLINK_ROUTE = 0
const DATAGRAM = 65_536 // the kernel fills at most 32 KB of a dump into one
const ATTEMPTS = 10
const SEQUENCE = 1

/** A socket for rtnetlink (rtnetlink(7)), a member of the groups in the bit set `groups`. */
export class NetlinkSocket implements Disposable {
  readonly #descriptor = new Descriptor(AddressFamily.netlink, SocketType.raw, NETLINK_ROUTE, 'NETLINK_ROUTE')
  readonly #receiver = new Receiver(this.#descriptor, { payloadSpace: DATAGRAM, batch: 1 })

  /** @throws {SocketError} when the kernel refuses */
  constructor(groups = 0) {
    try {
      this.#descriptor.bind(encodeNetlinkAddress(groups), 'NETLINK_ROUTE')
    } catch (error) {
      this.close()
      throw error
    }
  }

  /**
   * Everything of one kind, consistent: when the kernel says that it changed meanwhile, the dump is made again.
   *
   * @param decode makes a value of a message's payload; undefined leaves it out
   * @throws {SocketError} when the kernel refuses, or `EINTR` when it changed ten times in a row
   */
  dump<T>(type: number, request: Uint8Array, decode: (payload: Uint8Array) => T | undefined): readonly T[] {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const result = this.#dumpOnce(type, request, decode)
      if (result) return result
    }
    throw systemError(4, 'recvmsg', 'rtnetlink dump', 'the interfaces change faster than they can be listed')
  }

  #dumpOnce<T>(type: number, payload: Uint8Array, decode: (payload: Uint8Array) => T | undefined): T[] | undefined {
    const flags = NetlinkFlag.request | NetlinkFlag.dump
    const request = encodeNetlink({ type, flags, sequence: SEQUENCE, payload })
    check(
      this.#descriptor.native.send(this.#descriptor.number, [request], encodeNetlinkAddress()),
      'sendmsg',
      'rtnetlink',
    )
    const values: T[] = []
    let interrupted = false
    for (;;) {
      // The kernel makes a dump while it is read, so the answer is there as soon as the request has been sent.
      check(this.#receiver.receive(), 'recvmsg', 'rtnetlink dump')
      for (const message of decodeNetlink(this.#receiver.payload(0))) {
        if ((message.flags & NetlinkFlag.dumpInterrupted) !== 0) interrupted = true
        if (isEnd(message)) return interrupted ? undefined : values
        const value = decode(message.payload)
        if (value !== undefined) values.push(value)
      }
    }
  }

  /** Calls back for each datagram of the groups. @throws {SocketError} when the loop refuses */
  watch(onMessages: (messages: readonly NetlinkMessage[]) => void, onError: (error: SocketError) => void): void {
    this.#receiver.start(() => onMessages(decodeNetlink(this.#receiver.payload(0))), onError)
  }

  close(): void {
    this.#descriptor.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** @throws {SocketError} when the message is the kernel's refusal */
function isEnd({ type, payload }: NetlinkMessage): boolean {
  if (type === NetlinkType.error) check(-decodeNetlinkError(payload), 'sendmsg', 'rtnetlink')
  return type === NetlinkType.done
}
