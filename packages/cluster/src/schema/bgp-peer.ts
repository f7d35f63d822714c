import { labelSelectors, type Schema } from './schema.js'

const MAX_ASN = 4_294_967_295
const asn = (minimum: number, description: string): Schema => ({
  type: 'integer',
  format: 'int64',
  minimum,
  maximum: MAX_ASN,
  description,
})
const text = (description: string): Schema => ({ type: 'string', description })
const flag = (description: string): Schema => ({ type: 'boolean', description })

/** `spec` of BGPPeer, metallb.io/v1beta2. Durations are texts in Go's syntax: `90s`, `1m30s`. */
export const BGP_PEER_SPEC: Schema = {
  type: 'object',
  required: ['myASN'],
  properties: {
    myASN: asn(0, 'AS number of the local end.'),
    peerASN: asn(0, 'AS number of the peer. Excludes dynamicASN.'),
    dynamicASN: {
      type: 'string',
      enum: ['internal', 'external'],
      description: 'Accept any peer AS equal to (internal) or different from (external) myASN.',
    },
    localASN: asn(1, 'AS number to show to this peer instead of myASN.'),
    peerAddress: text('Address to connect to. Excludes interface.'),
    interface: text('Interface for unnumbered peering. Excludes peerAddress.'),
    sourceAddress: text('Local address to connect from.'),
    peerPort: { type: 'integer', default: 179, minimum: 1, maximum: 16_384, description: 'TCP port of the peer.' },
    holdTime: text('Requested hold time: 0s or at least 3s.'),
    keepaliveTime: text('Time between KEEPALIVE messages; at most the hold time.'),
    connectTime: {
      ...text('Time between attempts to connect: whole seconds, 1s to 65535s.'),
      'x-kubernetes-validations': [
        {
          rule: 'duration(self).getSeconds() >= 1 && duration(self).getSeconds() <= 65535',
          message: 'connect time should be between 1 seconds to 65535',
        },
        {
          rule: 'duration(self).getMilliseconds() % 1000 == 0',
          message: 'connect time should contain a whole number of seconds',
        },
      ],
    },
    routerID: text('BGP Identifier, written as an IPv4 address.'),
    nodeSelectors: labelSelectors('Nodes that open the session. Empty: all.'),
    password: text('TCP-MD5 key (RFC 2385).'),
    passwordSecret: {
      type: 'object',
      'x-kubernetes-map-type': 'atomic',
      description:
        'Secret of type kubernetes.io/basic-auth in the MetalLB namespace; its key "password" is the TCP-MD5 key.',
      properties: { name: { type: 'string' }, namespace: { type: 'string' } },
    },
    bfdProfile: text('BFDProfile for the session.'),
    enableGracefulRestart: {
      ...flag('Graceful Restart (RFC 4724).'),
      'x-kubernetes-validations': [
        { rule: 'self == oldSelf', message: 'EnableGracefulRestart cannot be changed after creation' },
      ],
    },
    ebgpMultiHop: flag('The eBGP peer is more than one hop away.'),
    vrf: text('VRF of the host to connect from.'),
    disableMP: { ...flag('Deprecated; has no effect.'), default: false },
    dualStackAddressFamily: { ...flag('Carry both address families over the session.'), default: false },
  },
}
