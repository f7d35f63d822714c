/** Who gives way, as plans have it: Services that share an address, and nodes that may not own it at all. */
import t from 'tap'
import { buildConfig, configResources } from '@typemetal/cluster'
import { Layer2Elections, electionOrder, plan, resolveConflict } from '@typemetal/speaker'
import type { AddressElection, Resolution } from '@typemetal/speaker'
import { MemoryCluster } from './scenario/cluster.js'
import type { AnyObject } from './scenario/cluster.js'
import { metallb, node, pool, service } from './support/objects.js'
import { FakeLan } from './support/segment.js'

const NODES = ['n1', 'n2']
const all = new Set(NODES)
const numbers = Array.from({ length: 40 }, (_, i) => i + 1)

/** Two nodes, and what is given beside them; later objects replace those of the same name. */
function cluster(...objects: readonly AnyObject[]): MemoryCluster {
  const made = new MemoryCluster()
  const nodes = NODES.map((name, i) => node(name, `10.1.0.${i + 1}`, { name }))
  for (const object of [...nodes, pool(['10.0.0.0/24', 'fd00::/64']), metallb('L2Advertisement', 'l'), ...objects]) {
    made.apply(object)
  }
  return made
}

/** What a node knows of a cluster when it holds these for the members. */
function knowledge(of: MemoryCluster, self: string, members: readonly string[], outdated = false) {
  const snapshot = of.snapshot()
  const { config } = buildConfig(configResources(snapshot), { component: 'validate', namespace: 'metallb-system' })
  const made = plan(snapshot, config, self, members)
  const elections = new Layer2Elections(() => ({ plan: made, config, snapshot, outdated }))
  return { plan: made, elections }
}

const judge = (self: string, other: string, election: AddressElection | undefined): Resolution | undefined =>
  election && resolveConflict(self, other, election)

const withAddresses = ([object, ...rest]: readonly AnyObject[], ips: readonly string[]): readonly AnyObject[] =>
  [{ ...object, status: { loadBalancer: { ingress: ips.map(ip => ({ ip })) } } }, ...rest] as readonly AnyObject[]

/** Which of the nodes an endpoint is on. */
const on = (nodeName: string, [object, slice]: readonly AnyObject[]): readonly AnyObject[] =>
  [object, { ...slice, endpoints: [{ addresses: ['10.244.0.1'], nodeName }] }] as readonly AnyObject[]

t.test('Services that share an address and have different owners: of the two exactly one gives way', async t => {
  let different = 0
  for (const i of numbers) {
    const [v4, v6] = [`10.0.0.${i}`, `fd00::${i.toString(16)}`]
    const shared = cluster(...withAddresses(service('a', v4), [v4, v6]), ...service('b', v6))
    const known = NODES.map(name => knowledge(shared, name, NODES))
    if (!known.every(({ plan: { layer2 } }) => layer2.has(v6))) continue
    different++
    const [first, second] = known.map(({ elections }) => elections.of(v6))
    t.not(judge('n1', 'n2', first), judge('n2', 'n1', second), v6)
    t.strictSame(
      known.map(({ elections }) => elections.servicesOf(v6).length),
      [1, 1],
      'and each tells its own Service',
    )
  }
  t.ok(different > 5, `${different} addresses that both nodes announce`)
})

/** The address of a Service whose election a node wins. */
const wonBy = (name: string): string =>
  numbers.map(i => `10.0.0.${i}`).find(ip => electionOrder(NODES, ip)[0] === name) ?? ''

t.test('a node that may not own the address gets it from nobody, though it comes first', async t => {
  const ip = wonBy('n2')
  const plain = service('a', ip)
  const local = service('a', ip, { externalTrafficPolicy: 'Local' })
  const second = node('n2', '10.1.0.2', { name: 'n2' })
  const excluded = node('n2', '10.1.0.2', { 'node.kubernetes.io/exclude-from-external-load-balancers': '' })
  const unavailable = {
    ...second,
    status: { ...(second.status as object), conditions: [{ type: 'NetworkUnavailable', status: 'True' }] },
  }
  const only = (name: string): AnyObject =>
    metallb('L2Advertisement', 'l', { nodeSelectors: [{ matchLabels: { name } }] })
  const cases: readonly (readonly [string, readonly AnyObject[], Resolution])[] = [
    ['it may', plain, 'yield'],
    ['policy Local, and the endpoint is here', on('n1', local), 'defend'],
    ['the exclude label', [...plain, excluded], 'defend'],
    ['NetworkUnavailable', [...plain, unavailable], 'defend'],
    ['no advertisement lists it', [...plain, only('n1')], 'defend'],
    ['another advertisement lists it', [...plain, only('n1'), { ...metallb('L2Advertisement', 'm') }], 'yield'],
    ['another Service that shares the address may be there', [...on('n1', local), ...service('b', ip)], 'yield'],
  ]
  for (const [name, objects, resolution] of cases) {
    const made = cluster(...objects)
    const { elections } = knowledge(made, 'n1', ['n1'])
    t.equal(judge('n1', 'n2', elections.of(ip)), resolution, name)
    t.equal(judge('n1', 'n2', knowledge(made, 'n1', ['n1'], true).elections.of(ip)), 'yield', `${name}, long ago`)
  }
})

for (const winner of NODES) {
  const ip = wonBy(winner)
  const local = service('a', ip, { externalTrafficPolicy: 'Local' })
  const [stale, fresh] = [cluster(...on('n2', local)), cluster(...on('n1', local))]

  t.test(
    `the endpoints move off a node that cannot read the cluster: the new node has them, ${winner} first`,
    async t => {
      const lan = new FakeLan()
      const past = knowledge(stale, 'n2', NODES, true).elections
      const present = knowledge(fresh, 'n1', NODES).elections
      const old = lan.add({ name: 'n2', knows: all, electionOf: address => past.of(address) })
      const now = lan.add({ name: 'n1', knows: all, electionOf: address => present.of(address) })
      old.take(ip)
      lan.run(10_000)
      now.take(ip)
      lan.run(1_500)
      let wrong = 0
      lan.onStep = () => {
        if (!now.answers(ip)) t.fail('dropped while it has the endpoints')
        const [theirs, ours] = [old.frames.at(-1)?.at ?? 0, now.frames.at(-1)?.at ?? 0]
        if (theirs > ours) wrong = Math.max(wrong, lan.now - theirs)
      }
      lan.run(60_000)
      t.strictSame(lan.owners(ip), winner === 'n1' ? ['n1'] : ['n2', 'n1'])
      t.ok(wrong <= 50, `its last word stood for ${wrong} ms at most`)
      t.ok(old.frames.length < 12, `${old.frames.length} frames of the one that knows the past`)
      t.ok(now.frames.length < 75, `${now.frames.length} of the other: not a war`)
    },
  )

  t.test(`neither of two can read the cluster: one gives way, ${winner} first`, async t => {
    const lan = new FakeLan()
    for (const [self, made] of [['n1', fresh], ['n2', stale]] as const) {
      const { elections } = knowledge(made, self, NODES, true)
      lan.add({ name: self, knows: all, electionOf: address => elections.of(address) }).take(ip)
    } // prettier-ignore
    lan.run(1_500)
    t.strictSame(lan.owners(ip), [winner])
  })
}
