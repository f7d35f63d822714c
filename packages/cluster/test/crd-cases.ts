/**
 * Objects that an API server with our CustomResourceDefinitions takes or refuses, and what it makes of them. The same table is held
 * against `reviewObject` and against a real API server.
 */
import type { KubernetesObject } from '@typemetal/cluster'
import { bfd, bgp, l2, NAMESPACE, peer, pool } from './objects.js'

/** One write of an object. */
export interface Case {
  readonly name: string
  readonly object: KubernetesObject
  /** The object before; absent: it is created. */
  readonly old?: KubernetesObject
  readonly subresource?: 'status'
  /** Faults as `field: reason`; absent: the object is taken. */
  readonly refused?: readonly string[]
  /** Fields that are dropped. */
  readonly unknown?: readonly string[]
  /** `spec` as it is stored, or the status where that is written; absent: as it was sent. */
  readonly stored?: object
}

type AnyFields = Readonly<Record<string, unknown>>

const object = (kind: string, fields: AnyFields, apiVersion = 'metallb.io/v1beta1'): KubernetesObject => ({
  apiVersion,
  kind,
  metadata: { name: 'x', namespace: NAMESPACE },
  ...fields,
})
/** The same object as an older version of BGPPeer. */
const older = (spec: AnyFields): KubernetesObject => object('BGPPeer', { spec })

const DEFAULTS = { autoAssign: true, avoidBuggyIPs: false }
const ADDRESSES = ['10.0.0.0/24']
const FULL_POOL = {
  addresses: ADDRESSES,
  autoAssign: false,
  avoidBuggyIPs: true,
  serviceAllocation: {
    priority: -5,
    namespaces: ['a'],
    namespaceSelectors: [{ matchLabels: { a: 'b' } }],
    serviceSelectors: [{ matchExpressions: [{ key: 'a', operator: 'whatever', values: ['b'] }] }],
  },
}

const withStatus = (status: AnyFields): KubernetesObject => object('IPAddressPool', { spec: FULL_POOL, status })

const pools: readonly Case[] = [
  { name: 'all fields', object: pool('x', FULL_POOL) },
  { name: 'defaults', object: pool('x', ADDRESSES), stored: { addresses: ADDRESSES, ...DEFAULTS } },
  { name: 'no addresses: the schema does not mind', object: pool('x', []), stored: { addresses: [], ...DEFAULTS } },
  { name: 'no spec', object: object('IPAddressPool', {}), refused: ['spec: missing required field'] },
  { name: 'spec null', object: object('IPAddressPool', { spec: null }), refused: ['spec: missing required field'] },
  { name: 'addresses absent', object: pool('x', {}), refused: ['spec.addresses: missing required field'] },
  {
    name: 'null counts as absent',
    object: pool('x', { addresses: ADDRESSES, autoAssign: null, serviceAllocation: null }),
    stored: { addresses: ADDRESSES, ...DEFAULTS },
  },
  { name: 'null in a list', object: pool('x', [null]), refused: ['spec.addresses[0]: must be a text, not null'] },
  {
    name: 'types',
    object: pool('x', { addresses: [5], autoAssign: 'yes', serviceAllocation: { priority: 1.5, namespaces: 'x' } }),
    refused: [
      'spec.addresses[0]: must be a text, not 5',
      'spec.autoAssign: must be true or false, not the text "yes"',
      'spec.serviceAllocation.priority: must be a whole number, not 1.5',
      'spec.serviceAllocation.namespaces: must be a list, not the text "x"',
    ],
  },
  {
    name: 'unknown fields are dropped',
    object: pool('x', { addresses: ADDRESSES, ...DEFAULTS, autoAsign: true, serviceAllocation: { autoAssign: true } }),
    unknown: [
      'spec.autoAsign: unknown field; did you mean spec.autoAssign?',
      'spec.serviceAllocation.autoAssign: unknown field; did you mean spec.autoAssign?',
    ],
    stored: { addresses: ADDRESSES, ...DEFAULTS, serviceAllocation: {} },
  },
  {
    name: 'a status in the object is nobody’s business but the status’s',
    object: withStatus({ assignedIPv4: 'x' }),
  },
  {
    name: 'a whole number of 65 bits',
    object: pool('x', { addresses: ADDRESSES, serviceAllocation: { priority: 2n ** 64n } }),
    refused: ['spec.serviceAllocation.priority: invalid value 18446744073709551616, must fit in 64 bits'],
  },
]

