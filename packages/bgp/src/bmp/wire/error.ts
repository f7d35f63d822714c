import { BgpError } from '../../errors.js'

/** The octets of a BMP message break RFC 7854, and what follows them on the connection cannot be trusted. */
export class BmpError extends BgpError {
  override readonly code = 'ERR_BGP_BMP'
  constructor(
    message: string,
    /** Octet in the message, common header included, where the fault starts. */
    readonly offset: number,
  ) {
    super(`${message} (octet ${offset})`)
  }
}

/** Makes the error of a reader that runs out of octets. */
export const bmpError = (message: string, offset: number): BmpError => new BmpError(message, offset)
