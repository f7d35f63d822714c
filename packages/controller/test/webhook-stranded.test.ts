/** The webhook warns whoever takes addresses out of a pool of the Services that lose theirs. */
import type { ConfigResources, IPAddressPool, Service } from '@typemetal/cluster'
import t from 'tap'
import { reviewAdmission } from '../dist/webhook/admission.js'

const NAMESPACE = 'metallb-system'

const pool = (name: string, addresses: readonly string[], more: object = {}): IPAddressPool => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: { name, namespace: NAMESPACE },
  spec: { addresses, ...more },
})

const service = (name: string, from: string, ...ips: readonly string[]): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default', annotations: { 'metallb.io/ip-allocated-from-pool': from } },
  spec: { type: 'LoadBalancer' },
  status: { loadBalancer: { ingress: ips.map(ip => ({ ip })) } },
})

/** What is said when `before` becomes `after` (absent: is deleted), `others` being there too. */
function warnings(
  services: readonly Service[],
  before: IPAddressPool,
  after?: IPAddressPool,
  others: readonly IPAddressPool[] = [],
): readonly string[] {
  const resources = { IPAddressPool: [before, ...others] } as ConfigResources
  const request = {
    uid: 'u',
    operation: after ? 'UPDATE' : 'DELETE',
    oldObject: before,
    ...(after && { object: after }),
  }
  const { allowed, warnings: said = [] } = reviewAdmission(request, { namespace: NAMESPACE, resources, services })
  t.ok(allowed, 'it is a warning and no more')
  return said
}

const BEFORE = pool('web', ['10.0.0.0/24', 'fd00::/120'])
const sentence = (list: string): string =>
  `IPAddressPool web: these Services lose their address and get another, if there is one: ${list}`

t.test('a pool that shrinks under addresses in use', async t => {
  const services = [service('low', 'web', '10.0.0.1'), service('high', 'web', '10.0.0.200', 'fd00::1')]
  t.same(warnings(services, BEFORE, pool('web', ['10.0.0.0/25'])), [sentence('default/high (10.0.0.200, fd00::1)')])
  t.same(warnings(services, BEFORE, pool('web', ['10.0.0.0/23', 'fd00::/120'])), [], 'it grows')
  t.same(warnings([], BEFORE, pool('web', ['10.1.0.0/24'])), [], 'nobody has an address')
})

t.test('a pool that is deleted, and one whose addresses another pool has then', async t => {
  const services = [service('a', 'web', '10.0.0.1'), service('b', 'other', '10.9.0.1')]
  t.same(warnings(services, BEFORE), [sentence('default/a (10.0.0.1)')])
  const others = [pool('rest', ['10.0.0.0/24'])]
  t.same(warnings(services, pool('web', ['10.0.0.0/24']), undefined, others), [], 'it keeps the address')
})

t.test('avoidBuggyIPs takes .0 and .255 away', async t => {
  const services = [service('zero', 'web', '10.0.0.0'), service('one', 'web', '10.0.0.1')]
  const after = pool('web', ['10.0.0.0/24', 'fd00::/120'], { avoidBuggyIPs: true })
  t.same(warnings(services, BEFORE, after), [sentence('default/zero (10.0.0.0)')])
})

t.test('of many some are named; what is no address is nobody’s', async t => {
  const services = Array.from({ length: 8 }, (_, i) => service(`s${i}`, 'web', `10.0.0.${i + 128}`))
  const [said = ''] = warnings(services, BEFORE, pool('web', ['10.0.0.0/25']))
  t.match(said, /default\/s0 \(10\.0\.0\.128\), .*default\/s4 \(10\.0\.0\.132\) and 3 more$/)
  t.same(warnings([service('odd', 'web', 'nonsense')], BEFORE), [])
})