const status = { assignedIPv4: 1, assignedIPv6: 2, availableIPv4: 3, availableIPv6: 2n ** 63n - 1n }
const poolStatus: readonly Case[] = [
  {
    name: 'counters up to 2^63-1, exactly',
    old: pool('x', FULL_POOL),
    object: withStatus(status),
    subresource: 'status',
    stored: status,
  },
  {
    name: 'all counters or none',
    old: pool('x', FULL_POOL),
    object: withStatus({ assignedIPv4: 1 }),
    subresource: 'status',
    refused: [
      'status.assignedIPv6: missing required field',
      'status.availableIPv4: missing required field',
      'status.availableIPv6: missing required field',
    ],
  },
]

const selectors: readonly Case[] = [
  {
    name: 'a selector without key, without operator, with numbers',
    object: l2('x', {
      nodeSelectors: [{ matchExpressions: [{ operator: 'In' }, { key: 'a', values: [5] }], matchLabels: { a: 5 } }],
    }),
    refused: [
      'spec.nodeSelectors[0].matchLabels.a: must be a text, not 5',
      'spec.nodeSelectors[0].matchExpressions[0].key: missing required field',
      'spec.nodeSelectors[0].matchExpressions[1].operator: missing required field',
      'spec.nodeSelectors[0].matchExpressions[1].values[0]: must be a text, not 5',
    ],
  },
  {
    name: 'null among labels',
    object: l2('x', { nodeSelectors: [{ matchLabels: { a: null, b: '1' } }] }),
    stored: { nodeSelectors: [{ matchLabels: { b: '1' } }] },
  },
]

const weighed = (weight: unknown): KubernetesObject => l2('x', { preferredNodeSelectors: [{ weight, preference: {} }] })
const advertisements: readonly Case[] = [
  { name: 'an L2Advertisement without spec', object: object('L2Advertisement', {}) },
  { name: 'weights 1 and 100', object: weighed(1) },
  { name: 'weight 100', object: weighed(100) },
  ...[0, 101].map(weight => ({
    name: `weight ${weight}`,
    object: weighed(weight),
    refused: [`spec.preferredNodeSelectors[0].weight: invalid value ${weight}, must be in 1-100 range`],
  })),
  {
    name: 'a preference without anything',
    object: l2('x', { preferredNodeSelectors: [{}] }),
    refused: [
      'spec.preferredNodeSelectors[0].weight: missing required field',
      'spec.preferredNodeSelectors[0].preference: missing required field',
    ],
  },
  { name: 'lengths by default', object: bgp('x'), stored: { aggregationLength: 32, aggregationLengthV6: 128 } },
  {
    name: 'length 0',
    object: bgp('x', { aggregationLength: 0 }),
    refused: ['spec.aggregationLength: invalid value 0, must be at least 1'],
  },
  {
    name: 'a length of 32 bits',
    object: bgp('x', { aggregationLength: 2 ** 31, aggregationLengthV6: -(2 ** 31) - 1 }),
    refused: [
      'spec.aggregationLength: invalid value 2147483648, must fit in 32 bits',
      'spec.aggregationLengthV6: invalid value -2147483649, must fit in 32 bits',
    ],
  },
  {
    name: 'numbers that only the rules of the configuration refuse, and LOCAL_PREF of 32 bits',
    object: bgp('x', { aggregationLength: 33, aggregationLengthV6: -1, localPref: 4_294_967_295 }),
  },
]

const BOTH =
  'spec: serviceSelectors and aggregationLength are mutually exclusive: only the default lengths (32 and 128) may be combined with serviceSelectors'
const exclusive: readonly Case[] = [
  {
    name: 'serviceSelectors with default lengths',
    object: bgp('x', { serviceSelectors: [{}] }),
    stored: { aggregationLength: 32, aggregationLengthV6: 128, serviceSelectors: [{}] },
  },
  {
    name: 'serviceSelectors with an IPv4 length',
    object: bgp('x', { serviceSelectors: [{}], aggregationLength: 24 }),
    refused: [BOTH],
  },
  {
    name: 'serviceSelectors with an IPv6 length',
    object: bgp('x', { serviceSelectors: [{}], aggregationLengthV6: 64 }),
    refused: [BOTH],
  },
  {
    name: 'no serviceSelectors, in a list',
    object: bgp('x', { serviceSelectors: [], aggregationLength: 24, aggregationLengthV6: 64 }),
  },
  {
    name: 'a rule is not asked about a value of the wrong shape',
    object: bgp('x', { serviceSelectors: 'all', aggregationLength: 24 }),
    refused: ['spec.serviceSelectors: must be a list, not the text "all"'],
  },
]

