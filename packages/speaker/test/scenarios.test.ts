/** Every scenario of test/scenarios, as `npm run scenarios` would run it. */
import { readFileSync, readdirSync } from 'node:fs'
import t from 'tap'
import { parseScenarios } from './scenario/format.js'
import { runScenario } from './scenario/run.js'

t.setTimeout(1_200_000)

const folder = new URL('../test/scenarios/', import.meta.url)

const files = readdirSync(folder).toSorted()
const scenarioFiles = files.filter(name => name.endsWith('.yaml'))

for (const file of scenarioFiles) {
  t.test(file, async t => {
    for (const scenario of parseScenarios(readFileSync(new URL(file, folder), 'utf8'))) {
      const failures = await runScenario(scenario)
      t.strictSame(failures, [], scenario.name)
    }
  })
}

t.test('a key that no scenario has is an error, wherever it stands', async t => {
  const scenario = (options: string, step: string): string =>
    `name: x\ncomponent: speaker\noptions: ${options}\nsteps:\n  - ${step}\n`
  for (const [step, key] of [
    ['{ expect: { layer2: { default/a: { announced: true } } } }', 'announced'],
    ['{ expect: { layer2: { default/a: { event: [{ kind: x }] } } } }', 'kind'],
    ['{ expect: { bgp: { sessions: { r: { hold: 1 } } } } }', 'hold'],
    ['{ expect: { bgp: { routes: { r: [{ med: 1 }] } } } }', 'med'],
    ['{ expect: { statuses: { l2: { default/a: { peers: [] } } } } }', 'peers'],
    ['{ expect: { nodes: { n2: { nodes: {} } } } }', 'nodes'],
    ['{ delete: [{ kind: Node, names: x }] }', 'names'],
    ['{ fail: [{ verbs: create }] }', 'verbs'],
    ['{ restart: true, options: { lbclass: x } }', 'lbclass'],
    ['{ aplly: [] }', 'aplly'],
  ] as const) {
    t.throws(() => parseScenarios(scenario('{ node: n1 }', step)), { message: `x: step 1: unknown key ${key}` })
  }
  t.throws(() => parseScenarios(scenario('{ nodes: [n1] }', '{}')), { message: 'x: unknown key nodes' })
  t.throws(() => parseScenarios(scenario('{}', '{ expect: { config: valid } }')), /expect without options.node/)
  t.throws(() => parseScenarios(scenario('{}', '{ options: { lbClass: x } }')), /with a restart only/)
  t.throws(() => parseScenarios('name: x\ncomponent: controller\nsteps: []'), /not ours/)
})

t.test('what differs is said with step and path', async t => {
  const [scenario] = parseScenarios(`
name: x
component: speaker
options: { node: n1 }
steps:
  - { expect: { config: invalid } }
  - expect:
      configurationState: { result: Invalid, reason: ConfigurationError }
      layer2: { default/a: { announce: true, reason: notOwner, ips: [10.0.0.1], interfaces: all, event: { reason: nodeAssigned } } }
      bgp: { sessions: { r: {} }, resets: [r], routes: { r: [{ prefix: 10.0.0.1/32 }] }, services: { default/a: { announce: true } } }
      statuses: { l2: { default/a: { node: n1 } }, bgp: { default/a: [r] } }
      metrics: { some_series: 1 }
      configError: nonsense
`)
  const failures = scenario ? await runScenario(scenario) : []
  t.equal(failures[0], 'step 1: config: expected "invalid", got "valid"')
  for (const path of [
    'configurationState.result', 'configurationState.reason', 'layer2.default/a.announce', 'layer2.default/a.reason',
    'layer2.default/a.ips', 'layer2.default/a.interfaces', 'layer2.default/a.event', 'bgp.sessions', 'bgp.resets',
    'bgp.routes.r', 'bgp.services.default/a.announce', 'statuses.l2.default/a.node', 'statuses.bgp.default/a',
    'metrics.some_series', 'configError',
  ]) {
    t.ok(failures.some(line => line.startsWith(`step 2: ${path}: expected `)), path)
  } // prettier-ignore
})

t.test('the table of scenarios names every file, and no other', async t => {
  const rows = readFileSync(new URL('README.md', folder), 'utf8')
    .split('\n')
    .filter(line => line.startsWith('| `'))
  const named = rows.flatMap(row => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(match => match[1] ?? ''))
  t.strictSame(named.toSorted(), scenarioFiles)
})

t.test('names of scenarios are unique: they are how a failure is found', async t => {
  const texts = scenarioFiles.map(file => readFileSync(new URL(file, folder), 'utf8'))
  const names = texts.flatMap(text => parseScenarios(text).map(({ name }) => name))
  t.strictSame(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  )
})
