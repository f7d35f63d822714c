import { isEmpty, type CapabilityCodec } from './capability.js'

/** BGP Extended Message capability, RFC 8654 section 3: the sender takes messages of up to 65,535 octets. */
export interface ExtendedMessageCapability {
  readonly type: 'extended-message'
}

/** Codec of {@link ExtendedMessageCapability}. */
export const extendedMessage: CapabilityCodec<ExtendedMessageCapability> = {
  code: 6,
  type: 'extended-message',
  allows: isEmpty,
  decode: () => ({ type: 'extended-message' }),
  length: () => 0,
  encode() {},
}
