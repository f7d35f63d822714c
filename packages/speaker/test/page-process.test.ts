/** The status page of the real process: a folder of manifests, a router, and somebody who looks. */
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BgpSpeaker } from '@typemetal/bgp'
import type { PageFacts } from '@typemetal/cluster/page'
import { PageWatch } from '@typemetal/lab'
import { freePorts } from '@typemetal/lab/kubernetes'
import t from 'tap'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const SECRET = 'swordfish'

const cluster = (port: number): string => `
apiVersion: v1
kind: Node
metadata: { name: n1 }
status: { addresses: [{ type: InternalIP, address: 127.0.0.1 }] }
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: web }
spec: { addresses: [192.0.2.0/24] }
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: { name: web }
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: { name: tor }
spec: { myASN: 64512, peerASN: 64513, peerAddress: 127.0.0.1, peerPort: ${port} }
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: { name: guarded }
spec: { myASN: 64512, peerASN: 64513, peerAddress: 127.0.0.1, peerPort: 1, password: ${SECRET} }
`

const service = (name: string, ip: string): string => `
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { type: LoadBalancer }
status: { loadBalancer: { ingress: [{ ip: ${ip} }] } }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}-1, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
endpoints: [{ addresses: [10.10.0.11], nodeName: n1 }]
`

/** A router that takes whoever comes. A BGPPeer may have ports up to 16384 only. */
async function startRouter(attempts = 50): Promise<BgpSpeaker> {
  const listen = { port: randomInt(4_096, 16_385), address: '127.0.0.1' }
  const router = new BgpSpeaker({ asn: 64513, bgpIdentifier: '10.0.0.1', listen })
  router.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 64512 })
  try {
    await router.start()
    return router
  } catch (error) {
    await router.close()
    // somebody else has the port
    if (attempts > 0) return startRouter(attempts - 1)
    throw error
  }
}

const session = ({ sessions }: Partial<PageFacts>): NonNullable<PageFacts['sessions']>[number] | undefined =>
  sessions?.find(({ peer }) => peer === 'tor')

t.setTimeout(1_200_000)

t.test('somebody who looks sees Services and sessions come and go, and no secret', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'typemetal-page-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const router = await startRouter()
  t.teardown(() => router[Symbol.asyncDispose]())
  await writeFile(join(folder, 'cluster.yaml'), cluster(router.port ?? 0))
  const [port = 0] = await freePorts(1)
  const flags = [
    '--node-name=n1',
    `--config-dir=${folder}`,
    '--port=0',
    '--health-probe-port=0',
    '--drain-peer-wait=0s',
  ]
  const child = spawn(process.execPath, [MAIN, ...flags, `--status-port=${port}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let log = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text))
  const url = `http://127.0.0.1:${port}/`
  using watch = await PageWatch.open(url)

  await watch.until('the session to stand', facts => session(facts)?.state === 'Established' || undefined)
  t.match(watch.facts.server, { component: 'speaker', node: 'n1', role: 'announcing', namespace: 'metallb-system' })
  t.match(session(watch.facts), { verdict: 'good', target: '127.0.0.1', localAS: 64512, peerAS: 64513, since: String })
  t.match(watch.facts.services, [])

  await writeFile(join(folder, 'web.yaml'), service('web', '192.0.2.1'))
  const web = await watch.until('the Service', ({ services }) => services?.find(row => row.service === 'default/web'))
  t.match(web, {
    verdict: 'good',
    addresses: ['192.0.2.1'],
    pool: 'web',
    bgp: { nodes: ['n1'], to: ['guarded', 'tor'] },
  })
  await watch.until('the peer to be told', facts => session(facts)?.announced === 1 || undefined)

  const facts = (await (await fetch(`${url}facts.json`)).json()) as PageFacts
  t.match(facts.services, [{ service: 'default/web' }], 'the same in one piece')
  const lines = facts.transitions?.map(({ object, what }) => `${object} ${what}`) ?? []
  t.ok(lines.includes('Service default/web announced by BGP'), lines.join(', '))
  t.ok(lines.includes('BGPPeer tor session up'))
  t.match(
    facts.sessions?.find(({ peer }) => peer === 'guarded'),
    { verdict: 'bad' },
  )
  t.notMatch(JSON.stringify(facts), SECRET)
  t.equal((await fetch(url, { method: 'POST' })).status, 405, 'nothing can be changed')

  await router.close({ communication: 'out for lunch' })
  const down = await watch.until('the session to go', facts =>
    session(facts)?.verdict === 'bad' ? session(facts) : undefined,
  )
  t.match(down.reason, /the peer sent a NOTIFICATION: .*"out for lunch"|no TCP connection/)
  t.ok(watch.facts.transitions?.some(({ object, what }) => object === 'BGPPeer tor' && what === 'session down'))

  child.kill('SIGTERM')
  const [code] = (await once(child, 'exit')) as [number]
  t.equal(code, 0)
  await watch.until('the stream to end', () => watch.ended || undefined)
  t.ok(watch.changes > 0, 'not everything came with the first event')
  t.match(log, `"url":"${url}"`)
})

t.test('a page that cannot be served is said in one line', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'typemetal-page-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const flags = ['--node-name=n1', `--config-dir=${folder}`, '--port=0', '--health-probe-port=0', '--log-level=none']
  const page = ['--status-port=7476', '--status-address=192.0.2.77']
  const child = spawn(process.execPath, [MAIN, ...flags, ...page], { stdio: ['ignore', 'inherit', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (more: string) => (said += more))
  t.same(await once(child, 'close'), [1, null])
  t.match(said, /^typemetal-speaker: cannot listen on port 7476 of 192\.0\.2\.77: .*\n$/)
})
