import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import {
  crdFiles,
  type CustomResourceDefinition,
  customResourceDefinitions,
  DEFINITIONS,
  type Kind,
  KINDS,
  type MetalLBKind,
} from '@typemetal/cluster'
import { FIELDS } from './crd-fields.js'

const folder = fileURLToPath(new URL('../../../deploy/crds/', import.meta.url))

t.test('the files in deploy/crds are what the schemas say (npm run crds)', async t => {
  const files = crdFiles()
  t.same(readdirSync(folder).toSorted(), [...files.keys()])
  for (const [name, text] of files) t.equal(readFileSync(`${folder}${name}`, 'utf8'), text, name)
})

t.test('the files are YAML of the definitions, the same each time', async t => {
  t.same([...crdFiles()], [...crdFiles()])
  const read = [...crdFiles().values()].map(text => parseAllDocuments(text).flatMap(document => [document.toJS()]))
  t.strictSame(
    read,
    customResourceDefinitions().map(crd => [JSON.parse(JSON.stringify(crd))]),
  )
})

const crdOf = (kind: string): CustomResourceDefinition => {
  const found = customResourceDefinitions().find(({ spec }) => spec.names.kind === kind)
  if (!found) throw new Error(`no definition of ${kind}`)
  return found
}

t.test('as in MetalLB: names, scope, versions', async t => {
  const versions = (crd: CustomResourceDefinition): string =>
    crd.spec.versions.map(({ name, storage, served }) => `${name}${storage ? '*' : ''}${served ? '' : '-'}`).join(' ')
  t.same(
    customResourceDefinitions().map(crd => {
      const { kind, plural, singular, listKind, ...others } = crd.spec.names
      t.same(others, {}, 'no short names and no categories')
      t.equal(crd.spec.scope, 'Namespaced')
      return [crd.metadata.name, plural, singular, kind, listKind, versions(crd)].join(' ')
    }),
    [
      'bfdprofiles.metallb.io bfdprofiles bfdprofile BFDProfile BFDProfileList v1beta1*',
      'bgpadvertisements.metallb.io bgpadvertisements bgpadvertisement BGPAdvertisement BGPAdvertisementList v1beta1*',
      'bgppeers.metallb.io bgppeers bgppeer BGPPeer BGPPeerList v1beta2* v1beta1',
      'communities.metallb.io communities community Community CommunityList v1beta1*',
      'configurationstates.metallb.io configurationstates configurationstate ConfigurationState ConfigurationStateList v1beta1*',
      'ipaddresspools.metallb.io ipaddresspools ipaddresspool IPAddressPool IPAddressPoolList v1beta1*',
      'l2advertisements.metallb.io l2advertisements l2advertisement L2Advertisement L2AdvertisementList v1beta1*',
      'servicebgpstatuses.metallb.io servicebgpstatuses servicebgpstatus ServiceBGPStatus ServiceBGPStatusList v1beta1*',
      'servicel2statuses.metallb.io servicel2statuses servicel2status ServiceL2Status ServiceL2StatusList v1beta1*',
    ],
  )
})

t.test('the store reads and writes the stored version', async t => {
  for (const kind of Object.keys(DEFINITIONS) as MetalLBKind[]) {
    const { apiVersion, plural, namespaced } = KINDS[kind satisfies Kind]
    t.same(
      { apiVersion, plural, namespaced },
      {
        apiVersion: `metallb.io/${crdOf(kind).spec.versions.find(({ storage }) => storage)?.name}`,
        plural: DEFINITIONS[kind].plural,
        namespaced: true,
      },
      kind,
    )
  }
})

t.test('as in MetalLB: every version has the status subresource', async t => {
  for (const { spec } of customResourceDefinitions()) {
    for (const version of spec.versions) t.same(version.subresources, { status: {} })
  }
})

