/** migrate: MetalLB's old ConfigMap and other load balancers' objects, and the check of an install. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { cluster, demo, folder, run, runOn, type Said } from './support.js'

// Processes and a busy machine.
t.setTimeout(1_200_000)

type Fields = Readonly<Record<string, unknown>>

/** Converts a text and reads what came out. */
async function convert(text: string, ...more: string[]): Promise<Said & { resources: readonly Fields[] }> {
  const said = await runOn({ readInput: async () => text }, 'migrate', 'convert', '-', ...more)
  return {
    ...said,
    resources: parseAllDocuments(said.text)
      .map(document => document.toJS() as Fields)
      .filter(Boolean),
  }
}

/** `Kind name`. */
const names = (resources: readonly Fields[]): readonly string[] =>
  resources.map(resource => `${String(resource['kind'])} ${(resource['metadata'] as { name: string }).name}`)

const specOf = (resources: readonly Fields[], name: string): unknown =>
  resources[names(resources).indexOf(name)]?.['spec']

t.test("MetalLB's ConfigMap of before 0.13", async t => {
  const { resources, code, errors } = await convert(`
apiVersion: v1
kind: ConfigMap
metadata: { name: config, namespace: metallb-system }
data:
  config: |
    peers:
    - my-asn: 64500
      peer-asn: 64501
      peer-address: 10.0.0.1
      hold-time: 120s
      router-id: 10.0.0.100
      bfd-profile: fast
      node-selectors:
      - match-labels: { rack: a }
        match-expressions: [{ key: zone, operator: In, values: [x] }]
    bgp-communities: { no-advertise: 65535:65282 }
    bfd-profiles: [{ name: fast, receive-interval: 180 }]
    address-pools:
    - name: Default
      protocol: layer2
      addresses: [192.168.1.240-192.168.1.250]
    - name: routed
      protocol: bgp
      auto-assign: false
      avoid-buggy-ips: true
      addresses: [198.51.100.0/24]
      bgp-advertisements:
      - aggregation-length: 32
        localpref: 100
        communities: [no-advertise]
      - aggregation-length: 24
    - name: plain
      protocol: bgp
      addresses: [203.0.113.0/24]
`)
  t.equal(code, 0, errors)
  t.same(names(resources), [
    'Community communities',
    'BFDProfile fast',
    'BGPPeer peer1',
    'IPAddressPool default',
    'L2Advertisement default',
    'IPAddressPool routed',
    'BGPAdvertisement routed',
    'BGPAdvertisement routed-2',
    'IPAddressPool plain',
    'BGPAdvertisement plain',
  ])
  t.same(specOf(resources, 'BGPPeer peer1'), {
    myASN: 64500,
    peerASN: 64501,
    peerAddress: '10.0.0.1',
    holdTime: '120s',
    routerID: '10.0.0.100',
    bfdProfile: 'fast',
    nodeSelectors: [{ matchLabels: { rack: 'a' }, matchExpressions: [{ key: 'zone', operator: 'In', values: ['x'] }] }],
  })
  t.same(specOf(resources, 'IPAddressPool routed'), {
    addresses: ['198.51.100.0/24'],
    autoAssign: false,
    avoidBuggyIPs: true,
  })
  t.same(specOf(resources, 'BGPAdvertisement routed'), {
    ipAddressPools: ['routed'],
    aggregationLength: 32,
    localPref: 100,
    communities: ['no-advertise'],
  })
  t.same(
    specOf(resources, 'BGPAdvertisement plain'),
    { ipAddressPools: ['plain'] },
    'a bgp pool without advertisements had one by default',
  )
})

t.test('what the old configuration got wrong is said of the result', async t => {
  const { code, errors } = await convert(`
apiVersion: v1
kind: ConfigMap
metadata: { name: config, namespace: metallb-system }
data: { config: "address-pools: [{ name: a, protocol: layer2, addresses: [10.0.0.0/33] }]" }
`)
  t.equal(code, 1)
  t.match(errors, /error: IPAddressPool metallb-system\/a: spec\.addresses\[0\]: invalid CIDR/)
})