const PORTS = { peerPort: 179, disableMP: false, dualStackAddressFamily: false }
const PEER = { myASN: 64_512, peerASN: 64_513, peerAddress: '10.10.0.1' }
const asns: readonly Case[] = [
  { name: 'a peer gets defaults', object: peer('x'), stored: { ...PEER, ...PORTS } },
  {
    name: 'only myASN is required',
    object: object('BGPPeer', { spec: {} }, 'metallb.io/v1beta2'),
    refused: ['spec.myASN: missing required field'],
  },
  {
    name: 'the ends of ranges',
    object: peer('x', { ...PORTS, myASN: 0, peerASN: 4_294_967_295, localASN: 1, peerPort: 16_384 }),
  },
  {
    name: 'beyond the ends of ranges',
    object: peer('x', { myASN: -1, peerASN: 4_294_967_296, localASN: 0, peerPort: 0, dynamicASN: 'any' }),
    refused: [
      'spec.myASN: invalid value -1, must be in 0-4294967295 range',
      'spec.peerASN: invalid value 4294967296, must be in 0-4294967295 range',
      'spec.dynamicASN: invalid dynamicASN "any": must be internal or external',
      'spec.localASN: invalid value 0, must be in 1-4294967295 range',
      'spec.peerPort: invalid value 0, must be in 1-16384 range',
    ],
  },
  {
    name: 'the key of a Secret is not to be chosen',
    object: peer('x', { ...PORTS, passwordSecret: { name: 's', key: 'password' } }),
    unknown: ['spec.passwordSecret.key: unknown field; there are name, namespace'],
    stored: { ...PEER, ...PORTS, passwordSecret: { name: 's' } },
  },
]

const RANGE = 'connectTime must be a duration from 1s to 65535s, such as 90s or 1m30s'
const WHOLE = 'connectTime must be a whole number of seconds'
const connectTimes: readonly Case[] = [
  ...['1s', '65535s', '1m30s', '18h', '1000ms', '1.0005s'].map(connectTime => ({
    name: `connectTime ${connectTime}`,
    object: peer('x', { ...PORTS, connectTime }),
  })),
  ...(
    [
      ['0s', RANGE],
      ['65536s', RANGE],
      ['-5s', RANGE],
      ['500ms', RANGE, WHOLE],
      ['1.5s', WHOLE],
      ['90', RANGE],
      ['soon', RANGE],
      ['', RANGE],
    ] as const
  ).map(([connectTime, ...messages]) => ({
    name: `connectTime "${connectTime}"`,
    object: peer('x', { ...PORTS, connectTime }),
    refused: messages.map(message => `spec.connectTime: invalid value "${connectTime}": ${message}`),
  })),
]

const graceful = (value?: boolean): KubernetesObject =>
  peer('x', { ...PORTS, ...(value !== undefined && { enableGracefulRestart: value }) })
const transitions: readonly Case[] = [
  { name: 'graceful restart stays', old: graceful(true), object: graceful(true) },
  { name: 'graceful restart may come', old: graceful(), object: graceful(true) },
  { name: 'graceful restart may go', old: graceful(true), object: graceful() },
  {
    name: 'graceful restart may not change',
    old: graceful(true),
    object: graceful(false),
    refused: [
      'spec.enableGracefulRestart: invalid value false: enableGracefulRestart cannot be changed after creation',
    ],
  },
]

/** Cases of the older version of BGPPeer, which are stored as the newer one. */
export const OLDER_CASES: readonly Case[] = [
  { name: 'v1beta1', object: older(PEER) },
  {
    name: 'v1beta1: what is required',
    object: older({}),
    refused: [
      'spec.myASN: missing required field',
      'spec.peerASN: missing required field',
      'spec.peerAddress: missing required field',
    ],
  },
  { name: 'v1beta1: port 0', object: older({ ...PEER, peerPort: 0 }) },
  {
    name: 'v1beta1: an expression has values',
    object: older({
      ...PEER,
      nodeSelectors: [
        { matchExpressions: [{ key: 'a', operator: 'Exists' }] },
        { matchExpressions: [{ key: 'a', operator: 'In', values: [] }] },
      ],
    }),
    refused: [
      'spec.nodeSelectors[0].matchExpressions[0].values: missing required field',
      'spec.nodeSelectors[1].matchExpressions[0].values: must have at least 1 items',
    ],
  },
  {
    name: 'v1beta1: fields that came later',
    object: older({ ...PEER, vrf: 'red', passwrd: 'x' }),
    unknown: [
      'spec.vrf: unknown field in metallb.io/v1beta1; it is one of metallb.io/v1beta2',
      'spec.passwrd: unknown field; did you mean spec.password?',
    ],
    stored: PEER,
  },
]

