import { LITTLE_ENDIAN, viewOf } from './endian.js'

/** One netlink message (RFC 3549 section 2.3.2, netlink(7)). `payload` is a view into the input. */
export interface NetlinkMessage {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly payload: Uint8Array
}

/** One attribute: `struct rtattr` (rtnetlink(7)). `data` is a view into the input. */
export interface NetlinkAttribute {
  readonly type: number
  readonly data: Uint8Array
}

/** Message types that every netlink family shares, and those of rtnetlink this package knows. */
export const NetlinkType = {
  error: 2,
  done: 3,
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  newAddress: 20,
  deleteAddress: 21,
  getAddress: 22,
  newRoute: 24,
  deleteRoute: 25,
  getRoute: 26,
  newNeighbor: 28,
  deleteNeighbor: 29,
  getNeighbor: 30,
} as const

/** Flags of a message's header. */
export const NetlinkFlag = { request: 0x1, acknowledge: 0x4, dumpInterrupted: 0x10, dump: 0x300 } as const

const HEADER_LENGTH = 16
const ATTRIBUTE_HEADER_LENGTH = 4
const NESTED_AND_ORDER_BITS = 0xc000
/** Rounds up to the next multiple of four octets, where the next message or attribute begins. */
export const align = (length: number): number => (length + 3) & ~3

/** The messages in one datagram. Ends early at a length that does not fit. */
export function decodeNetlink(datagram: Uint8Array): readonly NetlinkMessage[] {
  const messages: NetlinkMessage[] = []
  const view = viewOf(datagram)
  for (let at = 0; at + HEADER_LENGTH <= datagram.length;) {
    const length = view.getUint32(at, LITTLE_ENDIAN)
    if (length < HEADER_LENGTH || length > datagram.length - at) break
    messages.push({
      type: view.getUint16(at + 4, LITTLE_ENDIAN),
      flags: view.getUint16(at + 6, LITTLE_ENDIAN),
      sequence: view.getUint32(at + 8, LITTLE_ENDIAN),
      payload: datagram.subarray(at + HEADER_LENGTH, at + length),
    })
    at += align(length)
  }
  return messages
}

/** One message as a datagram, the inverse of {@link decodeNetlink}. */
export function encodeNetlink({ type, flags, sequence, payload }: NetlinkMessage): Uint8Array {
  const result = new Uint8Array(HEADER_LENGTH + align(payload.length))
  const view = viewOf(result)
  view.setUint32(0, HEADER_LENGTH + payload.length, LITTLE_ENDIAN)
  view.setUint16(4, type, LITTLE_ENDIAN)
  view.setUint16(6, flags, LITTLE_ENDIAN)
  view.setUint32(8, sequence, LITTLE_ENDIAN)
  result.set(payload, HEADER_LENGTH)
  return result
}

/** The attributes behind a message's fixed part. Ends early at a length that does not fit. */
export function decodeAttributes(octets: Uint8Array): readonly NetlinkAttribute[] {
  const attributes: NetlinkAttribute[] = []
  const view = viewOf(octets)
  for (let at = 0; at + ATTRIBUTE_HEADER_LENGTH <= octets.length;) {
    const length = view.getUint16(at, LITTLE_ENDIAN)
    if (length < ATTRIBUTE_HEADER_LENGTH || length > octets.length - at) break
    const type = view.getUint16(at + 2, LITTLE_ENDIAN) & ~NESTED_AND_ORDER_BITS
    attributes.push({ type, data: octets.subarray(at + ATTRIBUTE_HEADER_LENGTH, at + length) })
    at += align(length)
  }
  return attributes
}

/** Attributes as octets, the inverse of {@link decodeAttributes}. @throws {RangeError} one is longer than 65,531 octets */
export function encodeAttributes(attributes: readonly NetlinkAttribute[]): Uint8Array {
  const lengths = attributes.map(({ data }) => align(ATTRIBUTE_HEADER_LENGTH + data.length))
  const result = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0))
  const view = viewOf(result)
  let at = 0
  attributes.forEach(({ type, data }, index) => {
    const length = ATTRIBUTE_HEADER_LENGTH + data.length
    if (length > 0xffff) throw new RangeError(`data: ${data.length} octets do not fit in an attribute`)
    view.setUint16(at, length, LITTLE_ENDIAN)
    view.setUint16(at + 2, type, LITTLE_ENDIAN)
    result.set(data, at + ATTRIBUTE_HEADER_LENGTH)
    at += lengths[index]!
  })
  return result
}

/** A 32-bit number of an attribute; `undefined` when there are too few octets. */
export const readWord = (data: Uint8Array): number | undefined =>
  data.length < 4 ? undefined : viewOf(data).getUint32(0, LITTLE_ENDIAN)

/** The data of an attribute that is a 32-bit number, the inverse of {@link readWord}. */
export function writeWord(value: number): Uint8Array {
  const data = new Uint8Array(4)
  viewOf(data).setUint32(0, value, LITTLE_ENDIAN)
  return data
}

/** The text of an attribute, up to its first zero octet. */
export function readText(data: Uint8Array): string {
  const end = data.indexOf(0)
  return new TextDecoder().decode(end < 0 ? data : data.subarray(0, end))
}

/** The positive error number that an error message (`nlmsgerr`) or the end of a dump carries; 0 is an acknowledgement. */
export function decodeNetlinkError(payload: Uint8Array): number {
  return payload.length < 4 ? 0 : -viewOf(payload).getInt32(0, LITTLE_ENDIAN)
}
