import { parseDuration } from '../config/duration.js'
import { BGP_PEER_V1BETA1 } from './bgp-peer-v1beta1.js'
import { BGP_PEER_COLUMNS, BGP_PEER_TIMES, asNumber } from './bgp-peer-fields.js'
import type { ResourceDefinition } from './definition.js'
import { flag, labelSelectors, type Rule, type Schema, text } from './schema.js'

/** Milliseconds as CEL counts them: what is less than one does not count. */
const milliseconds = (duration: string): number => Math.trunc((parseDuration(duration) ?? Number.NaN) * 1000)

const CONNECT_TIME: readonly Rule[] = [
  {
    rule: 'duration(self).getSeconds() >= 1 && duration(self).getSeconds() <= 65535',
    message: 'connectTime must be a duration from 1s to 65535s, such as 90s or 1m30s',
    holds: (self: string) => {
      const seconds = Math.trunc(milliseconds(self) / 1000)
      return seconds >= 1 && seconds <= 65_535
    },
  },
  {
    rule: 'duration(self).getMilliseconds() % 1000 == 0',
    message: 'connectTime must be a whole number of seconds',
    // What is no duration at all is refused by the first rule; the API server refuses it twice.
    holds: (self: string) => parseDuration(self) === undefined || milliseconds(self) % 1000 === 0,
  },
]

const UNCHANGED: Rule = {
  rule: 'self == oldSelf',
  message: 'enableGracefulRestart cannot be changed after creation',
  holds: (self: boolean, oldSelf: boolean) => self === oldSelf,
}

const SPEC: Schema = {
  type: 'object',
  description: 'The router, and how to talk to it.',
  required: ['myASN'],
  properties: {
    myASN: asNumber(0, 'AS number of the local end.'),
    peerASN: asNumber(0, 'AS number of the peer. Excludes dynamicASN.'),
    dynamicASN: {
      ...text('Accept any peer AS equal to (internal) or different from (external) myASN.'),
      enum: ['internal', 'external'],
    },
    localASN: asNumber(1, 'AS number to show to this peer instead of myASN.'),
    peerAddress: text('Address to connect to. Excludes interface.'),
    interface: text('Interface for unnumbered peering. Excludes peerAddress.'),
    sourceAddress: text('Local address to connect from.'),
    peerPort: { type: 'integer', default: 179, minimum: 1, maximum: 16_384, description: 'TCP port of the peer.' },
    ...BGP_PEER_TIMES,
    connectTime: {
      ...text('Time between attempts to connect: whole seconds, 1s to 65535s.'),
      'x-kubernetes-validations': CONNECT_TIME,
    },
    routerID: text('BGP Identifier, written as an IPv4 address.'),
    nodeSelectors: labelSelectors('Nodes that open the session. Empty: all.'),
    password: text('TCP-MD5 key (RFC 2385).'),
    passwordSecret: {
      type: 'object',
      'x-kubernetes-map-type': 'atomic',
      description:
        'Secret of type kubernetes.io/basic-auth in the MetalLB namespace; its key "password" is the TCP-MD5 key.',
      properties: {
        name: text('Name of the Secret.'),
        namespace: text('Not used: the Secret is in the MetalLB namespace.'),
      },
    },
    bfdProfile: text('BFDProfile for the session.'),
    enableGracefulRestart: { ...flag('Graceful Restart (RFC 4724).'), 'x-kubernetes-validations': [UNCHANGED] },
    ebgpMultiHop: flag('The eBGP peer is more than one hop away.'),
    vrf: text('VRF of the host to connect from.'),
    disableMP: { ...flag('Deprecated; has no effect.'), default: false },
    dualStackAddressFamily: { ...flag('Carry both address families over the session.'), default: false },
  },
}

/** BGPPeer: a router to announce addresses to. Durations are texts in Go's syntax: `90s`, `1m30s`. */
export const BGP_PEER = {
  kind: 'BGPPeer',
  plural: 'bgppeers',
  versions: [
    { name: 'v1beta2', description: 'A router to announce addresses to.', spec: SPEC, columns: BGP_PEER_COLUMNS },
    BGP_PEER_V1BETA1,
  ],
} as const satisfies ResourceDefinition
