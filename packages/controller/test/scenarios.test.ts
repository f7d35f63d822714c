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

t.test('a scenario with an unknown key is an error', async t => {
  const text = 'name: x\ncomponent: controller\nsteps:\n  - expect: { services: { default/a: { ip: [] } } }\n'
  t.throws(() => parseScenarios(text), { message: 'x: step 1: unknown key ip' })
})

t.test('a scenario that does not hold says where', async t => {
  const text = 'name: x\ncomponent: controller\nsteps:\n  - expect: { services: { default/a: { ips: [192.0.2.1] } } }\n'
  const [scenario] = parseScenarios(text)
  t.strictSame(await runScenario(scenario!), ['step 1: services.default/a.ips: expected ["192.0.2.1"], got []'])
})
