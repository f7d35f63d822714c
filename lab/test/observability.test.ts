/** Dashboard and alerts before a real Prometheus that scrapes real controllers and speakers: every query has an answer. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Host, Lab, run, startRouter, until } from '@typemetal/lab'
import t from 'tap'
import { parse } from 'yaml'
import { root } from './fixtures/container.js'

t.setTimeout(1_200_000)
const folder = join(root, 'deploy', 'observability')
const have = async (program: string): Promise<boolean> =>
  (await run(['sh', '-c', `command -v ${program}`], { check: false })).code === 0
const absent: string[] = []
for (const program of ['prometheus', 'arping', 'busybox']) if (!(await have(program))) absent.push(program)
const wanted = {
  skip: absent.length > 0 ? `wants the Debian packages ${absent.join(', ')}` : false,
  timeout: 1_200_000,
}

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[]
}
interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] }
}
interface Answer {
  readonly data?: { readonly result?: readonly { readonly value: readonly [number, string] }[] }
}

const rules = (path: string): readonly { readonly alert: string; readonly expr: string }[] =>
  (parse(readFileSync(path, 'utf8')) as Rules).groups.flatMap(group => group.rules)
const dashboard = JSON.parse(readFileSync(join(folder, 'dashboard.json'), 'utf8')) as Dashboard
const guide = join(root, 'packages', 'cluster', 'test', 'guide')
const guideAlerts = (): readonly { readonly alert: string; readonly expr: string }[] =>
  (parse(readFileSync(join(guide, 'alerts.yaml'), 'utf8')) as { readonly spec: Rules }).spec.groups.flatMap(
    group => group.rules,
  )
/** Of the dashboard of the same guide. */
const GUIDE_QUERIES: readonly string[] = [
  'up{job="metallb-controller", namespace="metallb-system"}',
  'up{job="metallb-speaker", namespace="metallb-system"}',
  'metallb_bgp_session_up{namespace="metallb-system"}',
  'metallb_ip_addresses_in_use_total{namespace="metallb-system"} / metallb_ip_addresses_total{namespace="metallb-system"} * 100',
  'metallb_allocator_addresses_in_use{namespace="metallb-system"}',
]
/** What Grafana puts in. */
const VARIABLES = { $job: 'metallb.*', $namespace: '.*', $instance: '.*', $__rate_interval: '10s' }
/** Comparisons that find nothing as long as all is well, and what is shown then. */
const SILENT = / or vector\(0\)$| > 0$| == 0(?=\))/g
/** There is an election on an API server only; the controller's tests look at it there. */
const ELECTION = /leader_election_master_status/

t.test('promtool takes the alerts, and each fires on its trouble', wanted, async t => {
  const { stdout } = await run(['promtool', 'check', 'rules', join(folder, 'alerts.yaml')])
  t.match(stdout, /SUCCESS: \d+ rules found/)
  const tests = await run(['promtool', 'test', 'rules', join(folder, 'alerts.test.yaml')], { check: false })
  t.equal(tests.code, 0, tests.stderr)
  const tested = readFileSync(join(folder, 'alerts.test.yaml'), 'utf8')
  for (const { alert } of rules(join(folder, 'alerts.yaml'))) t.match(tested, alert)
})

