import { BgpError } from '../../errors.js'

/** The octets of an MRT file break RFC 6396, or end in the middle of a record. */
export class MrtError extends BgpError {
  override readonly code = 'ERR_BGP_MRT'
  constructor(
    message: string,
    /** Octet where the fault starts: in the record, header included; in the whole stream where `readMrt` throws it. */
    readonly offset: number,
    options?: ErrorOptions,
  ) {
    super(`${message} (octet ${offset})`, options)
  }
}

/** Makes the error of a reader that runs out of octets. */
export const mrtError = (message: string, offset: number): MrtError => new MrtError(message, offset)
