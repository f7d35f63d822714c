import { MemberlistError } from '../errors.js'

/** What is wrong with the octets; each has its own counter in the driver. */
export type WireFault =
  | 'truncated' // the input ends too early; on a stream: wait for more
  | 'malformed' // breaks the encoding or a range
  | 'unsupported' // a type, algorithm or version nobody has defined
  | 'limit' // larger or deeper than we are willing to take
  | 'crc' // checksum mismatch
  | 'label' // the label header is not ours
  | 'decrypt' // no key opens it, or it is not encrypted although it must be

/** The peer's octets break the format. Our own caller's mistakes are RangeError or TypeError instead. */
export class WireError extends MemberlistError {
  override readonly code = 'ERR_MEMBERLIST_WIRE'
  constructor(
    readonly fault: WireFault,
    message: string,
    /** Octet, counted from the start of the innermost layer, where the fault was seen. */
    readonly offset = 0,
  ) {
    super(`${message} (octet ${offset})`)
  }
}
