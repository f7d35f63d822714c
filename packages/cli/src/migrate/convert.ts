/** Other load balancers' objects as resources of ours. Pure. */
import { buildConfig, parseManifest, manifestResources } from '@typemetal/cluster'
import type { ConfigError } from '@typemetal/cluster'
import { stringify } from 'yaml'
import { convertClusterConfigs, convertPeeringPolicy } from './cilium-bgp.js'
import { convertPolicy, convertPool } from './cilium-pools.js'
import { convertConfigMap, isOldConfig } from './config-map.js'
import { Conversion, type ConversionNote, type Resource } from './conversion.js'
import { convertKubeVip, isKubeVip } from './kube-vip.js'
import { groupOf, type RawObject, textOf } from './objects.js'
import { convertNodeAgent, convertServiceGroup } from './purelb.js'

/** What became of the objects. */
export interface Converted {
  readonly resources: readonly Resource[]
  /** What has no equal, or is not quite the same. */
  readonly notes: readonly ConversionNote[]
  /** What is wrong with the resources: it was wrong before, or has to be decided by hand. */
  readonly errors: readonly ConfigError[]
  /** Objects that were looked at, by kind. */
  readonly seen: Readonly<Record<string, number>>
}

/** Kinds that are converted one by one. */
const CONVERTERS: Readonly<Record<string, (object: RawObject, conversion: Conversion) => void>> = {
  'cilium.io CiliumLoadBalancerIPPool': convertPool,
  'cilium.io CiliumL2AnnouncementPolicy': convertPolicy,
  'cilium.io CiliumBGPPeeringPolicy': convertPeeringPolicy,
  'purelb.io ServiceGroup': convertServiceGroup,
  'purelb.io LBNodeAgent': convertNodeAgent,
}

/** Annotations of Services that mean something to somebody else, and their equals here. */
const ANNOTATIONS: Readonly<Record<string, string>> = {
  'kube-vip.io/loadbalancerIPs': 'metallb.io/loadBalancerIPs',
  'lbipam.cilium.io/ips': 'metallb.io/loadBalancerIPs',
  'io.cilium/lb-ipam-ips': 'metallb.io/loadBalancerIPs',
  'lbipam.cilium.io/sharing-key': 'metallb.io/allow-shared-ip',
  'io.cilium/lb-ipam-sharing-key': 'metallb.io/allow-shared-ip',
  'purelb.io/service-group': 'metallb.io/address-pool',
  'purelb.io/addresses': 'metallb.io/loadBalancerIPs',
  'purelb.io/allow-shared-ip': 'metallb.io/allow-shared-ip',
}

/** Converts what it knows and passes over the rest. @param namespace where the resources are to live */
export function convert(objects: readonly RawObject[], namespace: string): Converted {
  const conversion = new Conversion(namespace)
  const seen: Record<string, number> = {}
  const count = ({ kind }: RawObject): void => void (seen[kind] = (seen[kind] ?? 0) + 1)
  for (const object of objects) {
    const converter = isOldConfig(object)
      ? convertConfigMap
      : isKubeVip(object)
        ? convertKubeVip
        : CONVERTERS[`${groupOf(object)} ${object.kind}`]
    if (converter) {
      count(object)
      converter(object, conversion)
    }
    if (object.kind === 'Service') noteAnnotations(object, conversion)
  }
  const bgp = objects.filter(
    object =>
      groupOf(object) === 'cilium.io' &&
      object.kind.startsWith('CiliumBGP') &&
      object.kind !== 'CiliumBGPPeeringPolicy',
  )
  bgp.forEach(count)
  convertClusterConfigs(bgp, conversion)
  noteClasses(objects, conversion)
  const { resources, notes } = conversion
  return { resources, notes, errors: check(resources, namespace), seen }
}

function noteAnnotations({ name, namespace, annotations }: RawObject, conversion: Conversion): void {
  for (const [key, value] of Object.entries(annotations)) {
    const equal = ANNOTATIONS[key]
    if (equal !== undefined)
      conversion.note(
        `Service ${namespace || 'default'}/${name}`,
        `annotation ${key}: write ${equal}: ${JSON.stringify(value)}`,
      )
  }
}

/** A class cannot be changed or taken away, so it is the processes that must know it. */
function noteClasses(objects: readonly RawObject[], conversion: Conversion): void {
  const users = new Map<string, number>()
  for (const { kind, spec } of objects) {
    const name = kind === 'Service' ? textOf(spec, 'loadBalancerClass') : undefined
    if (name !== undefined) users.set(name, (users.get(name) ?? 0) + 1)
  }
  for (const [name, count] of users)
    conversion.note(
      `loadBalancerClass ${name}`,
      `${count} Service${count === 1 ? ' has' : 's have'} it, and it cannot be changed: start controller and speakers with --lb-class=${name}`,
    )
}

/** Secrets that are still to be made are the notes' business. */
function check(resources: readonly Resource[], namespace: string): readonly ConfigError[] {
  if (resources.length === 0) return []
  const manifest = parseManifest(printResources(resources), { file: 'converted', namespace })
  const { errors = [] } = buildConfig(manifestResources({ converted: manifest }), { component: 'validate', namespace })
  return errors.filter(({ transient }) => !transient).map(withoutPlace)
}

/** The place is in a text that nobody has seen. */
const withoutPlace = ({ kind, namespace, name, field, reason }: ConfigError): ConfigError => ({
  kind,
  ...(namespace !== undefined && { namespace }),
  name,
  field,
  reason,
})

/** Resources as YAML documents. */
export const printResources = (resources: readonly Resource[]): string =>
  resources.map(resource => stringify(resource)).join('---\n')
