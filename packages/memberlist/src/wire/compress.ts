import { WireError } from './error.js'
import { lzwDecode, lzwEncode } from './lzw.js'
import { MessageType } from './message-type.js'
import { Reader, StructReader, Writer } from './msgpack/index.js'

/** Algorithm number of LZW, the only one there is. */
export const LZW = 0

/** A compressed message. */
export interface Compress {
  readonly algo: number
  /** Compressed octets; after decoding a view. */
  readonly buf: Uint8Array | undefined
}

const struct = new StructReader<Compress>(() => ({ algo: 0, buf: undefined }), {
  Algo: (r, m) => void (m.algo = r.uint(0xff)),
  Buf: (r, m) => void (m.buf = r.bytes()),
})

/** Reads the body of a compress message. @throws {WireError} */
export const readCompress = (reader: Reader): Compress => struct.read(reader)

/**
 * The message inside.
 *
 * @param limit most octets to expand to
 * @throws {WireError} `unsupported` algorithm, `malformed` when nothing comes out, and what {@link lzwDecode} throws
 */
export function expand(m: Compress, limit: number): Uint8Array {
  if (m.algo !== LZW) throw new WireError('unsupported', `compression algorithm ${m.algo}`)
  const inner = lzwDecode(m.buf ?? new Uint8Array(), limit)
  if (inner.length === 0) throw new WireError('malformed', 'compressed message is empty')
  return inner
}

/** @param message type octet and body @throws {WireError} */
export const decodeCompress = (message: Uint8Array, limit: number): Uint8Array =>
  expand(readCompress(new Reader(message, 1)), limit)

/**
 * Compresses a message, type octet included.
 *
 * @throws {RangeError} when the message is empty: older peers crash on that
 */
export function encodeCompress(inner: Uint8Array): Uint8Array {
  if (inner.length === 0) throw new RangeError('nothing to compress')
  const buf = lzwEncode(inner)
  return new Writer(24 + buf.length).octet(MessageType.Compress).map(2).uint('Algo', LZW).bytes('Buf', buf).finish()
}
