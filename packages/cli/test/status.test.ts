/** status: from folders, with the statuses that processes write, and with metrics. */
import { createServer } from 'node:http'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type ApiClient, ApiError } from '@typemetal/cluster'
import t, { type Test } from 'tap'
import { parseMetrics } from 'typemetal'
import { parseAllDocuments, stringify } from 'yaml'
import { readPodMetrics } from '../dist/source/pod-metrics.js'
import { speakerPods } from '../dist/source/speakers.js'
import { cluster, replace, run, runOn, section } from './support.js'

// Processes and a busy machine.
t.setTimeout(1_200_000)

/** What a speaker says about a Service, as it lies in the folder of statuses. */
function write(folder: string, kind: string, name: string, status: object): void {
  const directory = join(folder, 'status', kind, 'metallb-system')
  mkdirSync(directory, { recursive: true })
  const metadata = { name, namespace: 'metallb-system', resourceVersion: '1' }
  writeFileSync(
    join(directory, `${name}.yaml`),
    stringify({ apiVersion: 'metallb.io/v1beta1', kind, metadata, status }),
  )
}

const reports = (serviceName: string, node: string): object => ({ node, serviceName, serviceNamespace: 'demo' })

t.test('pools, Services, nodes and sessions of a folder', async t => {
  const { text, code } = await run('status', cluster(t))
  t.equal(code, 0)
  t.match(section(text, 'pools'), [
    { POOL: 'lan', USE: '25%', ASSIGNED: '2', FREE: '6', ANNOUNCED: 'layer2' },
    { POOL: 'routed', USE: '50%', ASSIGNED: '2', FREE: '2', ANNOUNCED: 'bgp' },
  ])
  const services = new Map(section(text, 'Services').map(row => [row['SERVICE'], row]))
  t.match(services.get('demo/web'), { ADDRESSES: '10.10.0.200,fd00:10::200', POOL: 'lan', LAYER2: 'node-3', BGP: '-' })
  t.match(services.get('demo/shop'), { POOL: 'routed', LAYER2: '-', BGP: 'node-1,node-2,node-3' })
  t.match(section(text, 'BGP sessions')[0], { NODE: 'node-1', PEER: 'router', STATE: 'unknown', ROUTES: '2' })
})

t.test('why nobody announces', async t => {
  const folder = cluster(t, folder => {
    replace(folder, 'shop.yaml', 'address-pool: routed', 'address-pool: nowhere')
    replace(folder, 'layer2.yaml', '[lan]', '[wan]')
  })
  const services = new Map(section((await run('status', folder)).text, 'Services').map(row => [row['SERVICE'], row]))
  t.match(services.get('demo/shop'), { ADDRESSES: '-', REASON: /unknown pool "nowhere"/ })
  t.match(services.get('demo/web'), { REASON: 'noMatchingAdvertisement' })
})

t.test('speakers that say otherwise than expected are marked', async t => {
  const folder = cluster(t, folder => {
    write(folder, 'ServiceL2Status', 'l2-1', reports('web', 'node-1'))
    write(folder, 'ServiceBGPStatus', 'bgp-1', reports('shop', 'node-1'))
  })
  const services = new Map(section((await run('status', folder)).text, 'Services').map(row => [row['SERVICE'], row]))
  t.match(services.get('demo/web'), { LAYER2: 'node-3 (says node-1)' })
  t.match(services.get('demo/shop'), { BGP: 'node-1,node-2,node-3 (says node-1)' })
  t.match((await run('explain', 'demo/web', folder)).text, /✗ reported +layer 2: node-1 says so, expected was node-3/)
})

t.test('a component that cannot use the configuration: its reason, and code 1', async t => {
  const folder = cluster(t, folder =>
    write(folder, 'ConfigurationState', 'speaker-node-1', { result: 'Invalid', errorSummary: 'a\nb' }),
  )
  const { text, code } = await run('status', folder)
  t.equal(code, 1)
  t.match(section(text, 'configuration'), [{ COMPONENT: 'speaker-node-1', RESULT: 'Invalid', SUMMARY: 'a; b' }])
})

t.test('--output json counts exactly', async t => {
  const folder = cluster(t, folder => replace(folder, 'pools.yaml', "'fd00:10::200-fd00:10::203'", "'fd00:10::/64'"))
  const { pools } = JSON.parse((await run('status', folder, '-o', 'json')).text) as {
    pools: { pool: string; available: unknown }[]
  }
  t.equal(
    pools.find(({ pool }) => pool === 'lan')?.available,
    '9223372036854775805',
    'more than a JSON number can say is text',
  )
})

t.test('--metrics asks every speaker for the state of its sessions', async t => {
  const text = [
    '# HELP metallb_bgp_session_up x',
    'metallb_bgp_session_up{peer="10.10.0.1:179",vrf="default"} 1',
    'metallb_bgp_announced_prefixes_total{peer="10.10.0.1:179",vrf="default"} 2',
    'metallb_bfd_session_up{peer="10.10.0.1",vrf="default"} 0',
    'typemetal_drain_state{state="announcing"} 0',
    'typemetal_drain_state{state="lowering"} 1',
  ].join('\n')
  const server = createServer((_, response) => void response.end(text))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void server.close())
  const { port } = server.address() as { port: number }
  const folder = cluster(t, folder => {
    replace(folder, 'nodes.yaml', '10.10.0.11', '127.0.0.1')
    replace(folder, 'nodes.yaml', 'address: 10.10.0.12', 'address: 127.0.0.2')
    replace(folder, 'nodes.yaml', 'type: InternalIP, address: 10.10.0.13', 'type: Hostname, address: node-3')
    replace(folder, 'nodes.yaml', "{ type: InternalIP, address: 'fd00:10::13' }", '')
    writeFileSync(
      join(folder, 'bfd.yaml'),
      'apiVersion: metallb.io/v1beta1\nkind: BFDProfile\nmetadata: { name: fast }\n',
    )
    replace(folder, 'bgp.yaml', 'peerASN: 64513', 'peerASN: 64513\n  bfdProfile: fast')
  })
  const said = (await run('status', folder, '--metrics', String(port))).text
  t.match(section(said, 'BGP sessions'), [
    { NODE: 'node-1', STATE: 'up', BFD: 'down', ROUTES: '2', TOLD: '2' },
    { NODE: 'node-2', STATE: 'unknown', TOLD: '-' },
    { NODE: 'node-3', STATE: 'unknown' },
  ])
  t.match(section(said, 'nodes'), [
    { NODE: 'node-1', NOTES: 'drain: lowering' },
    { NODE: 'node-2', NOTES: /no metrics from 127\.0\.0\.2:\d+/ },
    { NODE: 'node-3', NOTES: 'the Node has no InternalIP' },
  ])
})