t.test('of the old configuration nothing is left out without a word', async t => {
  const { resources, errors, code } = await convert(`
apiVersion: v1
kind: ConfigMap
metadata: { name: config, namespace: metallb-system }
data:
  config: |
    surprise: 1
    peers: [{ my-asn: 64500, peer-asn: 64501, peer-address: 10.0.0.1, colour: red }]
    bfd-profiles: [{ name: a, speed: 9 }]
    address-pools:
    - { name: My_pool, protocol: bgp, addresses: [203.0.113.0/28], weight: 3, bgp-advertisements: [{ localpref: 5, med: 7 }] }
`)
  t.equal(code, 0, errors)
  t.same(specOf(resources, 'BGPAdvertisement my-pool'), { ipAddressPools: ['my-pool'], localPref: 5 })
  const paths = ['surprise', 'peers[0].colour', 'bfd-profiles[0].speed', 'address-pools[0].weight']
  for (const path of [...paths, 'address-pools[0].bgp-advertisements[0].med'])
    t.ok(errors.includes(`ConfigMap metallb-system/config: ${path}: has no equal and is left out\n`), path)
  t.match(errors, /address pool My_pool: is my-pool now.*metallb\.io\/address-pool: my-pool/)
})

t.test('kube-vip: ranges, peers and what has no equal', async t => {
  const { resources, errors, code } = await convert(`
apiVersion: v1
kind: ConfigMap
metadata: { name: kubevip, namespace: kube-system }
data: { cidr-global: 192.168.0.224/29, range-shop: 192.168.1.10-192.168.1.20, cidr-dhcp: 0.0.0.0/32 }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: kube-vip-ds, namespace: kube-system }
spec:
  template:
    spec:
      containers:
      - name: kube-vip
        image: example.org/kube-vip/kube-vip:v0.8.0
        env:
        - { name: vip_arp, value: "true" }
        - { name: vip_interface, value: eth0 }
        - { name: bgp_enable, value: "true" }
        - { name: bgp_as, value: "65000" }
        - { name: bgp_hold_time, value: "60" }
        - { name: bgp_keepalive_interval, value: "20" }
        - { name: bgp_sourceip, value: 192.168.0.4 }
        - { name: vip_routingtable, value: "true" }
        - { name: bgp_peers, value: "192.168.0.10:65001::false,[2001:db8::1]:65002:secret:true" }
        - { name: cp_enable, value: "true" }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop, annotations: { kube-vip.io/loadbalancerIPs: 192.168.0.225 } }
`)
  t.equal(code, 0, errors)
  t.same(specOf(resources, 'IPAddressPool kube-vip'), { addresses: ['192.168.0.224/29'] })
  t.same(specOf(resources, 'IPAddressPool kube-vip-shop'), {
    addresses: ['192.168.1.10-192.168.1.20'],
    serviceAllocation: { priority: 50, namespaces: ['shop'] },
  })
  t.same(specOf(resources, 'L2Advertisement kube-vip'), { interfaces: ['eth0'] })
  t.same(specOf(resources, 'BGPPeer kube-vip-192.168.0.10'), {
    myASN: 65000,
    peerASN: 65001,
    peerAddress: '192.168.0.10',
    holdTime: '60s',
    keepaliveTime: '20s',
  })
  t.match(specOf(resources, 'BGPPeer kube-vip-2001-db8-1'), {
    peerASN: 65002,
    peerAddress: '2001:db8::1',
    password: 'secret',
    ebgpMultiHop: true,
  })
  for (const said of [
    /DHCP/,
    /cp_enable: an address for the control plane has no equal/,
    /bgp_sourceip, bgp_sourceif: left out/,
    /vip_routingtable: has no equal/,
    /Service shop\/web: annotation .*write metallb\.io\/loadBalancerIPs: "192\.168\.0\.225"/,
  ])
    t.match(errors, said)
})

