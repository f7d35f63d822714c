/** What the status page of a controller says. */
import { EventEmitter } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import type { PageFacts } from '@typemetal/cluster/page'
import { silentLogger } from '@typemetal/cluster/process'
import { Controller } from '@typemetal/controller'
import { Registry } from 'prom-client'
import t from 'tap'
import { parseFlags } from '../dist/flags.js'
import { Candidacy } from '../dist/node/candidacy.js'
import { ControllerPage } from '../dist/page/controller-page.js'
import { MemoryCluster } from './scenario/memory-store.js'

const NAMESPACE = 'metallb-system'
const NOW = '2026-01-02T03:04:05.000Z'

const pool = (name: string, addresses: readonly string[], more: object = {}) => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: { name, namespace: NAMESPACE },
  spec: { addresses, ...more },
})
const service = (name: string, annotations: Record<string, string> = {}, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default', annotations },
  spec: { type: 'LoadBalancer', clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ports: [{ port: 80 }], ...spec },
})

type Tap = Pick<typeof t, 'teardown'>

/** One of several, of which another one leads. */
class Standby extends EventEmitter<{ change: [] }> {
  readonly leads = false
  readonly standby = true
  holder = ''
}

/** A controller with a page on a cluster in memory. */
class Scene {
  readonly cluster = new MemoryCluster()
  readonly page: ControllerPage
  ready: true | string = true
  readonly #connection = this.cluster.connect()

  readonly candidacy: Candidacy | Standby

  constructor(t: Tap, { lbClass = '', standby }: { readonly lbClass?: string; readonly standby?: Standby } = {}) {
    const store = this.#connection
    const clock = { now: () => new Date(NOW), after: () => () => {} }
    const registry = new Registry()
    const log = silentLogger
    const controller = new Controller({ store, options: { namespace: NAMESPACE, lbClass }, clock })
    const times = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 }
    const candidacy = new Candidacy({ enabled: false, name: 'x', namespace: NAMESPACE, times, log, registry })
    this.candidacy = standby ?? candidacy
    this.page = new ControllerPage({
      namespace: NAMESPACE,
      lbClass,
      isWebhookOnly: false,
      version: '1.2.3',
      host: 'controller-x',
      ready: () => this.ready,
      store,
      controller,
      candidacy: this.candidacy,
      clock,
    })
    const stop = new AbortController()
    const done = standby ? undefined : candidacy.run(store, stop.signal, signal => controller.run(signal))
    t.teardown(() => {
      stop.abort()
      return done
    })
  }

  /** Lets the controller decide and write. */
  async settle(): Promise<void> {
    for (let i = 0; i < 20; i++) await setImmediate()
  }

  get facts(): PageFacts {
    return this.page.facts()
  }

  service(name: string): NonNullable<PageFacts['services']>[number] | undefined {
    return this.facts.services?.find(row => row.service === `default/${name}`)
  }

  /** Transitions in short, the newest first. */
  get lines(): readonly string[] {
    return (this.facts.transitions ?? []).map(({ object, what, why }) =>
      [object, what, why].filter(Boolean).join(' | '),
    )
  }
}

t.test('who it is, pools and their use, Services and their addresses', async t => {
  const scene = new Scene(t)
  t.match(scene.facts, {
    server: { component: 'controller', host: 'controller-x', namespace: NAMESPACE, version: '1.2.3', startedAt: NOW },
    pools: [],
    services: [],
    nodes: undefined,
    sessions: undefined,
    transitions: [],
  })
  scene.cluster.apply(pool('web', ['192.0.2.0/30']))
  scene.cluster.apply(
    pool('spare', ['198.51.100.0-198.51.100.255', '2001:db8::/64'], { autoAssign: false, avoidBuggyIPs: true }),
  )
  scene.cluster.apply(service('a'))
  scene.cluster.apply(service('b', { 'metallb.io/address-pool': 'spare', 'metallb.io/allow-shared-ip': 'key' }))
  scene.cluster.apply(service('inner', {}, { type: 'ClusterIP' }))
  scene.cluster.apply(service('other', {}, { loadBalancerClass: 'example.com/other' }))
  await scene.settle()
  t.equal(scene.facts.server.role, 'working alone')
  t.strictSame(scene.facts.pools, [
    {
      pool: 'spare',
      verdict: 'good',
      addresses: ['198.51.100.0-198.51.100.255', '2001:db8::/64'],
      assigned: '1',
      available: String(2n ** 63n - 1n + 253n),
      percent: 0,
      notes: ['only for Services that ask for it', 'without .0 and .255'],
    },
    {
      pool: 'web',
      verdict: 'good',
      addresses: ['192.0.2.0/30'],
      assigned: '1',
      available: '3',
      percent: 25,
      notes: [],
    },
  ])
  t.strictSame(scene.facts.services, [
    { service: 'default/a', verdict: 'good', addresses: ['192.0.2.0'], pool: 'web' },
    {
      service: 'default/b',
      verdict: 'good',
      addresses: ['198.51.100.1'],
      pool: 'spare',
      reason: 'it asks for this pool; it may share with others of key key',
    },
  ])
  t.strictSame(scene.lines.toSorted(), [
    'Service default/a | assigned | 192.0.2.0 of pool web',
    'Service default/b | assigned | 198.51.100.1 of pool spare',
    'configuration | in force',
  ])
})

