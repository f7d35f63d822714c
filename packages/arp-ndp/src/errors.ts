/** Base of every error that this package throws on its own account; compare `code`. */
export abstract class Layer2Error extends Error {
  /** Stable name of the fault, `ERR_L2_…`. */
  abstract readonly code: string
}

/**
 * What is wrong with a peer's octets:
 * `truncated` (they end before a length says), `bad-length` (a length field that cannot be right),
 * `bad-field` (a fixed field with a value that this protocol does not have), `multicast-target` (RFC 4861 §7.1.1).
 */
export type WireFault = 'truncated' | 'bad-length' | 'bad-field' | 'multicast-target'

/** A peer's octets break the rules of their protocol. Our own caller's mistakes are a `RangeError` or `TypeError`. */
export class WireError extends Layer2Error {
  override readonly code = 'ERR_L2_WIRE'
  override readonly name = 'WireError'

  constructor(
    /** What is wrong, without the octet. */
    readonly rule: string,
    /** Octet of the decoder's input where the fault starts; the input's length when it ends too early. */
    readonly offset: number,
    /** Class of the fault, for counting. */
    readonly fault: WireFault,
  ) {
    super(`${rule} (octet ${offset})`)
  }
}

/** The `Layer2` handle was closed, or its worker has died (`cause`), before the request was answered. */
export class ClosedError extends Layer2Error {
  override readonly code = 'ERR_L2_CLOSED'
  override readonly name = 'ClosedError'
}
