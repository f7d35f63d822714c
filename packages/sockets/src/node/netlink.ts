import type { SocketError } from '../errors.js'
import {
  decodeNetlink,
  decodeNetlinkError,
  encodeNetlink,
  NetlinkFlag,
  NetlinkType,
  type NetlinkMessage,
} from '../wire/netlink.js'
import {
  AddressFamily,
  decodeNetlinkPort,
  encodeNetlinkAddress,
  NETLINK_ADDRESS_LENGTH,
} from '../wire/socket-address.js'
import { Descriptor, SocketType } from './descriptor.js'
import { Receiver } from './receiver.js'
import { check, systemError } from './system-error.js'

const NETLINK_ROUTE = 0
const SOL_NETLINK = 270
const NETLINK_GET_STRICT_CHK = 12
const EINTR = 4
/** The kernel fills at most 32 KB of a dump into a datagram. */
const DUMP = { payloadSpace: 65_536, nameSpace: NETLINK_ADDRESS_LENGTH, batch: 1 } as const
/** A notification is one message; the longest, of an interface, has some 2 KB. */
const NOTIFICATIONS = { payloadSpace: 16_384, nameSpace: NETLINK_ADDRESS_LENGTH, batch: 32 } as const
const ATTEMPTS = 10
const ENOBUFS = 105
/** Batches; far more than a receive buffer has room for. */
const DISCARD_ROUNDS = 10_000

/** What a {@link NetlinkSocket} hears. */
export interface NetlinkListener {
  /** Messages of one batch, in order. Views that the next batch overwrites. */
  onMessages(messages: readonly NetlinkMessage[]): void
  /** Messages were lost: they came faster than they were read. */
  onLost(): void
  onError(error: SocketError): void
}

/** A socket for rtnetlink (rtnetlink(7)): either for dumps, or a member of multicast groups that is watched. */
export class NetlinkSocket implements Disposable {
  readonly #descriptor = new Descriptor(AddressFamily.netlink, SocketType.raw, NETLINK_ROUTE, 'NETLINK_ROUTE')
  readonly #receiver: Receiver
  #sequence = 0
  #interrupted = false

  /**
   * @param groups bit set of groups to be a member of; 0 for dumps
   * @param receiveBuffer octets the kernel may queue
   * @throws {SocketError} when the kernel refuses
   */
  constructor(groups = 0, receiveBuffer?: number) {
    this.#receiver = new Receiver(this.#descriptor, groups === 0 ? DUMP : NOTIFICATIONS)
    try {
      // Without it the kernel takes no notice of what a request for a dump asks for, and answers with everything.
      this.#descriptor.setOption(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1, 'NETLINK_GET_STRICT_CHK')
      if (receiveBuffer !== undefined) this.#descriptor.setReceiveBuffer(receiveBuffer)
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
      const values: T[] = []
      for (const batch of this.batches(type, request, decode)) values.push(...batch)
      if (!this.#interrupted) return values
    }
    throw interrupted()
  }

  /** Whether what the last dump was about changed before it was read to its end. */
  get interrupted(): boolean {
    return this.#interrupted
  }

  /**
   * A dump as it comes: what one datagram of at most 32 KB holds at a time. The kernel makes the next one when it is asked for.
   *
   * @throws {SocketError} when the kernel refuses
   */
  *batches<T>(type: number, payload: Uint8Array, decode: (payload: Uint8Array) => T | undefined): Generator<T[]> {
    const sequence = this.#request(type, payload)
    for (;;) {
      // The kernel makes a dump while it is read, so the answer is there as soon as the request has been sent.
      check(this.#receiver.receive(), 'recvmsg', 'rtnetlink dump')
      const values: T[] = []
      let isLast = false
      for (const message of this.#messages(0)) {
        if (message.sequence !== sequence) continue // of a dump that was left before its end
        if ((message.flags & NetlinkFlag.dumpInterrupted) !== 0) this.#interrupted = true
        isLast ||= isEnd(message)
        const value = isLast ? undefined : decode(message.payload)
        if (value !== undefined) values.push(value)
      }
      if (values.length > 0) yield values
      if (isLast) return
    }
  }

  #request(type: number, payload: Uint8Array): number {
    const flags = NetlinkFlag.request | NetlinkFlag.dump
    const request = encodeNetlink({ type, flags, sequence: ++this.#sequence, payload })
    const { native, number } = this.#descriptor
    check(native.send(number, [request], encodeNetlinkAddress()), 'sendmsg', 'rtnetlink')
    this.#interrupted = false
    return this.#sequence
  }

  /** Calls back for what comes from the groups. @throws {SocketError} when the loop refuses */
  watch(listener: NetlinkListener): void {
    let truncated = 0
    const onBatch = (count: number): void => {
      const messages: NetlinkMessage[] = []
      for (let slot = 0; slot < count; slot++) messages.push(...this.#messages(slot))
      listener.onMessages(messages)
      if (this.#receiver.truncated === truncated) return
      truncated = this.#receiver.truncated
      listener.onLost()
    }
    this.#receiver.start(onBatch, error => {
      if (error.code !== 'ENOBUFS') return listener.onError(error)
      this.#discard()
      return listener.onLost()
    })
  }

  /**
   * Reads away what is queued. What was lost came after it: whoever lists again and hears then, for instance, that an address is
   * new, and never that it went, would have it wrong for good.
   */
  #discard(): void {
    for (let round = 0; round < DISCARD_ROUNDS; round++) {
      const count = this.#receiver.receive()
      if (count < 0 && count !== -ENOBUFS) return
    }
  }

  /** Messages of the datagram in a slot; none of one that another process sent. */
  #messages(slot: number): readonly NetlinkMessage[] {
    const { name, payload } = this.#receiver.message(slot)
    return decodeNetlinkPort(name) === 0 ? decodeNetlink(payload) : []
  }

  close(): void {
    this.#descriptor.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** The error of a dump that is not consistent. */
export const interrupted = (): SocketError =>
  systemError(EINTR, 'recvmsg', 'rtnetlink dump', 'it changes faster than it can be listed')

/** @throws {SocketError} when the message is the kernel's refusal, or says that the dump failed on its way */
function isEnd({ type, payload }: NetlinkMessage): boolean {
  if (type !== NetlinkType.error && type !== NetlinkType.done) return false
  check(-decodeNetlinkError(payload), 'sendmsg', 'rtnetlink')
  return true
}
