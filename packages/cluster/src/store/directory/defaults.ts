import { createHash } from 'node:crypto'
import { formatAddress, parseAddress } from '../../address/address.js'
import type { IPFamily } from '../../config/config.js'
import type { KubernetesObject, Namespace, Secret, Service } from '../../resources/core.js'
import { isMetalLBKind } from '../../schema/definitions.js'
import { withSchemaDefaults } from '../../schema/review.js'
import type { Kind } from '../store.js'

/** Fills in what an API server would have, so that an object of a file reads like one of the API. */
export function withDefaults(kind: Kind, object: KubernetesObject): KubernetesObject {
  switch (kind) {
    case 'Service':
      return defaultService(object as Service)
    case 'Namespace':
      return defaultNamespace(object as Namespace)
    case 'Secret':
      return encodeSecret(object as Secret)
    default:
      return isMetalLBKind(kind) ? withSchemaDefaults(object) : object
  }
}

/** A UUID that depends on nothing but the text. */
export function uuidOf(text: string): string {
  const hex = createHash('sha1').update(text).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}

function defaultService(service: Service): Service {
  const { spec = {} } = service
  const type = spec.type ?? 'ClusterIP'
  const addressing = type === 'ExternalName' ? {} : defaultAddressing(service)
  const external = type === 'LoadBalancer' || type === 'NodePort'
  return {
    ...service,
    spec: {
      ...(external && { externalTrafficPolicy: 'Cluster' }),
      ...spec,
      type,
      ...(spec.ports && { ports: spec.ports.map(port => ({ ...port, protocol: port.protocol ?? 'TCP' })) }),
      ...addressing,
    },
  }
}

type Addressing = Pick<NonNullable<Service['spec']>, 'clusterIP' | 'clusterIPs' | 'ipFamilies' | 'ipFamilyPolicy'>

/** Cluster addresses as given, else one made up for each family the Service asks for: here nobody routes them, but a Service without is not served. */
function defaultAddressing({ metadata, spec = {} }: Service): Addressing {
  const given = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : [])
  const ipFamilyPolicy =
    spec.ipFamilyPolicy ?? (given.length > 1 || (spec.ipFamilies?.length ?? 0) > 1 ? 'RequireDualStack' : 'SingleStack')
  if (given.length > 0) {
    const families = given.flatMap(text => parseAddress(text)?.family ?? [])
    return { clusterIP: given[0]!, clusterIPs: given, ipFamilyPolicy, ipFamilies: spec.ipFamilies ?? families }
  }
  const ipFamilies = wantedFamilies(spec.ipFamilies ?? [], ipFamilyPolicy)
  const clusterIPs = ipFamilies.map(family => clusterAddress(family, `${metadata.namespace ?? ''}/${metadata.name}`))
  return { clusterIP: clusterIPs[0]!, clusterIPs, ipFamilyPolicy, ipFamilies }
}

function wantedFamilies(given: readonly IPFamily[], policy: string): readonly IPFamily[] {
  const [first = 'IPv4'] = given
  if (policy === 'SingleStack') return [first]
  return first === 'IPv4' ? ['IPv4', 'IPv6'] : ['IPv6', 'IPv4']
}

/** An address of 10.96.0.0/12 or fd00:96::/112 that depends on the Service's name only. */
function clusterAddress(family: IPFamily, key: string): string {
  const digest = createHash('sha1').update(key).digest()
  if (family === 'IPv4') return formatAddress('IPv4', 0x0a60_0000n | BigInt(digest.readUInt32BE(0) & 0xf_ffff))
  return formatAddress('IPv6', (0xfd00_0096n << 96n) | BigInt(digest.readUInt16BE(0)))
}

/** The label that selectors use for a namespace's name. */
function defaultNamespace(namespace: Namespace): Namespace {
  const { metadata } = namespace
  return {
    ...namespace,
    metadata: { ...metadata, labels: { 'kubernetes.io/metadata.name': metadata.name, ...metadata.labels } },
  }
}

function encodeSecret({ stringData, ...secret }: Secret): Secret {
  const encoded = Object.entries(stringData ?? {}).map(([name, text]) => [name, Buffer.from(text).toString('base64')])
  return { ...secret, type: secret.type ?? 'Opaque', data: { ...secret.data, ...Object.fromEntries(encoded) } }
}
