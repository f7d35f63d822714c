import { isEmpty, type CapabilityCodec } from './capability.js'

/** BFD Strict-Mode capability, draft-ietf-idr-bgp-bfd-strict-mode section 5. */
export interface BfdStrictModeCapability {
  readonly type: 'bfd-strict-mode'
}

/** Codec of {@link BfdStrictModeCapability}. */
export const bfdStrictMode: CapabilityCodec<BfdStrictModeCapability> = {
  code: 74,
  type: 'bfd-strict-mode',
  allows: isEmpty,
  decode: () => ({ type: 'bfd-strict-mode' }),
  length: () => 0,
  encode() {},
}