t.test('a full pool, who waits for what, and what became of addresses', async t => {
  const scene = new Scene(t)
  scene.cluster.apply(pool('web', ['192.0.2.0/31']))
  for (const name of ['a', 'b', 'c']) scene.cluster.apply(service(name))
  await scene.settle()
  t.match(scene.facts.pools, [{ verdict: 'bad', percent: 100, notes: ['no IPv4 address is left'] }])
  t.match(scene.service('c'), { verdict: 'bad', addresses: [], reason: 'no available IPs' })
  t.equal(scene.lines.filter(line => line === 'Service default/c | refused | no available IPs').length, 1)

  scene.cluster.delete({ kind: 'Service', name: 'a', namespace: 'default' })
  await scene.settle()
  t.match(scene.service('c'), { verdict: 'good', addresses: ['192.0.2.0'] })
  t.strictSame(scene.lines.slice(0, 2), [
    'Service default/c | assigned | 192.0.2.0 of pool web',
    'Service default/a | released | 192.0.2.0: the Service is gone (serviceDeleted)',
  ])

  scene.cluster.apply(service('c', { 'metallb.io/loadBalancerIPs': '192.0.2.9' }))
  await scene.settle()
  t.match(scene.service('c'), { verdict: 'bad', addresses: [], reason: '["192.0.2.9"] is not allowed in config' })
  t.equal(scene.lines[0], 'Service default/c | released | 192.0.2.0: ["192.0.2.9"] is not allowed in config')
  scene.cluster.apply(service('c', {}, { type: 'ClusterIP' }))
  await scene.settle()
  t.equal(scene.service('c'), undefined)
})

t.test('a configuration that cannot be used, speakers that cannot use it, outages', async t => {
  const scene = new Scene(t)
  scene.cluster.apply(pool('web', ['192.0.2.0/31']))
  await scene.settle()
  scene.cluster.apply(pool('web', ['192.0.2.0/33']))
  await scene.settle()
  t.match(scene.facts.notices, [
    {
      verdict: 'bad',
      what: /newest configuration cannot be used/,
      details: [/^IPAddressPool metallb-system\/web: spec\.addresses\[0\]/],
      since: NOW,
    },
  ])
  t.match(scene.facts.pools, [{ available: '2' }], 'what is in force')
  t.match(scene.lines[0], /^configuration \| not in force \| IPAddressPool/)
  scene.cluster.apply(pool('web', ['192.0.2.0/31']))
  scene.cluster.apply({
    apiVersion: 'metallb.io/v1beta1',
    kind: 'ConfigurationState',
    metadata: { name: 'speaker-n1', namespace: NAMESPACE },
    status: { result: 'Invalid', errorSummary: 'BGPPeer x: no such Secret\nmore' },
  })
  await scene.settle()
  t.match(scene.facts.notices, [
    { verdict: 'bad', what: /^Speakers/, details: ['speaker-n1: BGPPeer x: no such Secret'] },
  ])
  t.equal(scene.lines[0], 'configuration | in force')
})

t.test('one that stands by shows what the statuses say, and who leads', async t => {
  const standby = new Standby()
  const scene = new Scene(t, { standby })
  scene.cluster.apply({
    ...pool('web', ['192.0.2.0/31']),
    status: { assignedIPv4: 1, assignedIPv6: 0, availableIPv4: 1, availableIPv6: 0 },
  })
  const ingress = [{ ip: '192.0.2.1' }]
  scene.cluster.apply({
    ...service('a', { 'metallb.io/ip-allocated-from-pool': 'web' }),
    status: { loadBalancer: { ingress } },
  })
  scene.cluster.apply(service('b'))
  await scene.settle()
  t.match(scene.facts, {
    server: { role: 'standing by' },
    notices: [{ verdict: 'note', what: /^No controller leads yet/ }],
    pools: [{ pool: 'web', assigned: '1', available: '1', percent: 50 }],
    services: [
      { service: 'default/a', verdict: 'good', addresses: ['192.0.2.1'], pool: 'web' },
      { service: 'default/b', verdict: 'note', addresses: [], reason: /the controller that leads/ },
    ],
  })
  let heard = 0
  const undo = scene.page.watch(() => heard++)
  standby.holder = 'controller-y'
  standby.emit('change')
  t.equal(heard, 1)
  t.match(scene.facts.notices, [{ what: /^Another controller leads: controller-y/ }])
  undo()
  standby.emit('change')
  t.equal(heard, 1)
})

t.test('sections that say the same are the same objects, and 100 Services at once one line', async t => {
  const scene = new Scene(t)
  scene.cluster.apply(pool('web', ['192.0.2.0/24']))
  for (let i = 0; i < 100; i++) scene.cluster.apply(service(`s${i}`))
  await scene.settle()
  t.equal(scene.lines.length, 2)
  t.match(scene.lines[0], /^100 Services \| assigned \| default\/s\d+, .* and 97 more$/)
  const before = scene.facts
  scene.cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'new' } })
  await scene.settle()
  const after = scene.facts
  for (const name of ['server', 'notices', 'pools', 'services', 'transitions'] as const)
    t.equal(after[name], before[name], name)
})

t.test('classes, and flags: there is no page unless it is asked for', async t => {
  const scene = new Scene(t, { lbClass: 'example.com/lb' })
  scene.cluster.apply(pool('web', ['192.0.2.0/30']))
  scene.cluster.apply(service('mine', {}, { loadBalancerClass: 'example.com/lb' }))
  scene.cluster.apply(service('theirs'))
  await scene.settle()
  t.match(
    scene.facts.services?.map(row => row.service),
    ['default/mine'],
  )

  t.match(parseFlags([]), { statusPort: 0, statusAddress: '127.0.0.1' })
  t.match(parseFlags(['-status-port', '7476', '--status-address=::1']), { statusPort: 7476, statusAddress: '::1' })
  t.throws(() => parseFlags(['--status-address=everywhere']), { message: /must be an IP address/ })
})
