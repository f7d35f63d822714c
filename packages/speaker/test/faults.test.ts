/** The process when its machine fails it: no descriptor left, nothing to read and nothing to write for long. What is announced stays. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Host, Lab, needsUserNamespace, nextHopsOf, run, startRouter, until } from '@typemetal/lab'
import { Ring, Speaker, electionOrder } from '@typemetal/speaker'
import { Registry } from 'prom-client'
import t from 'tap'
import { nodeManifest, putManifest, serviceManifest } from './support/manifests.js'
import { FakeEngine } from './support/fake-engine.js'
import { FakeGossip } from './support/fake-gossip.js'
import { FakeResponder } from './support/fake-responder.js'
import { recordingLog } from './support/log.js'
import { MemoryStore } from './support/memory-store.js'
import { metallb, node, peer, pool, service } from './support/objects.js'
import { VirtualClock } from './support/virtual-clock.js'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const ARP = import.meta.resolve('@typemetal/arp-ndp')
const PATIENT = { timeout: 120_000, interval: 100 }
const skip = needsUserNamespace() && 'wants root, to make network namespaces'

const MANIFESTS = `${nodeManifest('n1', '10.10.0.11')}---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: lan }
spec: { addresses: [10.10.0.200-10.10.0.203] }
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: lan }
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: { name: lan }
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: { name: router }
spec: { myASN: 64512, peerASN: 64513, peerAddress: 10.10.0.1, holdTime: 9s }
`

/** How many answer for an address, within a second. */
async function answers(host: Host, address: string): Promise<number> {
  const code = `import { resolve } from ${JSON.stringify(ARP)}
    console.log((await resolve({ interface: 'eth0', address: '${address}', timeout: 1000 })).length)`
  return Number((await host.exec([process.execPath, '--input-type=module', '-e', code])).stdout)
}

/** Opens TCP connections and leaves them open. */
const crowd = (port: number, count: number): string => `
  const net = require('node:net')
  let open = 0
  for (let i = 0; i < ${count}; i++) {
    net.connect(${port}, '127.0.0.1').on('error', () => {}).on('connect', () => { if (++open === 1) console.log('in') })
  }
  setInterval(() => {}, 1000)`

t.setTimeout(1_200_000)

t.test('no descriptor left: it lives, answers, keeps its session, and catches up', { skip }, async t => {
  await using lab = await Lab.create()
  const lan = await lab.bridge('lan')
  const at = (address: string) => ({ links: [{ bridge: lan, addresses: [`${address}/24`] }] })
  const host = await lab.host('n1', at('10.10.0.11'))
  const client = await lab.host('client', at('10.10.0.100'))
  const router = await lab.host('router', at('10.10.0.1'))
  const bgp = { asn: 64513, bgpIdentifier: '10.10.0.1', peerPrefix: '10.10.0.0/24', peerAsn: 64512 }
  await startRouter('embedded', router, { ...bgp, directory: join(lab.directory, 'router') })
  const config = join(lab.directory, 'config')
  await mkdir(config)
  await writeFile(join(config, 'cluster.yaml'), MANIFESTS)
  await writeFile(join(config, 'web.yaml'), serviceManifest('web', '10.10.0.200'))
  const speaker = host.spawn([process.execPath, MAIN, '--node-name=n1', `--config-dir=${config}`], { name: 'speaker' })
  const routed = async (address: string): Promise<boolean> =>
    (await nextHopsOf(router.namespace, `${address}/32`)).join() === '10.10.0.11'
  const statuses = async (): Promise<number> =>
    (await readdir(join(config, 'status/ServiceL2Status/metallb-system'))).length
  await until('an answer', async () => (await answers(client, '10.10.0.200')) === 1 || undefined, PATIENT)
  await until('a route', async () => (await routed('10.10.0.200')) || undefined, PATIENT)
  await until('a status', async () => (await statuses()) === 1 || undefined, PATIENT)

  const taken = new Set((await readdir(`/proc/${speaker.pid}/fd`)).map(Number))
  let free = 0
  while (taken.has(free)) free++
  const limit = (count: number): Promise<unknown> =>
    run(['prlimit', '--pid', String(speaker.pid), `--nofile=${count}:`])
  await limit(free)
  await putManifest(join(config, 'second.yaml'), serviceManifest('second', '10.10.0.201'))
  const crowds = [7472, 17472].map(port =>
    host.spawn([process.execPath, '-e', crowd(port, 200)], { name: `crowd-${port}` }),
  )
  // Longer than the hold time, twice.
  for (const end = performance.now() + 19_000; performance.now() < end;) {
    t.equal(await answers(client, '10.10.0.200'), 1, 'it answers')
    t.ok(await routed('10.10.0.200'), 'the session stands')
    await new Promise(resolve => setTimeout(resolve, 2_000))
  }
  t.ok(speaker.running)
  for (const each of crowds) await each.stop('SIGKILL')

  await limit(1024)
  await until(
    'the new Service to be announced',
    async () => (await answers(client, '10.10.0.201')) === 1 || undefined,
    PATIENT,
  )
  await until('and routed', async () => (await routed('10.10.0.201')) || undefined, PATIENT)
  await until('its status', async () => (await statuses()) === 2 || undefined, PATIENT)

  // With descriptors enough a crowd has no more of them than its share.
  const flood = host.spawn([process.execPath, '-e', crowd(7472, 500)], { name: 'flood' })
  await flood.waitForLine(line => line === 'in', 60_000)
  await new Promise(resolve => setTimeout(resolve, 1_000))
  const after = (await readdir(`/proc/${speaker.pid}/fd`)).length
  t.ok(after < taken.size + 80, `${after} descriptors, ${taken.size} in peace`)
  await flood.stop('SIGKILL')
  t.same(await speaker.stop('SIGTERM', 60_000), { code: 0, signal: null })
})

