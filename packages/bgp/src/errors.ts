/** Every error that this package raises for a reason outside the caller's code; compare `code`, not the class. */
export abstract class BgpError extends Error {
  /** Stable name of the kind of error, `ERR_BGP_…`. */
  abstract readonly code: string
  /** The name of the class, for logs. */
  override get name(): string {
    return this.constructor.name
  }
}

/** Something the machine or the installation lacks: a socket option, a package, an address. */
export class BgpSocketError extends BgpError {
  override readonly code = 'ERR_BGP_SOCKET'
}
