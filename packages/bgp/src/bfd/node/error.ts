import { BgpError } from '../../errors.js'

/** BFD cannot run, or has ceased to: what is missing, or who is in the way. */
export class BfdError extends BgpError {
  override readonly code = 'ERR_BGP_BFD'
}
