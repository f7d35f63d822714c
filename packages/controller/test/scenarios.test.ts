/** Every scenario of test/scenarios, as `npm run scenarios` would run it. */
import { readFileSync, readdirSync } from 'node:fs'
import t from 'tap'
import { parseScenarios } from './scenario/format.js'
import { runScenario } from './scenario/run.js'

const folder = new URL('../test/scenarios/', import.meta.url)

for (const file of readdirSync(folder).toSorted()) {
  t.test(file, async t => {
    for (const scenario of parseScenarios(readFileSync(new URL(file, folder), 'utf8'))) {
      const failures = await runScenario(scenario)
      t.strictSame(failures, [], scenario.name)
    }
  })
}

t.test('no two scenarios have one name', async t => {
  const names = readdirSync(folder).flatMap(file =>
    parseScenarios(readFileSync(new URL(file, folder), 'utf8')).map(({ component, name }) => `${component}: ${name}`),
  )
  t.strictSame(
    names.filter((name, i) => names.indexOf(name) < i),
    [],
  )
})

/** A scenario of one step. */
const scenario = (component: string, step: string): string => `{ name: x, component: ${component}, steps: [${step}] }`

async function run(text: string): Promise<readonly string[]> {
  const [parsed] = parseScenarios(text)
  return runScenario(parsed!)
}

t.test('a scenario with an unknown key is an error', async t => {
  const rows: readonly (readonly [text: string, message: string])[] = [
    [scenario('controller', '{ expect: { services: { default/a: { ip: [] } } } }'), 'x: step 1: unknown key ip'],
    [scenario('controller', '{}, { expects: {} }'), 'x: step 2: unknown key expects'],
    [scenario('controller', '{ admit: {} }'), 'x: step 1: unknown key admit'],
    [scenario('webhook', '{ restart: true }'), 'x: step 1: unknown key restart'],
    [scenario('webhook', '{ admit: { operator: CREATE } }'), 'x: step 1: unknown key operator'],
    [scenario('webhook', '{ admit: {}, expect: { denied: true } }'), 'x: step 1: unknown key denied'],
    [scenario('webhook', '{ admit: {}, expect: { converted: {} } }'), 'x: step 1: converted is no part of this answer'],
    [scenario('webhook', '{ convert: {}, expect: { allowed: true } }'), 'x: step 1: allowed is no part of this answer'],
    [scenario('webhook', '{ expect: { allowed: true } }'), 'x: step 1: expect without admit or convert'],
    [scenario('webhook', '{ admit: {}, convert: {} }'), 'x: step 1: admit and convert in one step'],
    [scenario('speaker', ''), 'x: component speaker is not ours'],
    ['{ name: x, component: controller }', 'x: steps is not a list'],
  ]
  for (const [text, message] of rows) t.throws(() => parseScenarios(text), { message }, message)
})

t.test('a scenario that does not hold says where', async t => {
  const text = scenario('controller', '{ expect: { services: { default/a: { ips: [192.0.2.1] } } } }')
  t.strictSame(await run(text), ['step 1: services.default/a.ips: expected ["192.0.2.1"], got []'])
  const pool = 'apiVersion: metallb.io/v1beta1, kind: IPAddressPool, metadata: { name: p }, spec: { addresses: [x] }'
  const admit = `admit: { operation: CREATE, object: { ${pool} } }`
  const [denied, ...more] = await run(scenario('webhook', `{ ${admit}, expect: { allowed: true, warning: y } }`))
  t.match(denied, /^step 1: allowed: expected true, got \[false,".*invalid CIDR/)
  t.strictSame(more, ['step 1: warning: expected "y", got ""'])
  const peer = 'apiVersion: metallb.io/v1beta2, kind: BGPPeer, metadata: { name: r }, spec: { myASN: 1 }'
  const convert = `convert: { object: { ${peer} }, desiredAPIVersion: metallb.io/v1beta1 }`
  t.strictSame(
    await run(scenario('webhook', `{ ${convert}, expect: { converted: { spec: { myASN: 2, vrf: red } } } }`)),
    ['step 1: converted.spec.myASN: expected 2, got 1', 'step 1: converted.spec.vrf: expected "red", got nothing'],
  )
})
