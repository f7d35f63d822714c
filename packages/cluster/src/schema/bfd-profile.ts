import type { Schema } from './schema.js'

const integer = (minimum: number, maximum: number, description: string): Schema => ({
  type: 'integer',
  format: 'int32',
  minimum,
  maximum,
  description,
})

/** `spec` of BFDProfile, metallb.io/v1beta1. Intervals in milliseconds. */
export const BFD_PROFILE_SPEC: Schema = {
  type: 'object',
  properties: {
    receiveInterval: integer(10, 60_000, 'Required minimum receive interval in milliseconds; 300 when absent.'),
    transmitInterval: integer(10, 60_000, 'Desired minimum transmit interval in milliseconds; 300 when absent.'),
    detectMultiplier: integer(2, 255, 'Detection multiplier; 3 when absent.'),
    echoInterval: integer(10, 60_000, 'Echo receive interval in milliseconds; 50 when absent.'),
    echoMode: { type: 'boolean', description: 'Echo function; not for multihop and not for IPv6.' },
    passiveMode: { type: 'boolean', description: "Wait for the peer's first packet." },
    minimumTtl: integer(1, 254, 'Multihop: lowest TTL accepted.'),
  },
}