t.test('every query of dashboard and alerts, and of a guide to MetalLB, has an answer', wanted, async t => {
  await using lab = await Lab.create()
  const { client, metrics } = await cluster(lab)
  const query = prometheus(lab, client, metrics)
  await until(
    'two scrapes of everything',
    async () => ((await query('count(count_over_time(up[20s]) >= 4)'))[0] === 3 ? true : undefined),
    { timeout: 120_000 },
  )
  await until('a BGP session', async () => ((await query('sum(metallb_bgp_session_up)'))[0] ? true : undefined), {
    timeout: 120_000,
  })
  await until(
    'a conflict',
    async () => ((await query('typemetal_layer2_conflicts_total')).length > 0 ? true : undefined),
    { timeout: 120_000 },
  )

  for (const { title, targets = [] } of dashboard.panels) {
    for (const { expr } of targets) {
      const filled = Object.entries(VARIABLES).reduce((text, [name, value]) => text.replaceAll(name, value), expr)
      const asked = filled.replaceAll(SILENT, '')
      if (!ELECTION.test(asked)) t.not((await query(asked)).length, 0, `${title}: ${asked}`)
    }
  }
  for (const { name, definition } of dashboard.templating.list) {
    const [, series = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(definition ?? '') ?? []
    if (definition === undefined) continue
    const filled = Object.entries(VARIABLES).reduce((text, [key, value]) => text.replaceAll(key, value), series)
    t.not((await query(`count by (${label}) (${filled})`)).length, 0, `variable ${name}`)
  }
  for (const { alert, expr } of [...rules(join(folder, 'alerts.yaml')), ...guideAlerts()]) {
    for (const metric of new Set(expr.match(/\b(?:metallb|typemetal)_\w+|\bup\b/g))) {
      const series = metric === 'typemetal_layer2_conflicts' ? `${metric}_total` : metric
      t.not((await query(series)).length, 0, `${alert}: ${series}`)
    }
    // Nothing of what is asked for is misspelt, down to the labels: without its comparison it finds something.
    const [left = ''] = expr.split(/ (?:==|>=|>) /)
    if (!left.startsWith('typemetal_layer2_conflicts')) t.not((await query(left)).length, 0, `${alert}: ${left}`)
  }
  for (const expr of GUIDE_QUERIES) t.not((await query(expr)).length, 0, expr)
})

/** A controller, two speakers, a router, and a stranger who takes an address of ours. */
async function cluster(lab: Lab): Promise<{ readonly client: Host; readonly metrics: readonly string[] }> {
  const lan = await lab.bridge('lan')
  const host = (name: string, last: number): Promise<Host> =>
    lab.host(name, { links: [{ bridge: lan, addresses: [`10.10.0.${last}/24`, `fd00:10::${last}/64`] }] })
  const config = join(lab.directory, 'config')
  mkdirSync(config)
  for (const name of ['pools.yaml', 'layer2.yaml', 'bgp.yaml', 'web.yaml', 'docs.yaml']) {
    writeFileSync(join(config, name), readFileSync(join(root, 'examples', 'demo', name)))
  }
  const nodes = readFileSync(join(root, 'examples', 'demo', 'nodes.yaml'), 'utf8').split('\n---\n')
  writeFileSync(join(config, 'nodes.yaml'), nodes.slice(0, 2).join('\n---\n'))
  writeFileSync(join(config, 'bfd.yaml'), BFD)
  const secret = join(lab.directory, 'secret')
  mkdirSync(secret)
  writeFileSync(join(secret, 'secretkey'), 'AAAAAAAAAAAAAAAAAAAAAA')

  await startRouter('embedded', await host('router', 1), {
    asn: 64513,
    bgpIdentifier: '10.10.0.1',
    peerPrefix: '10.10.0.0/24',
    peerAsn: 64512,
    directory: join(lab.directory, 'router'),
  })
  const program = (name: string): readonly string[] => [
    process.execPath,
    join(root, 'packages', name, 'dist', 'main.js'),
    '--namespace=metallb-system',
    `--config-dir=${config}`,
    '--port=7472',
  ]
  const controller = await host('controller', 20)
  controller.spawn([...program('controller')], { name: 'controller' })
  for (const last of [11, 12]) {
    const node = await host(`node-${last - 10}`, last)
    const gossip = [`--ml-bindaddr=10.10.0.${last}`, `--ml-secret-key-path=${secret}`]
    const speaker = node.spawn([...program('speaker'), `--node-name=${node.name}`, ...gossip], { name: 'speaker' })
    await speaker.waitForLine(line => line.includes('"event":"config reloaded"'), 120_000)
  }
  const client = await host('client', 100)
  const stranger = await lab.host('stranger', { links: [{ bridge: lan, addresses: ['10.10.0.66/24'] }] })
  // Asks for the address, so that it is answered, and then says again and again that it is its own.
  await client.exec(['arping', '-c', '2', '-i', 'eth0', '10.10.0.200'], { check: false })
  await stranger.namespace.ip(['address add 10.10.0.200/32 dev eth0'])
  stranger.spawn(['sh', '-c', 'while :; do arping -q -U -c 1 -i eth0 -S 10.10.0.200 10.10.0.200; sleep 1; done'], {
    name: 'stranger',
  })
  return { client, metrics: ['10.10.0.20:7472', '10.10.0.11:7472', '10.10.0.12:7472'] }
}

const BFD = `
apiVersion: metallb.io/v1beta1
kind: BFDProfile
metadata: { name: quick, namespace: metallb-system }
spec: { receiveInterval: 300, transmitInterval: 300 }
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: { name: other, namespace: metallb-system }
spec: { myASN: 64512, peerASN: 64513, peerAddress: 10.10.0.100, bfdProfile: quick }
`

/** Starts Prometheus in a host. @returns what asks it: the values that a query finds now */
function prometheus(
  lab: Lab,
  host: Host,
  [controller = '', ...speakers]: readonly string[],
): (query: string) => Promise<readonly number[]> {
  const directory = join(lab.directory, 'prometheus')
  mkdirSync(directory)
  const job = (name: string, targets: readonly string[]): object => ({
    job_name: name,
    static_configs: [{ targets, labels: { namespace: 'metallb-system' } }],
  })
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [join(folder, 'alerts.yaml')],
    scrape_configs: [job('metallb-controller', [controller]), job('metallb-speaker', speakers)],
  }
  // JSON is YAML.
  writeFileSync(join(directory, 'prometheus.yml'), JSON.stringify(config))
  const paths = [`--config.file=${join(directory, 'prometheus.yml')}`, `--storage.tsdb.path=${join(directory, 'data')}`]
  host.spawn(['prometheus', ...paths, '--web.listen-address=127.0.0.1:9090'], { name: 'prometheus' })
  return async query => {
    const url = `http://127.0.0.1:9090/api/v1/query?query=${encodeURIComponent(query)}`
    const { stdout } = await host.exec(['busybox', 'wget', '-q', '-O', '-', url], { check: false })
    // Nothing: it does not listen yet, or it refuses the query, which then has no answer.
    const { data } = JSON.parse(stdout || '{}') as Answer
    return (data?.result ?? []).map(({ value }) => Number(value[1]))
  }
}