t.test('as in MetalLB: printer columns', async t => {
  const columns = (kind: string): readonly string[] =>
    crdOf(kind).spec.versions.map(({ additionalPrinterColumns = [] }) =>
      additionalPrinterColumns
        .map(({ name, type, jsonPath, priority }) => `${name} ${type} ${jsonPath}${priority ? ` ${priority}` : ''}`)
        .join(', '),
    )
  const peer =
    'Address string .spec.peerAddress, ASN string .spec.peerASN, BFD Profile string .spec.bfdProfile, Multi Hops string .spec.ebgpMultiHop'
  const service = 'Service Name string .status.serviceName, Service Namespace string .status.serviceNamespace'
  const selected =
    'IPAddressPools string .spec.ipAddressPools, IPAddressPool Selectors string .spec.ipAddressPoolSelectors'
  const nodes = 'Node Selectors string .spec.nodeSelectors 10'
  t.same(columns('IPAddressPool'), [
    'Auto Assign boolean .spec.autoAssign, Avoid Buggy IPs boolean .spec.avoidBuggyIPs, Addresses string .spec.addresses',
  ])
  t.same(columns('L2Advertisement'), [`${selected}, Interfaces string .spec.interfaces, ${nodes}`])
  t.same(columns('BGPAdvertisement'), [`${selected}, Peers string .spec.peers, ${nodes}`])
  t.same(columns('BGPPeer'), [peer, peer])
  t.same(columns('BFDProfile'), [
    'Passive Mode boolean .spec.passiveMode, Transmit Interval integer .spec.transmitInterval, Receive Interval integer .spec.receiveInterval, Multiplier integer .spec.detectMultiplier',
  ])
  t.same(columns('Community'), [''])
  t.same(columns('ServiceL2Status'), [`Allocated Node string .status.node, ${service}`])
  t.same(columns('ServiceBGPStatus'), [`Node string .status.node, ${service}`])
  t.same(columns('ConfigurationState'), [
    'Result string .status.result, ErrorSummary string .status.errorSummary, Age date .metadata.creationTimestamp',
  ])
})

t.test('as in MetalLB: v1beta1 of BGPPeer is deprecated, and a webhook converts it', async t => {
  const [stored, older] = crdOf('BGPPeer').spec.versions
  t.match(older, { deprecated: true, deprecationWarning: 'v1beta1 is deprecated, please use v1beta2' })
  t.notOk('deprecated' in (stored ?? {}))
  t.same(crdOf('BGPPeer').spec.conversion, {
    strategy: 'Webhook',
    webhook: {
      clientConfig: {
        service: { name: 'metallb-webhook-service', namespace: 'metallb-system', path: '/convert' },
      },
      conversionReviewVersions: ['v1', 'v1beta1'],
    },
  })
  const elsewhere = customResourceDefinitions({ name: 'hook', namespace: 'lb' }).filter(({ spec }) => spec.conversion)
  t.same(
    elsewhere.map(({ metadata, spec }) => [metadata.name, spec.conversion?.webhook.clientConfig.service]),
    [['bgppeers.metallb.io', { name: 'hook', namespace: 'lb', path: '/convert' }]],
  )
})

/** OpenAPI schema of a field. */
interface Node {
  readonly type?: string
  readonly format?: string
  readonly description?: string
  readonly default?: boolean | number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly enum?: readonly string[]
  readonly properties?: Readonly<Record<string, Node>>
  readonly required?: readonly string[]
  readonly items?: Node
  readonly additionalProperties?: Node
  readonly 'x-kubernetes-map-type'?: string | undefined
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message: string }[]
}

const nodeOf = (crd: CustomResourceDefinition, version?: string): Node =>
  crd.spec.versions.find(({ name }) => version === undefined || name === version)?.schema.openAPIV3Schema ?? {}

const range = (least?: number, most?: number): string =>
  least === undefined && most === undefined ? '' : `${least ?? ''}..${most ?? ''}`
