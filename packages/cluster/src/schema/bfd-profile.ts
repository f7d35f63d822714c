import { column, type ResourceDefinition } from './definition.js'
import { flag, type Schema } from './schema.js'

const integer = (minimum: number, maximum: number, description: string): Schema => ({
  type: 'integer',
  format: 'int32',
  minimum,
  maximum,
  description,
})

const SPEC: Schema = {
  type: 'object',
  description: 'How fast a lost peer is noticed, and at what cost.',
  properties: {
    receiveInterval: integer(10, 60_000, 'Required minimum receive interval in milliseconds; 300 when absent.'),
    transmitInterval: integer(10, 60_000, 'Desired minimum transmit interval in milliseconds; 300 when absent.'),
    detectMultiplier: integer(2, 255, 'Detection multiplier; 3 when absent.'),
    echoInterval: integer(10, 60_000, 'Echo receive interval in milliseconds; 50 when absent.'),
    echoMode: flag('Echo function; not for multihop and not for IPv6.'),
    passiveMode: flag("Wait for the peer's first packet."),
    minimumTtl: integer(1, 254, 'Multihop: lowest TTL accepted.'),
  },
}

/** BFDProfile: settings of the BFD sessions (RFC 5880) beside BGP sessions. */
export const BFD_PROFILE = {
  kind: 'BFDProfile',
  plural: 'bfdprofiles',
  versions: [
    {
      name: 'v1beta1',
      description: 'Settings of the BFD sessions (RFC 5880) beside BGP sessions.',
      spec: SPEC,
      columns: [
        column('Passive Mode', 'boolean', '.spec.passiveMode'),
        column('Transmit Interval', 'integer', '.spec.transmitInterval'),
        column('Receive Interval', 'integer', '.spec.receiveInterval'),
        column('Multiplier', 'integer', '.spec.detectMultiplier'),
      ],
    },
  ],
} as const satisfies ResourceDefinition
