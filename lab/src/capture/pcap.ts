/** The classic pcap file format: draft-ietf-opsawg-pcap, link type Ethernet. */

/** Octets of the file header. */
const FILE_HEADER_LENGTH = 24
/** Octets before each frame. */
const RECORD_HEADER_LENGTH = 16
/** Little-endian, time stamps in nanoseconds. */
const MAGIC_NANOSECONDS = 0xa1b23c4d
const LINKTYPE_ETHERNET = 1
/** Larger than any frame of a virtual interface. */
const SNAP_LENGTH = 262_144

/** The header that every pcap file starts with. */
export function encodeFileHeader(): Uint8Array {
  const octets = new Uint8Array(FILE_HEADER_LENGTH)
  const view = new DataView(octets.buffer)
  view.setUint32(0, MAGIC_NANOSECONDS, true)
  view.setUint16(4, 2, true)
  view.setUint16(6, 4, true)
  view.setUint32(16, SNAP_LENGTH, true)
  view.setUint32(20, LINKTYPE_ETHERNET, true)
  return octets
}

/**
 * One frame with its header, copied.
 * @param time nanoseconds since 1970
 */
export function encodeRecord(frame: Uint8Array, time: bigint): Uint8Array {
  const octets = new Uint8Array(RECORD_HEADER_LENGTH + frame.length)
  const view = new DataView(octets.buffer)
  view.setUint32(0, Number(time / 1_000_000_000n), true)
  view.setUint32(4, Number(time % 1_000_000_000n), true)
  view.setUint32(8, frame.length, true)
  view.setUint32(12, frame.length, true)
  octets.set(frame, RECORD_HEADER_LENGTH)
  return octets
}