t.test('Cilium: pools and layer-2 policies', async t => {
  const { resources, errors, code } = await convert(`
apiVersion: cilium.io/v2
kind: CiliumLoadBalancerIPPool
metadata: { name: blue }
spec:
  blocks: [{ cidr: 10.0.10.0/24 }, { start: 20.0.20.100, stop: 20.0.20.200 }]
  serviceSelector: { matchLabels: { color: blue, io.kubernetes.service.namespace: tenant } }
---
apiVersion: cilium.io/v2alpha1
kind: CiliumL2AnnouncementPolicy
metadata: { name: policy1 }
spec:
  serviceSelector: { matchLabels: { color: blue } }
  nodeSelector: { matchExpressions: [{ key: node-role.kubernetes.io/control-plane, operator: DoesNotExist }] }
  interfaces: ['^eth[0-9]+']
  externalIPs: true
  loadBalancerIPs: true
`)
  t.equal(code, 0, errors)
  t.same(specOf(resources, 'IPAddressPool blue'), {
    addresses: ['10.0.10.0/24', '20.0.20.100-20.0.20.200'],
    serviceAllocation: { priority: 50, namespaces: ['tenant'], serviceSelectors: [{ matchLabels: { color: 'blue' } }] },
  })
  t.same(specOf(resources, 'L2Advertisement policy1'), {
    nodeSelectors: [{ matchExpressions: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'DoesNotExist' }] }],
    serviceSelectors: [{ matchLabels: { color: 'blue' } }],
  })
  t.match(errors, /interfaces \^eth\[0-9\]\+: regular expressions have no equal/)
  t.match(errors, /externalIPs: have no equal/)
})

t.test('Cilium: BGP of both generations', async t => {
  const { resources, errors, code } = await convert(`
apiVersion: cilium.io/v2alpha1
kind: CiliumBGPPeeringPolicy
metadata: { name: rack0 }
spec:
  nodeSelector: { matchLabels: { rack: rack0 } }
  virtualRouters:
  - localASN: 64512
    exportPodCIDR: true
    serviceSelector: { matchExpressions: [{ key: somekey, operator: NotIn, values: [never] }] }
    neighbors: [{ peerAddress: 10.0.0.1/32, peerASN: 64513, eBGPMultihopTTL: 10, holdTimeSeconds: 30, keepAliveTimeSeconds: 10, gracefulRestart: { enabled: true } }]
---
apiVersion: cilium.io/v2
kind: CiliumBGPClusterConfig
metadata: { name: cluster }
spec:
  bgpInstances: [{ name: i, localASN: 65000, peers: [{ name: tor, peerASN: 65001, peerAddress: 'fd00:10::1', peerConfigRef: { name: tor } }] }]
---
apiVersion: cilium.io/v2
kind: CiliumBGPPeerConfig
metadata: { name: tor }
spec:
  timers: { holdTimeSeconds: 9, keepAliveTimeSeconds: 3 }
  authSecretRef: bgp-key
  families: [{ afi: ipv4, safi: unicast, advertisements: { matchLabels: { advertise: bgp } } }, { afi: ipv6, safi: unicast }]
---
apiVersion: cilium.io/v2
kind: CiliumBGPAdvertisement
metadata: { name: services, labels: { advertise: bgp } }
spec:
  advertisements:
  - { advertisementType: PodCIDR }
  - advertisementType: Service
    service: { addresses: [LoadBalancerIP] }
    selector: { matchLabels: { bgp: blue } }
    attributes: { communities: { standard: ['65000:99'], wellKnown: [no-export], large: ['1:2:3'] }, localPreference: 200 }
`)
  t.equal(code, 0, errors)
  t.same(specOf(resources, 'BGPPeer rack0-10.0.0.1'), {
    myASN: 64512,
    peerASN: 64513,
    peerAddress: '10.0.0.1',
    holdTime: '30s',
    keepaliveTime: '10s',
    ebgpMultiHop: true,
    enableGracefulRestart: true,
    nodeSelectors: [{ matchLabels: { rack: 'rack0' } }],
  })
  t.same(
    specOf(resources, 'BGPAdvertisement rack0'),
    { peers: ['rack0-10.0.0.1'], nodeSelectors: [{ matchLabels: { rack: 'rack0' } }] },
    'NotIn never is how Cilium says all',
  )
  t.same(specOf(resources, 'BGPPeer cluster-tor'), {
    myASN: 65000,
    peerASN: 65001,
    peerAddress: 'fd00:10::1',
    holdTime: '9s',
    keepaliveTime: '3s',
    passwordSecret: { name: 'bgp-key' },
    dualStackAddressFamily: true,
  })
  t.same(specOf(resources, 'BGPAdvertisement services'), {
    peers: ['cluster-tor'],
    serviceSelectors: [{ matchLabels: { bgp: 'blue' } }],
    localPref: 200,
    communities: ['65000:99', '65535:65281', 'large:1:2:3'],
  })
  for (const said of [/exportPodCIDR/, /PodCIDR: only Services/, /Secret bgp-key: copy it/]) t.match(errors, said)
})

