/** Every field that MetalLB's resources have, as its users know them; ours have the same, but localPref, which is int32 there. */
export const FIELDS: Readonly<Record<string, string>> = {
  IPAddressPool: `
spec: object required
spec.addresses: array required
spec.addresses[]: string
spec.autoAssign: boolean = true
spec.avoidBuggyIPs: boolean = false
spec.serviceAllocation: object
spec.serviceAllocation.priority: integer
spec.serviceAllocation.namespaces: array
spec.serviceAllocation.namespaces[]: string
spec.serviceAllocation.namespaceSelectors: array
spec.serviceAllocation.namespaceSelectors[]: selector
spec.serviceAllocation.serviceSelectors: array
spec.serviceAllocation.serviceSelectors[]: selector
status: object
status.assignedIPv4: integer int64 required
status.assignedIPv6: integer int64 required
status.availableIPv4: integer int64 required
status.availableIPv6: integer int64 required
`,
  L2Advertisement: `
spec: object
spec.ipAddressPools: array
spec.ipAddressPools[]: string
spec.ipAddressPoolSelectors: array
spec.ipAddressPoolSelectors[]: selector
spec.nodeSelectors: array
spec.nodeSelectors[]: selector
spec.interfaces: array
spec.interfaces[]: string
spec.serviceSelectors: array
spec.serviceSelectors[]: selector
spec.preferredNodeSelectors: array
spec.preferredNodeSelectors[]: object
spec.preferredNodeSelectors[].weight: integer int32 required 1..100
spec.preferredNodeSelectors[].preference: selector required
status: object
`,
  BGPAdvertisement: `
spec: object CEL !has(self.serviceSelectors) || self.serviceSelectors.size() == 0 || ((!has(self.aggregationLength) || self.aggregationLength == 32) && (!has(self.aggregationLengthV6) || self.aggregationLengthV6 == 128))
spec.aggregationLength: integer int32 = 32 1..
spec.aggregationLengthV6: integer int32 = 128
spec.localPref: integer int64
spec.communities: array
spec.communities[]: string
spec.ipAddressPools: array
spec.ipAddressPools[]: string
spec.ipAddressPoolSelectors: array
spec.ipAddressPoolSelectors[]: selector
spec.nodeSelectors: array
spec.nodeSelectors[]: selector
spec.peers: array
spec.peers[]: string
spec.serviceSelectors: array
spec.serviceSelectors[]: selector
status: object
`,
  'BGPPeer v1beta2': `
spec: object
spec.myASN: integer int64 required 0..4294967295
spec.peerASN: integer int64 0..4294967295
spec.dynamicASN: string internal|external
spec.localASN: integer int64 1..4294967295
spec.peerAddress: string
spec.interface: string
spec.sourceAddress: string
spec.peerPort: integer = 179 1..16384
spec.holdTime: string
spec.keepaliveTime: string
spec.connectTime: string CEL duration(self).getSeconds() >= 1 && duration(self).getSeconds() <= 65535 CEL duration(self).getMilliseconds() % 1000 == 0
spec.routerID: string
spec.nodeSelectors: array
spec.nodeSelectors[]: selector
spec.password: string
spec.passwordSecret: object atomic
spec.passwordSecret.name: string
spec.passwordSecret.namespace: string
spec.bfdProfile: string
spec.enableGracefulRestart: boolean CEL self == oldSelf
spec.ebgpMultiHop: boolean
spec.vrf: string
spec.disableMP: boolean = false
spec.dualStackAddressFamily: boolean = false
status: object
`,
  'BGPPeer v1beta1': `
spec: object
spec.myASN: integer int64 required 0..4294967295
spec.peerASN: integer int64 required 0..4294967295
spec.peerAddress: string required
spec.sourceAddress: string
spec.peerPort: integer 0..16384
spec.holdTime: string
spec.keepaliveTime: string
spec.routerID: string
spec.nodeSelectors: array
spec.nodeSelectors[]: object
spec.nodeSelectors[].matchLabels: object
spec.nodeSelectors[].matchLabels{}: string
spec.nodeSelectors[].matchExpressions: array
spec.nodeSelectors[].matchExpressions[]: object
spec.nodeSelectors[].matchExpressions[].key: string required
spec.nodeSelectors[].matchExpressions[].operator: string required
spec.nodeSelectors[].matchExpressions[].values: array required items 1..
spec.nodeSelectors[].matchExpressions[].values[]: string
spec.password: string
spec.bfdProfile: string
spec.ebgpMultiHop: boolean
status: object
`,
  BFDProfile: `
spec: object
spec.receiveInterval: integer int32 10..60000
spec.transmitInterval: integer int32 10..60000
spec.detectMultiplier: integer int32 2..255
spec.echoInterval: integer int32 10..60000
spec.echoMode: boolean
spec.passiveMode: boolean
spec.minimumTtl: integer int32 1..254
status: object
`,
  Community: `
spec: object
spec.communities: array
spec.communities[]: object
spec.communities[].name: string
spec.communities[].value: string
status: object
`,
  ServiceL2Status: `
spec: object
status: object
status.node: string CEL self == oldSelf
status.serviceName: string CEL self == oldSelf
status.serviceNamespace: string CEL self == oldSelf
status.interfaces: array
status.interfaces[]: object
status.interfaces[].name: string
`,
  ServiceBGPStatus: `
spec: object
status: object
status.node: string CEL self == oldSelf
status.serviceName: string CEL self == oldSelf
status.serviceNamespace: string CEL self == oldSelf
status.peers: array
status.peers[]: string
`,
  ConfigurationState: `
status: object
status.result: string Valid|Invalid|Unknown
status.errorSummary: string
status.conditions: array map by type
status.conditions[]: object
status.conditions[].lastTransitionTime: string date-time required
status.conditions[].message: string required length ..32768
status.conditions[].observedGeneration: integer int64 0..
status.conditions[].reason: string required length 1..1024 pattern
status.conditions[].status: string required True|False|Unknown
status.conditions[].type: string required length ..316 pattern
`,
}