const after = (word: string, text: string | number | boolean | undefined): string =>
  text === undefined || text === '' ? '' : `${word} ${text}`

/** What a field's schema says, in a line. */
function lineOf(path: string, schema: Node, required: boolean): string {
  const parts = [
    `${path}:`,
    schema.type,
    schema.format,
    required ? 'required' : '',
    after('=', schema.default),
    range(schema.minimum, schema.maximum),
    after('length', range(schema.minLength, schema.maxLength)),
    after('items', range(schema.minItems)),
    schema.enum?.join('|'),
    schema.pattern ? 'pattern' : '',
    schema['x-kubernetes-map-type'],
    schema['x-kubernetes-list-type'],
    after('by', schema['x-kubernetes-list-map-keys']?.join(',')),
    ...(schema['x-kubernetes-validations'] ?? []).map(({ rule }) => after('CEL', rule)),
  ]
  return parts.filter(part => part !== '' && part !== undefined).join(' ')
}

/** A line for every field; lists and maps have one for what is in them. Standard selectors are one word. */
function linesOf(path: string, schema: Node, required = false): readonly string[] {
  const { properties = {}, items, additionalProperties } = schema
  if (isSelector(schema)) return [`${path}: selector${required ? ' required' : ''}`]
  const inner = Object.entries(properties).flatMap(([name, field]) =>
    linesOf(path === '' ? name : `${path}.${name}`, field, schema.required?.includes(name)),
  )
  const own = path === '' ? [] : [lineOf(path, schema, required)]
  const map = additionalProperties ? linesOf(`${path}{}`, additionalProperties) : []
  return [...own, ...inner, ...(items ? linesOf(`${path}[]`, items) : []), ...map]
}

const isSelector = (schema: Node): boolean =>
  schema['x-kubernetes-map-type'] === 'atomic' && 'matchExpressions' in (schema.properties ?? {})

for (const [kind, expected] of Object.entries(FIELDS)) {
  t.test(`as in MetalLB: fields of ${kind}`, async t => {
    const [name = '', version] = kind.split(' ')
    t.same(
      linesOf('', nodeOf(crdOf(name), version)).toSorted(),
      [...expected.trim().split('\n'), 'apiVersion: string', 'kind: string', 'metadata: object'].toSorted(),
    )
  })
}

t.test('as in MetalLB: the standard label selector', async t => {
  const selector = nodeOf(crdOf('L2Advertisement')).properties?.['spec']?.properties?.['nodeSelectors']?.items ?? {}
  t.same(linesOf('', { ...selector, 'x-kubernetes-map-type': undefined }), [
    'matchLabels: object',
    'matchLabels{}: string',
    'matchExpressions: array atomic',
    'matchExpressions[]: object',
    'matchExpressions[].key: string required',
    'matchExpressions[].operator: string required',
    'matchExpressions[].values: array atomic',
    'matchExpressions[].values[]: string',
  ])
  t.equal(selector['x-kubernetes-map-type'], 'atomic')
})

t.test('every field says what it is, and nothing of TypeScript is left in what the API server reads', async t => {
  for (const crd of customResourceDefinitions()) {
    for (const version of crd.spec.versions) {
      const { properties = {} } = nodeOf(crd, version.name)
      const undescribed = ['spec', 'status'].flatMap(part => silent(part, properties[part]))
      t.same(undescribed, [], `${crd.metadata.name} ${version.name}`)
      t.notMatch(JSON.stringify(version), /holds/)
    }
  }
})

/** Fields without a description; list items speak through their list. */
function silent(path: string, schema?: Node): readonly string[] {
  if (!schema) return []
  const { properties = {}, items } = schema
  const own = schema.description === undefined && !path.endsWith('[]') ? [path] : []
  return [
    ...own,
    ...Object.entries(properties).flatMap(([name, field]) => silent(`${path}.${name}`, field)),
    ...silent(`${path}[]`, items),
  ]
}
