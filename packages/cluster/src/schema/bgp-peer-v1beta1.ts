import { asNumber, BGP_PEER_COLUMNS, BGP_PEER_TIMES } from './bgp-peer-fields.js'
import type { ResourceVersion } from './definition.js'
import { flag, type Schema, text } from './schema.js'

/** Older than the standard selector: no list is atomic, and an expression must have values. */
const SELECTOR: Schema = {
  type: 'object',
  properties: {
    matchLabels: {
      type: 'object',
      description: 'Labels and the values that they must have.',
      additionalProperties: { type: 'string' },
    },
    matchExpressions: {
      type: 'array',
      description: 'Further requirements.',
      items: {
        type: 'object',
        required: ['key', 'operator', 'values'],
        properties: {
          key: text('The label that it is about.'),
          operator: text('In or NotIn; operators without values can be said in v1beta2 only.'),
          values: { type: 'array', description: 'Values for the operator.', minItems: 1, items: { type: 'string' } },
        },
      },
    },
  },
}

const SPEC: Schema = {
  type: 'object',
  description: 'The router, and how to talk to it.',
  required: ['myASN', 'peerASN', 'peerAddress'],
  properties: {
    myASN: asNumber(0, 'AS number of the local end.'),
    peerASN: asNumber(0, 'AS number of the peer.'),
    peerAddress: text('Address to connect to.'),
    sourceAddress: text('Local address to connect from.'),
    peerPort: { type: 'integer', minimum: 0, maximum: 16_384, description: 'TCP port of the peer. 0: 179.' },
    ...BGP_PEER_TIMES,
    routerID: text('BGP Identifier, written as an IPv4 address.'),
    nodeSelectors: { type: 'array', description: 'Nodes that open the session. Empty: all.', items: SELECTOR },
    password: text('TCP-MD5 key (RFC 2385).'),
    bfdProfile: text('BFDProfile for the session.'),
    ebgpMultiHop: flag('The eBGP peer is more than one hop away.'),
  },
}

/** BGPPeer v1beta1: a subset of v1beta2, to which it is converted. */
export const BGP_PEER_V1BETA1 = {
  name: 'v1beta1',
  description: 'A router to announce addresses to.',
  deprecationWarning: 'v1beta1 is deprecated, please use v1beta2',
  spec: SPEC,
  columns: BGP_PEER_COLUMNS,
} as const satisfies ResourceVersion