t.test('the text format of Prometheus', async t => {
  t.same(
    parseMetrics('# TYPE a gauge\na 1\na{b="c\\"d\\\\e\\nf",g="h"} 2.5 1700000000000\nnot a metric line\nx{} NaN\n'),
    [
      { name: 'a', labels: {}, value: 1 },
      { name: 'a', labels: { b: 'c"d\\e\nf', g: 'h' }, value: 2.5 },
      { name: 'x', labels: {}, value: NaN },
    ],
  )
})

t.test('--watch prints again when something changes, and stops when it is told', async t => {
  const folder = cluster(t)
  const stop = new AbortController()
  let printed = ''
  const running = runOn({ write: text => void (printed += text), signal: stop.signal }, 'status', folder, '--watch')
  await seen(t, () => printed, /demo\/shop +203/)
  replace(folder, 'shop.yaml', 'address-pool: routed', 'address-pool: lan')
  await seen(t, () => printed, /demo\/shop +10\.10\.0\.20\d +lan/)
  stop.abort()
  t.match(await running, { code: 0 })
})

t.test('--watch --output yaml: every answer is a document', async t => {
  const folder = cluster(t)
  const stop = new AbortController()
  let printed = ''
  const terminal = { write: (text: string) => void (printed += text), signal: stop.signal }
  const running = runOn(terminal, 'status', folder, '--watch', '-o', 'yaml')
  await seen(t, () => printed, /pool: routed/)
  replace(folder, 'shop.yaml', 'address-pool: routed', 'address-pool: lan')
  await seen(t, () => printed, /demo\/shop\n +addresses:\n +- 10\.10\.0/)
  stop.abort()
  await running
  const documents = parseAllDocuments(printed)
  t.ok(documents.length >= 2)
  for (const document of documents) t.match(document.toJS(), { pools: Array, services: Array })
})

async function seen(t: Test, printed: () => string, pattern: RegExp): Promise<void> {
  for (let i = 0; i < 2400 && !pattern.test(printed()); i++) await delay(25)
  t.match(printed(), pattern)
}

t.test(
  'speakers of a live cluster are asked through the API server: where their arguments say, and nobody twice in vain',
  async t => {
    const pod = (node: string, args: readonly string[]) => ({
      metadata: { name: `speaker-${node}`, labels: { component: 'speaker' } },
      spec: { nodeName: node, containers: [{ args: ['--other=1'] }, { args }] },
    })
    /** @param answer to a request for metrics */
    const ask = async (pods: readonly object[], answer: (path: string) => string) => {
      const asked: string[] = []
      const api = {
        send: async ({ path }: { readonly path: string }): Promise<unknown> => {
          if (path.endsWith('/pods')) return { items: pods }
          asked.push(decodeURIComponent(path))
          return answer(path)
        },
      } as unknown as ApiClient
      return { ...(await readPodMetrics(api, 'lb', await speakerPods(api, 'lb'))), asked }
    }
    const path = (place: string): string => `/api/v1/namespaces/lb/pods/${place}/proxy/metrics`

    const pods = [
      pod('a', ['--port=7472']),
      pod('b', ['-port=9120', '--tls-min-version=VersionTLS13', '--metrics-auth=false']),
      pod('c', ['--log-level=info']),
      pod('d', ['--port=0']),
    ]
    const both = await ask(pods, () => 'metallb_bgp_session_up{peer="x"} 1')
    t.same(both.asked, [path('http:speaker-a:7472'), path('https:speaker-b:9120')])
    t.match(
      [...both.readings],
      [
        ['a', { samples: [{ name: 'metallb_bgp_session_up', value: 1 }] }],
        ['b', {}],
      ],
    )
    t.same(both.notes, [])

    const guarded = await ask([pod('a', ['--port=9120', '--metrics-auth'])], () => '')
    t.same([guarded.asked, guarded.readings.size], [[], 0])
    t.match(guarded.notes, [/^the state of sessions is unknown: .*--metrics-auth/])

    const forbidden = await ask(pods, () => {
      throw new ApiError(403, 'pods "http:speaker-a:7472" is forbidden: User "x" cannot get resource "pods/proxy"')
    })
    t.equal(forbidden.asked.length, 1)
    t.match(forbidden.notes, [/without the right to get pods\/proxy in namespace lb$/])

    const broken = await ask(pods, path => {
      throw path.includes('speaker-b') ? new ApiError(503, 'no route to host') : new DOMException('', 'TimeoutError')
    })
    t.match(broken.readings.get('a'), { failure: 'no metrics from Pod speaker-a: no answer within 2 s' })
    t.match(broken.readings.get('b'), { failure: 'no metrics from Pod speaker-b: no route to host' })
  },
)
