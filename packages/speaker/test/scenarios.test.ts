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
  const text = 'name: x\ncomponent: speaker\nsteps:\n  - expect: { layer2: { default/a: { announced: true } } }\n'
  t.throws(() => parseScenarios(text), { message: 'x: step 1: unknown key announced' })
})
