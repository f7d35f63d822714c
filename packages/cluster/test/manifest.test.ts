import t from 'tap'
import {
  buildConfig,
  formatConfigError,
  type Manifest,
  manifestResources,
  parseManifest,
  type Service,
} from '@typemetal/cluster'

const read = (text: string): Manifest => parseManifest(text, { file: 'x.yaml', namespace: 'metallb-system' })
const keys = (manifest: Manifest): readonly string[] =>
  manifest.objects.map(({ kind, key, line }) => `${kind} ${key} :${line}`)
const faults = (text: string): readonly string[] => read(text).faults.map(formatConfigError)
const service = (spec: string): Service['spec'] =>
  (
    read(`apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: ${spec}\n`).objects[0]?.object as
      Service | undefined
  )?.spec

t.test('documents, Lists and JSON', async t => {
  const text = `# comment
---
apiVersion: v1
kind: Service
metadata:
  name: web
---
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Node
  metadata: {name: n1}
- apiVersion: metallb.io/v1beta1
  kind: IPAddressPool
  metadata: {name: first, namespace: other}
  spec: {addresses: []}
---
apiVersion: v1
kind: NamespaceList
items:
  - metadata: {name: dev}
---
{"apiVersion": "metallb.io/v1beta2", "kind": "BGPPeer", "metadata": {"name": "p"}, "spec": {"myASN": 1}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: passed-over}
`
  t.same(keys(read(text)), [
    'Service default/web :3',
    'Node n1 :12',
    'IPAddressPool other/first :15',
    'Namespace dev :23',
    'BGPPeer metallb-system/p :25',
  ])
  t.same(read(text).faults, [])
  t.match(read(''), { objects: [], faults: [], whole: true })
  t.match(read('# nothing\n---\n'), { objects: [], faults: [], whole: true })
})

t.test('lines of fields, for the kinds whose faults name fields', async t => {
  const [pool] = read(
    'apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata:\n  name: a\nspec:\n  addresses:\n  - x\n  - y\n',
  ).objects
  t.equal(pool?.lines?.get('spec.addresses[1]'), 8)
  t.equal(pool?.lines?.get('metadata.name'), 4)
  t.equal(read('apiVersion: v1\nkind: Service\nmetadata: {name: a}').objects[0]?.lines, undefined)
})

