/** Random pools and Services, small enough to collide. */
import { type IPFamily, type KubernetesObject, parseBlocks, type Pool } from '@typemetal/cluster'
import type { AddressRequest } from '@typemetal/controller'
import * as fc from 'fast-check'

const BLOCKS = ['10.0.0.252/30', '10.0.1.0/31', '10.0.2.5/32', '10.0.3.254-10.0.4.1', 'fd00::/127', 'fd00::10-fd00::12']

/** `undefined` most of the time: a wish is the exception. */
const seldom = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })

export const arbitraryNames = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')

/** One to three pools, none overlapping: the blocks are dealt out. */
export const arbitraryPools: fc.Arbitrary<readonly Pool[]> = fc
  .record({
    deal: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: BLOCKS.length, maxLength: BLOCKS.length }),
    rules: fc.array(
      fc.record({
        autoAssign: fc.constantFrom(true, true, true, false),
        avoidBuggyIPs: fc.boolean(),
        allocation: seldom(
          fc.record({
            priority: fc.integer({ min: 0, max: 3 }),
            namespaces: fc.option(fc.subarray(['default', 'other']), { nil: undefined }),
          }),
        ),
      }),
      { minLength: 3, maxLength: 3 },
    ),
  })
  .map(({ deal, rules }) =>
    rules.flatMap(({ allocation, ...rule }, index) => {
      const blocks = BLOCKS.filter((_, i) => deal[i] === index).flatMap(parseBlocks)
      if (blocks.length === 0) return []
      const { priority = 0, namespaces } = allocation ?? {}
      const serviceAllocation = {
        priority,
        serviceSelectors: [],
        ...(namespaces && { namespaces: new Set(namespaces) }),
      }
      const name = `pool-${index}`
      const rest = { labels: {}, l2Advertisements: [], bgpAdvertisements: [] }
      return [{ name, blocks, ...rule, ...rest, ...(allocation && { serviceAllocation }) }]
    }),
  )

/** What a Service may ask the allocator for. */
export const arbitraryRequest: fc.Arbitrary<AddressRequest> = fc
  .record({
    name: arbitraryNames,
    namespace: fc.constantFrom('default', 'other'),
    family: fc.constantFrom<AddressRequest['family'][]>('IPv4', 'IPv4', 'IPv6', 'dual'),
    dualPolicy: fc.constantFrom<AddressRequest['policy'][]>(
      'PreferDualStack',
      'PreferDualStack',
      'RequireDualStack',
      'SingleStack',
    ),
    singlePolicy: fc.constantFrom<AddressRequest['policy'][]>('SingleStack', 'SingleStack', 'PreferDualStack'),
    families: fc.constantFrom<(readonly IPFamily[])[]>([], ['IPv6', 'IPv4']),
    ports: fc.subarray(['TCP/80', 'TCP/443', 'UDP/53']),
    sharingKey: fc.constantFrom('', 'k', 'k', 'm'),
    backendKey: fc.constantFrom('', '', 'app=x'),
  })
  .map(({ name, dualPolicy, singlePolicy, ...request }) => ({
    ...request,
    policy: request.family === 'dual' ? dualPolicy : singlePolicy,
    service: `${request.namespace}/${name}`,
    labels: {},
  }))

/** The pools as their users would write them. */
export function manifestOf({
  name,
  blocks,
  autoAssign,
  avoidBuggyIPs,
  serviceAllocation: rule,
}: Pool): KubernetesObject {
  const serviceAllocation = rule && {
    priority: rule.priority,
    ...(rule.namespaces && { namespaces: [...rule.namespaces] }),
  }
  const addresses = blocks.map(({ cidr }) => cidr)
  const spec = { addresses, autoAssign, avoidBuggyIPs, ...(serviceAllocation && { serviceAllocation }) }
  return {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { name, namespace: 'metallb-system' },
    spec,
  } as KubernetesObject
}

const CLUSTER_IPS = { IPv4: ['10.96.0.1'], IPv6: ['fd96::1'], dual: ['10.96.0.1', 'fd96::1'] } as const

/** A Service as its user would write it. */
export const arbitraryService: fc.Arbitrary<KubernetesObject> = fc
  .record({
    request: arbitraryRequest,
    type: fc.constantFrom('LoadBalancer', 'LoadBalancer', 'LoadBalancer', 'LoadBalancer', 'ClusterIP'),
    ips: seldom(fc.constantFrom('10.0.1.0', '10.0.1.1', 'fd00::1', 'fd00::1,10.0.2.5', 'nonsense', '192.0.2.1')),
    pool: seldom(fc.constantFrom('pool-0', 'pool-1', 'pool-9')),
  })
  .map(({ request, type, ips, pool }) => {
    const [namespace = '', name = ''] = request.service.split('/')
    const annotations = {
      ...(ips !== undefined && { 'metallb.io/loadBalancerIPs': ips }),
      ...(pool !== undefined && { 'metallb.io/address-pool': pool }),
      ...(request.sharingKey && { 'metallb.io/allow-shared-ip': request.sharingKey }),
    }
    const ports = request.ports.map(port => ({ protocol: port.split('/')[0], port: Number(port.split('/')[1]) }))
    const local = request.backendKey === '' ? {} : { externalTrafficPolicy: 'Local', selector: { app: 'x' } }
    const { policy: ipFamilyPolicy, families: ipFamilies } = request
    const spec = { type, clusterIPs: CLUSTER_IPS[request.family], ipFamilyPolicy, ipFamilies, ports, ...local }
    return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace, annotations }, spec } as KubernetesObject
  })