const BFD_RANGES = [
  ['receiveInterval', 10, 60_000],
  ['transmitInterval', 10, 60_000],
  ['detectMultiplier', 2, 255],
  ['echoInterval', 10, 60_000],
  ['minimumTtl', 1, 254],
] as const
const profiles: readonly Case[] = BFD_RANGES.flatMap(([field, least, most]) => [
  ...[least, most].map(value => ({ name: `${field} ${value}`, object: bfd('x', { [field]: value }) })),
  ...[least - 1, most + 1].map(value => ({
    name: `${field} ${value}`,
    object: bfd('x', { [field]: value }),
    refused: [`spec.${field}: invalid value ${value}, must be in ${least}-${most} range`],
  })),
])

const communities: readonly Case[] = [
  { name: 'a community without name and value', object: object('Community', { spec: { communities: [{}] } }) },
  {
    name: 'a community that is no text',
    object: object('Community', { spec: { communities: [{ name: 'a', value: 100 }] } }),
    refused: ['spec.communities[0].value: must be a text, not 100'],
  },
]

const announced = (kind: string, node: string): KubernetesObject =>
  object(kind, { spec: {}, status: { node, serviceName: 's', serviceNamespace: 'd' } })
const statuses: readonly Case[] = ['ServiceL2Status', 'ServiceBGPStatus'].flatMap((kind): readonly Case[] => [
  {
    name: `${kind}: first status`,
    old: object(kind, { spec: {} }),
    object: announced(kind, 'n1'),
    subresource: 'status',
    stored: { node: 'n1', serviceName: 's', serviceNamespace: 'd' },
  },
  {
    name: `${kind}: another node`,
    old: announced(kind, 'n1'),
    object: announced(kind, 'n2'),
    subresource: 'status',
    refused: ['status.node: invalid value "n2": Value is immutable'],
  },
  {
    name: `${kind}: spec has no fields`,
    object: object(kind, { spec: { node: 'n1' } }),
    unknown: ['spec.node: unknown field; there are none here'],
    stored: {},
  },
])

const condition = (fields: AnyFields = {}): AnyFields => ({
  type: 'poolReconcilerValid',
  status: 'True',
  reason: 'Reconciled',
  message: '',
  lastTransitionTime: '2026-01-31T12:00:00Z',
  ...fields,
})
const state = (fields: AnyFields): Pick<Case, 'old' | 'object' | 'subresource' | 'stored'> => ({
  old: object('ConfigurationState', {}),
  object: object('ConfigurationState', { status: fields }),
  subresource: 'status',
  stored: fields,
})
const states: readonly Case[] = [
  { name: 'a valid state', ...state({ result: 'Valid', errorSummary: '', conditions: [condition()] }) },
  {
    name: 'a result that there is not',
    ...state({ result: 'Fine' }),
    refused: ['status.result: invalid result "Fine": must be Valid or Invalid or Unknown'],
  },
  {
    name: 'two conditions of one type',
    ...state({ conditions: [condition(), condition({ type: 'other' }), condition({ status: 'False' })] }),
    refused: ['status.conditions[2]: duplicate type ["poolReconcilerValid"]'],
  },
  {
    name: 'conditions with faults',
    ...state({
      conditions: [
        condition({ lastTransitionTime: 'yesterday', reason: '', status: 'Maybe', observedGeneration: -1 }),
        condition({ type: 'a b', reason: 'two words', message: 'x'.repeat(32_769) }),
        { type: 'poor' },
      ],
    }),
    refused: [
      'status.conditions[0].lastTransitionTime: invalid value "yesterday", must be a time like 2026-01-31T12:00:00Z',
      'status.conditions[0].observedGeneration: invalid value -1, must be at least 0',
      'status.conditions[0].reason: must have at least 1 characters',
      'status.conditions[0].status: invalid status "Maybe": must be True or False or Unknown',
      'status.conditions[1].message: must have at most 32768 characters',
      'status.conditions[1].reason: invalid value "two words", must match ^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
      'status.conditions[1].type: invalid value "a b", must match ^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$',
      'status.conditions[2].lastTransitionTime: missing required field',
      'status.conditions[2].message: missing required field',
      'status.conditions[2].reason: missing required field',
      'status.conditions[2].status: missing required field',
    ],
  },
]

/** Cases of stored versions. */
export const CASES: readonly Case[] = [
  ...pools,
  ...poolStatus,
  ...selectors,
  ...advertisements,
  ...exclusive,
  ...asns,
  ...connectTimes,
  ...transitions,
  ...profiles,
  ...communities,
  ...statuses,
  ...states,
]