t.test('Cilium: what has several routers, any AS, or no address', async t => {
  const { resources, errors, code } = await convert(`
apiVersion: cilium.io/v2alpha1
kind: CiliumBGPPeeringPolicy
metadata: { name: two }
spec:
  virtualRouters:
  - localASN: 64512
    serviceSelector: { matchLabels: { tier: gold } }
    neighbors: [{ peerAddress: 10.0.0.1/32, peerASN: 64513 }]
  - localASN: 64600
    serviceSelector: { matchLabels: { tier: silver } }
    neighbors: [{ peerAddress: 10.0.0.2/32, peerASN: 64513, families: [{ afi: ipv4, safi: unicast }, { afi: ipv6, safi: unicast }] }]
---
apiVersion: cilium.io/v2
kind: CiliumBGPClusterConfig
metadata: { name: c }
spec:
  bgpInstances:
  - name: i
    localASN: 65000
    peers:
    - { name: any, peerAddress: 10.0.0.3, peerASN: 0 }
    - { name: link, autoDiscovery: { mode: Unnumbered, unnumbered: { interface: eth1 } } }
    - { name: gateway, peerASN: 65001, autoDiscovery: { mode: DefaultGateway, defaultGateway: { addressFamily: ipv4 } } }
---
apiVersion: v1
kind: Service
metadata: { name: a }
spec: { type: LoadBalancer, loadBalancerClass: io.cilium/bgp-control-plane }
`)
  t.equal(code, 0, errors)
  t.same(specOf(resources, 'BGPAdvertisement two'), {
    peers: ['two-10.0.0.1'],
    serviceSelectors: [{ matchLabels: { tier: 'gold' } }],
  })
  t.match(specOf(resources, 'BGPAdvertisement two-2'), { peers: ['two-10.0.0.2'] })
  t.match(specOf(resources, 'BGPPeer two-10.0.0.2'), { dualStackAddressFamily: true })
  t.same(specOf(resources, 'BGPPeer c-any'), { myASN: 65000, dynamicASN: 'external', peerAddress: '10.0.0.3' })
  t.same(specOf(resources, 'BGPPeer c-link'), { myASN: 65000, dynamicASN: 'external', interface: 'eth1' })
  t.notOk(names(resources).includes('BGPPeer c-gateway'))
  for (const said of [
    /peerASN of peer any: any AS became dynamicASN: external/,
    /peer gateway: autoDiscovery of the default gateway has no equal/,
    /loadBalancerClass io\.cilium\/bgp-control-plane: 1 Service has it, .*--lb-class=io\.cilium\/bgp-control-plane/,
  ])
    t.match(errors, said)
})

t.test('PureLB: groups old and new', async t => {
  const { resources, errors, code } = await convert(`
apiVersion: purelb.io/v1
kind: ServiceGroup
metadata: { name: default, namespace: purelb }
spec: { local: { v4pool: { subnet: 192.168.254.0/24, pool: 192.168.254.230-192.168.254.240, aggregation: default } } }
---
apiVersion: purelb.io/v1
kind: ServiceGroup
metadata: { name: virtual, namespace: purelb }
spec: { local: { subnet: 172.30.0.0/16, pool: 172.30.0.10-172.30.0.20, aggregation: /32 } }
---
apiVersion: purelb.io/v1
kind: LBNodeAgent
metadata: { name: default, namespace: purelb }
spec: { local: { localint: default, extlbint: kube-lb0 } }
`)
  t.equal(code, 0, errors)
  t.same(names(resources), [
    'IPAddressPool default',
    'L2Advertisement default',
    'IPAddressPool virtual',
    'L2Advertisement virtual',
  ])
  t.match(specOf(resources, 'IPAddressPool virtual'), { addresses: ['172.30.0.10-172.30.0.20'], autoAssign: false })
  t.match(errors, /ServiceGroup purelb\/virtual: Services ask for it by metallb\.io\/address-pool: virtual/)
  t.match(errors, /extlbint/)
})

t.test('nothing that is known: code 1; no YAML: one line', async t => {
  t.match(await convert('apiVersion: v1\nkind: Pod\nmetadata: { name: x }\n'), {
    code: 1,
    errors: /nothing to convert was found/,
  })
  t.match(await convert('a: [\n'), { code: 1, errors: /^typemetal: stdin: .*[^:]\n$/ })
})

