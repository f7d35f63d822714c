/** Why a Service has its address, or none. */
import type { Pool, Service } from '@typemetal/cluster'
import { blockContains, matchesAny, parseAddress } from '@typemetal/cluster'
import { Annotation, isOurClass, parseClasses } from '@typemetal/controller'
import { addressesOf } from '../allocation.js'
import { step, type Step, type Subject } from './step.js'

/** Type and class, then pool and address. */
export function poolSteps(subject: Subject, lbClass: string): readonly Step[] {
  const { service } = subject
  const type = service.spec?.type ?? 'ClusterIP'
  if (type !== 'LoadBalancer')
    return [step('service', 'bad', `is of type ${type}: only LoadBalancer Services are announced`)]
  const wanted = service.spec?.loadBalancerClass
  if (!isOurClass(service, parseClasses(lbClass))) return [step('service', 'bad', classText(wanted, lbClass))]
  return [
    step(
      'service',
      'good',
      `is of type LoadBalancer, ${wanted ? `class ${wanted}` : 'without a class'}`,
      wishes(service),
    ),
    ...poolAndAddress(subject),
  ]
}

const classText = (wanted: string | undefined, lbClass: string): string =>
  wanted === undefined
    ? `has no loadBalancerClass, and the processes serve ${lbClass} only`
    : `its loadBalancerClass ${wanted} is not served: the processes serve ${lbClass || 'Services without a class'} (--lb-class)`

/** What the Service asks for, as it says it. */
function wishes({ metadata, spec }: Service): readonly string[] {
  const annotations = metadata.annotations ?? {}
  const asked = [Annotation.addressPool, Annotation.loadBalancerIPs, Annotation.allowSharedIP].flatMap(key => {
    const value = annotations[key] ?? annotations[key.replace('metallb.io/', 'metallb.universe.tf/')]
    return value === undefined ? [] : [`asks for ${key.slice('metallb.io/'.length)} ${value}`]
  })
  return [
    ...asked,
    ...(spec?.loadBalancerIP ? [`asks for address ${spec.loadBalancerIP} (spec.loadBalancerIP)`] : []),
    `families ${(spec?.ipFamilies ?? []).join(', ') || 'IPv4'}, ${spec?.ipFamilyPolicy ?? 'SingleStack'}`,
  ]
}

function poolAndAddress(subject: Subject): readonly Step[] {
  const { key, service, present, plans, config, events } = subject
  const addresses = addressesOf(service)
  const said = events.filter(
    ({ regarding, type }) =>
      `${regarding.namespace}/${regarding.name}` === key && (type === 'Warning' || addresses.length === 0),
  )
  const complaints = said.map(({ reason, message }) => `${reason}: ${message}`)
  const others = (chosen: string | undefined): readonly string[] =>
    [...config.pools.values()].filter(({ name }) => name !== chosen).flatMap(pool => whyNot(pool, service))
  if (addresses.length === 0) {
    return [step('pool', 'bad', 'no pool gives it an address', [...complaints, ...others(undefined)])]
  }
  const [plan] = plans.values()
  const name = plan?.services.get(key)?.pool ?? poolHolding(config.pools, addresses)
  const stands = addressesOf(present).length > 0
  const address = step(
    'address',
    'good',
    `${addresses.join(', ')}: ${stands ? 'it has it already, and what stands stays' : 'would be given to it, the lowest that is free or may be shared'}`,
    [...complaints, ...sharing(subject, addresses)],
  )
  if (name === undefined) {
    return [step('pool', 'bad', 'no pool of this configuration holds its addresses', others(undefined)), address]
  }
  const pool = config.pools.get(name)
  return [step('pool', 'good', `${name}: ${pool ? whyThis(pool, service) : ''}`, others(name)), address]
}

const poolHolding = (pools: ReadonlyMap<string, Pool>, addresses: readonly string[]): string | undefined =>
  [...pools.values()].find(pool => addresses.every(text => holds(pool, text)))?.name

const holds = (pool: Pool, text: string): boolean => {
  const address = parseAddress(text)
  return address !== undefined && pool.blocks.some(block => blockContains(block, address))
}

function whyThis(pool: Pool, { metadata }: Service): string {
  const { autoAssign, serviceAllocation: rule, blocks } = pool
  const why =
    askedPool(metadata.annotations) === pool.name
      ? 'the Service asks for it by name'
      : rule
        ? `is kept for some Services, this one among them${rule.priority > 0 ? `, with priority ${rule.priority}` : ''}`
        : autoAssign
          ? 'any Service may use it'
          : 'the Service asks for one of its addresses'
  return `${why} (${blocks.map(({ cidr }) => cidr).join(', ')})`
}

const askedPool = (annotations: Service['metadata']['annotations'] = {}): string =>
  annotations[Annotation.addressPool] ?? annotations['metallb.universe.tf/address-pool'] ?? ''

/** Why a pool is not the one, as far as its rules say it. */
function whyNot(pool: Pool, service: Service): readonly string[] {
  const { name, autoAssign, serviceAllocation: rule } = pool
  const { namespace = 'default', labels = {}, annotations } = service.metadata
  const asked = askedPool(annotations)
  if (asked !== '') return asked === name ? [] : [`not ${name}: the Service asks for ${asked}`]
  if (rule?.namespaces && !rule.namespaces.has(namespace)) return [`not ${name}: namespace ${namespace} may not use it`]
  if (rule && !matchesAny(rule.serviceSelectors, labels))
    return [`not ${name}: its serviceSelectors do not match the labels`]
  if (!autoAssign) return [`not ${name}: autoAssign is false, and the Service does not ask for it`]
  return [
    `not ${name}: ${rule ? 'another pool comes first' : 'pools kept for the Service, or earlier in the order of names, come first, or it has no fit address left'}`,
  ]
}

function sharing({ key, snapshot }: Subject, addresses: readonly string[]): readonly string[] {
  const others = [...snapshot.objects('Service')]
    .filter(([other, service]) => other !== key && addressesOf(service).some(text => addresses.includes(text)))
    .map(([other]) => other)
  return others.length > 0 ? [`shared with ${others.join(', ')}`] : []
}