t.test(
  'the cluster is out of reach for an hour: what is known holds, a dead node is replaced, statuses follow',
  async t => {
    const [store, clock, engine, responder] = [
      new MemoryStore(),
      new VirtualClock(),
      new FakeEngine(),
      new FakeResponder(),
    ]
    const log = recordingLog()
    const ip = Array.from({ length: 250 }, (_, i) => `10.1.0.${i + 1}`).find(
      ip => electionOrder(['n1', 'n2'], ip)[0] === 'n2',
    )
    const gossip = new FakeGossip(['n1', 'n2'])
    const ring = new Ring({ gossip, peers: () => [], clock })
    const registry = new Registry()
    const abort = new AbortController()
    const makers = { startLayer2: async () => responder, createEngine: engine.create }
    const speaker = new Speaker({
      node: 'n1',
      namespace: 'metallb-system',
      store,
      ring,
      registry,
      log,
      clock,
      ...makers,
    })
    const done = speaker.run(abort.signal)
    store.apply(node('n1'), node('n2', '10.0.0.2'), pool(['10.1.0.0/24']), metallb('L2Advertisement', 'l2'))
    store.apply(metallb('BGPAdvertisement', 'bgp'), peer('r'), ...service('web', ip ?? ''))
    await clock.advance(2_000)
    t.same([responder.answered, engine.open[0]?.routes.length], [[], 1], 'the other node answers, both route')
    t.equal(store.list('ServiceL2Status').length, 0)

    store.outage = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    store.emit('outage', 'connect ECONNREFUSED')
    gossip.kill('n2')
    await clock.advance(3_600_000)
    t.same([responder.answered, engine.open[0]?.routes.length], [[ip], 1], 'by what was known last')
    t.equal(engine.open[0]?.closed, false)
    const about = (op: string): number => log.lines.filter(line => line['op'] === op).length
    t.ok(about('writeStatus') <= 70, `${about('writeStatus')} lines about statuses in an hour`)
    t.match(await registry.metrics(), /^workqueue_depth\{name="status"\} [1-9]/m)

    store.outage = undefined
    store.emit('outage', undefined)
    await clock.advance(1_000)
    t.match(store.list('ServiceL2Status'), [{ status: { node: 'n1', serviceName: 'web' } }])
    t.match(await registry.metrics(), /^workqueue_depth\{name="status"\} 0$/m)
    abort.abort()
    await clock.advance(60_000)
    await done
  },
)