t.test('a file whose objects cannot be told apart is refused as a whole', async t => {
  for (const [text, ...expected] of [
    [
      'a: [',
      'File x.yaml: Flow sequence in block collection must be sufficiently indented and end with a ] (x.yaml:1)',
    ],
    ['kind: Service\nmetadata: {name: web}\nspec:\n  a: 1\n   b: 2\n', 'File x.yaml: in Service web: '],
    ['apiVersion: v1\nkind: Service\nmetadata: {name: a}\nmetadata: {name: b}', 'File x.yaml: in Service '],
    ['just text', 'File x.yaml: is no Kubernetes object (x.yaml:1)'],
    ['- 1', 'File x.yaml: is no Kubernetes object (x.yaml:1)'],
    [
      'kind: Service\nmetadata: {name: web, namespace: dev}',
      'File x.yaml: in Service dev/web: apiVersion is missing (x.yaml:1)',
    ],
    ['\n\napiVersion: v1\nmetadata: {name: web}', 'File x.yaml: in web: kind is missing (x.yaml:3)'],
    ['apiVersion: v1\nkind: Service', 'File x.yaml: in Service: metadata: missing required field (x.yaml:1)'],
    [
      'apiVersion: v1\nkind: Service\nmetadata: {generateName: web-}',
      'File x.yaml: in Service: metadata.name: missing required field (x.yaml:1)',
    ],
    [
      'apiVersion: v1\nkind: Service\nmetadata: {name: ../../etc/passwd}',
      'File x.yaml: in Service ../../etc/passwd: metadata.name: is no name of an object (x.yaml:1)',
    ],
    [
      'apiVersion: v1\nkind: Service\nmetadata: {name: 5}',
      'File x.yaml: in Service: metadata.name: must be a text, not 5 (x.yaml:1)',
    ],
    ['apiVersion: v1\nkind: Serivce\nmetadata: {name: a}'],
    [
      'apiVersion: v1\nkind: Servic\nmetadata: {name: a}',
      'File x.yaml: in Servic a: kind Servic is unknown; did you mean Service? (x.yaml:1)',
    ],
    [
      'apiVersion: v1beta1\nkind: Service\nmetadata: {name: a}',
      'File x.yaml: in Service a: apiVersion of Service is v1, not v1beta1 (x.yaml:1)',
    ],
    ['apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}'],
    [
      'apiVersion: metallb.io/v1\nkind: IPAddressPool\nmetadata: {name: a}',
      'File x.yaml: in IPAddressPool a: apiVersion of IPAddressPool is metallb.io/v1beta1, not metallb.io/v1 (x.yaml:1)',
    ],
    [
      'apiVersion: metallb.io/v1beta1\nkind: AddressPool\nmetadata: {name: a}',
      'File x.yaml: in AddressPool a: kind AddressPool no longer exists: use IPAddressPool and an L2Advertisement or BGPAdvertisement (x.yaml:1)',
    ],
    [
      'apiVersion: metallb.io/v1beta1\nkind: IpAdressPool\nmetadata: {name: a}',
      'File x.yaml: in IpAdressPool a: kind IpAdressPool is unknown; did you mean IPAddressPool? (x.yaml:1)',
    ],
    [
      'apiVersion: metallb.io/v1beta1\nkind: Foo\nmetadata: {name: a}',
      'File x.yaml: in Foo a: kind Foo is unknown (x.yaml:1)',
    ],
  ] as const) {
    const manifest = read(text)
    t.equal(manifest.whole, expected.length === 0, text)
    t.same(manifest.faults.length > 0, expected.length > 0, text)
    for (const start of expected) t.ok(faults(text)[0]?.startsWith(start), `${start}\n${faults(text)[0]}`)
  }
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`
  t.match(faults(bomb), [/Excessive alias count/])
})

t.test('a broken file may hide configuration, or not', async t => {
  const affects = (text: string): boolean | undefined => read(text).faults[0]?.affectsConfig
  t.equal(affects('apiVersion: v1\nkind: Service\nspec: ['), false)
  t.equal(
    affects('apiVersion: v1\nkind: Service\nmetadata: {annotations: {metallb.io/address-pool: a}}\nspec: ['),
    false,
  )
  t.equal(
    affects('apiVersion: v1\nkind: Service\nspec: [\n---\napiVersion: metallb.io/v1beta1\nkind: IPAddressPool'),
    true,
  )
  t.equal(affects('apiVersion: v1\nkind: Node\nspec: ['), true)
})

t.test('an object with a bad field is refused alone', async t => {
  const manifest = read(`apiVersion: v1
kind: Service
metadata: {name: good}
---
apiVersion: v1
kind: Service
metadata: {name: bad, labels: {a: 1}}
spec: {ports: [{port: 80}, {port: 70000}, {name: x}], ipFamilies: [IPv5], type: Loadbalancer, selector: x}
---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: {}}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
data: {password: 5}
`)
  t.same(keys(manifest), ['Service default/good :1'])
  t.same(
    manifest.rejected.map(({ kind, key }) => `${kind} ${key}`),
    ['Service default/bad', 'Node n1', 'Secret default/s'],
  )
  t.equal(manifest.whole, true)
  t.same(manifest.faults.map(formatConfigError).toSorted(), [
    'Node n1: status.addresses: must be a list, not a mapping (x.yaml:10)',
    'Secret default/s: data.password: must be a text, not what is there (x.yaml:15)',
    'Service default/bad: metadata.labels.a: must be a text, not 1 (x.yaml:5)',
    'Service default/bad: spec.ipFamilies[0]: invalid ipFamilies[0] "IPv5": must be IPv4 or IPv6 (x.yaml:5)',
    'Service default/bad: spec.ports[1].port: invalid value 70000, must be in 1-65535 range (x.yaml:5)',
    'Service default/bad: spec.ports[2].port: missing required field (x.yaml:5)',
    'Service default/bad: spec.selector: must be a mapping, not the text "x" (x.yaml:5)',
    'Service default/bad: spec.type: invalid type "Loadbalancer": must be ClusterIP or NodePort or LoadBalancer or ExternalName (x.yaml:5)',
  ])
  t.same(
    manifest.faults
      .filter(({ kind }) => kind === 'Service')
      .map(({ affectsConfig }) => affectsConfig)
      .includes(true),
    false,
  )
  t.equal(manifest.faults.find(({ kind }) => kind === 'Node')?.affectsConfig, true)
})

t.test('a Service gets what the API server would give it', async t => {
  t.match(service('{type: LoadBalancer, ports: [{port: 80}]}'), {
    externalTrafficPolicy: 'Cluster',
    ipFamilyPolicy: 'SingleStack',
    ipFamilies: ['IPv4'],
    clusterIPs: [/^10\.(9[6-9]|1[01]\d)\./],
    ports: [{ port: 80, protocol: 'TCP' }],
  })
  t.same(service('{}'), { ...service('{type: ClusterIP}'), type: 'ClusterIP' })
  t.equal(
    service('{}')?.clusterIP,
    service('{type: LoadBalancer}')?.clusterIP,
    'the made-up address depends on the name only',
  )
  t.match(service('{ipFamilies: [IPv6]}'), {
    clusterIPs: [/^fd00:96::/],
    ipFamilies: ['IPv6'],
    ipFamilyPolicy: 'SingleStack',
  })
  t.match(service('{ipFamilyPolicy: PreferDualStack}'), {
    clusterIPs: [/^10\./, /^fd00:96::/],
    ipFamilies: ['IPv4', 'IPv6'],
  })
  t.match(service('{ipFamilyPolicy: RequireDualStack, ipFamilies: [IPv6]}'), {
    clusterIPs: [/^fd00:96::/, /^10\./],
    ipFamilies: ['IPv6', 'IPv4'],
  })
  t.match(service('{ipFamilies: [IPv4, IPv6]}'), {
    clusterIPs: [/^10\./, /^fd00:96::/],
    ipFamilyPolicy: 'RequireDualStack',
  })
  t.match(service('{clusterIP: 10.96.0.7}'), {
    clusterIP: '10.96.0.7',
    clusterIPs: ['10.96.0.7'],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
  })
  t.match(service('{clusterIPs: ["fd00::7", 10.96.0.7]}'), {
    clusterIP: 'fd00::7',
    ipFamilies: ['IPv6', 'IPv4'],
    ipFamilyPolicy: 'RequireDualStack',
  })
  t.match(service('{clusterIP: None}'), { clusterIP: 'None', clusterIPs: ['None'], ipFamilies: [] })
  t.match(service('{type: ExternalName}'), { clusterIPs: undefined, externalTrafficPolicy: undefined })
  t.match(service('{type: LoadBalancer, externalTrafficPolicy: Local}'), { externalTrafficPolicy: 'Local' })
})

t.test('other kinds get their defaults too', async t => {
  const [namespace, secret, peer] = read(`{apiVersion: v1, kind: Namespace, metadata: {name: dev, labels: {a: b}}}
---
{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: plain}, data: {b: eA==}}
---
{apiVersion: metallb.io/v1beta1, kind: BGPPeer, metadata: {name: p, uid: kept}, spec: {myASN: 1}}
`).objects.map(({ object }) => object)
  t.match(namespace, { metadata: { labels: { a: 'b', 'kubernetes.io/metadata.name': 'dev' }, uid: /^[0-9a-f-]{36}$/ } })
  t.match(secret, { type: 'Opaque', data: { a: 'cGxhaW4=', b: 'eA==' }, stringData: undefined })
  t.match(peer, { apiVersion: 'metallb.io/v1beta2', metadata: { uid: 'kept' } }, 'v1beta1 has a subset of the fields')
})

t.test('YAML as kubectl reads it', async t => {
  const value = (text: string): unknown =>
    (
      read(`apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: a}\nspec: {x: ${text}}`).objects[0]
        ?.object as { spec?: { x?: unknown } } | undefined
    )?.spec?.x
  t.equal(value('yes'), true)
  t.equal(value('Off'), false)
  t.equal(value('true'), true)
  t.equal(value('y'), 'y')
  t.equal(value('"yes"'), 'yes')
  t.equal(value('65000:100'), '65000:100', 'no sexagesimals')
  t.equal(value('5'), 5)
  t.equal(value('9223372036854775807'), 9223372036854775807n)
  t.same(
    read('x: &x {name: a}\napiVersion: v1\nkind: Node\nmetadata: {<<: *x}').objects.map(({ key }) => key),
    ['a'],
    'merge keys',
  )
  t.same(
    keys(read('apiVersion: metallb.io/v1beta1\nkind: ServiceL2Status\nmetadata: {name: a}')),
    [],
    'what Typemetal writes is not read from manifests',
  )
})

t.test('the manifests of several files make one configuration', async t => {
  const file = (name: string, text: string): Manifest =>
    parseManifest(text, { file: name, namespace: 'metallb-system' })
  const pool = (name: string, address: string): string =>
    `apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: ${name}}\nspec:\n  addresses:\n  - ${address}\n`
  const resources = manifestResources({
    'b.yaml': file('b.yaml', `${pool('first', '10.0.0.0/24')}---\n${pool('second', '10.0.0.7/32')}`),
    'a.yaml': file('a.yaml', pool('first', '10.0.1.0/24')),
  })
  const { errors = [] } = buildConfig(resources, { component: 'validate', namespace: 'metallb-system' })
  t.same(errors.map(formatConfigError), [
    'IPAddressPool metallb-system/first: metadata.name: is defined twice; the definition at a.yaml:1 counts (b.yaml:1)',
  ])
  const [only] = [...(resources.IPAddressPool?.values() ?? [])]
  t.same(only?.spec.addresses, ['10.0.1.0/24'])
  t.same(resources.origin?.('IPAddressPool', 'metallb-system/second', 'spec.addresses[0]'), {
    file: 'b.yaml',
    line: 13,
  })
  t.equal(resources.origin?.('IPAddressPool', 'metallb-system/none'), undefined)
})