const INSTALL = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: controller, namespace: metallb-system }
spec: { template: { spec: { containers: [{ name: controller, image: 'example.org/metallb/controller:v0.15.2', args: [--port=7472, --log-level=info] }] } } }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: speaker, namespace: metallb-system }
spec: { template: { spec: { containers: [{ name: speaker, image: 'example.org/metallb/speaker:v0.15.2', args: [--port=7472, --lb-class=a.b/c], env: [{ name: METALLB_BGP_TYPE, value: frr-k8s }] }] } } }
---
apiVersion: v1
kind: Secret
metadata: { name: memberlist, namespace: metallb-system }
---
apiVersion: frrk8s.metallb.io/v1beta1
kind: FRRConfiguration
metadata: { name: metallb-node-1, namespace: metallb-system }
spec: { nodeSelector: { matchLabels: { kubernetes.io/hostname: node-1 } } }
`

t.test('check: an install that can be replaced, with its steps node by node', async t => {
  const install = join(folder(t), 'install.yaml')
  writeFileSync(install, INSTALL)
  const { text, code } = await run('migrate', 'check', install, cluster(t))
  t.equal(code, 0, text)
  t.match(text, /findings: nothing stands in the way/)
  t.match(text, /✓ DaemonSet speaker: runs .*speaker:v0\.15\.2/)
  t.match(text, /· election: .*--election-level 0\.15/)
  t.match(text, /· BGP: mode frr-k8s/)
  t.match(text, /✓ configuration: is taken as it is: 2 IPAddressPool, 1 L2Advertisement/)
  t.match(text, /✓ --lb-class: a\.b\/c/)
  for (const node of ['node-1', 'node-2', 'node-3'])
    t.match(text, new RegExp(`Move ${node}\\.[^]*typemetal drain ${node} --simulate`))
  t.match(text, /delete frrconfiguration metallb-node-1/)
})

t.test("check: an install by MetalLB's chart, whose names begin with the release", async t => {
  const install = join(folder(t), 'install.yaml')
  const env = 'env: [{ name: METALLB_ML_SECRET_NAME, value: edge-metallb-memberlist }]'
  const chart = INSTALL.replace('args: [--port=7472, --log-level=info]', `args: [--port=7472], ${env}`)
    .replace('{ name: memberlist,', '{ name: edge-metallb-memberlist,')
    .replace('--lb-class=a.b/c', '--lb-class, a.b/c, --ignore-exclude-lb')
  writeFileSync(install, chart)
  const { text, code } = await run('migrate', 'check', install, cluster(t))
  t.equal(code, 0, text)
  t.match(text, /✓ Secret metallb-system\/edge-metallb-memberlist: is the key of the gossip ring/)
  t.match(text, /with the Secret edge-metallb-memberlist and METALLB_ML_\*/)
  t.match(text, /✓ --lb-class: a\.b\/c/, 'a flag in two words')
  t.match(text, /✓ --ignore-exclude-lb/)
})

t.test('check: what must be dealt with first', async t => {
  const install = join(folder(t), 'install.yaml')
  writeFileSync(
    install,
    `${INSTALL.replaceAll('v0.15.2', 'v0.12.1')}
---
apiVersion: frrk8s.metallb.io/v1beta1
kind: FRRConfiguration
metadata: { name: mine, namespace: metallb-system }
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: { name: secret, namespace: metallb-system }
spec: { myASN: 1, peerASN: 2, peerAddress: 10.0.0.2, passwordSecret: { name: gone } }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: config, namespace: metallb-system }
data: { config: "address-pools: []" }
`,
  )
  const { text, code } = await run('migrate', 'check', install, demo, '-o', 'json')
  t.equal(code, 1)
  const { findings } = JSON.parse(text) as { findings: { verdict: string; subject: string; text: string }[] }
  const blockers = findings.filter(({ verdict }) => verdict === 'blocker').map(({ subject }) => subject)
  t.same([...new Set(blockers)].toSorted(), [
    'FRRConfigurations',
    'Secret metallb-system/gone',
    'configuration',
    'gossip',
  ])
  t.match(
    findings.find(({ subject }) => subject === 'ConfigMap config'),
    { text: /migrate convert/ },
  )
})

t.test('check: no MetalLB at all', async t => {
  const said = await run('migrate', 'check', demo)
  t.match(said, { code: 1, text: /✗ speaker: no DaemonSet of MetalLB was found/ })
  t.notMatch(said.text, /mode native|metrics: are on port/, 'nothing is said of a speaker that is not there')
})
