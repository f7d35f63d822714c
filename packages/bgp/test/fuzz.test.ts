/** A short run of each fuzz target, and every input that has ever failed. The long run is `npm run fuzz`. */
import { randomInt } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { fuzz, runOnce } from './fuzz/fuzz.js'
import { TARGETS } from './fuzz/targets.js'
import { hex, toHex } from './octets.js'

const VECTORS = new URL('../test/vectors/fuzz/', import.meta.url)

/** Most time for one seed of one target, in milliseconds; and most inputs, so that quick machines do not work for nothing. */
const SHORT = { milliseconds: 250, executions: 2000 }
const SEEDS = [1, randomInt(1, 1_000_000)]

for (const target of TARGETS) {
  t.test(`fuzz ${target.name}: ${target.claim}`, async t => {
    for (const seed of SEEDS) {
      const { executions, failure } = await fuzz(target, seed, SHORT)
      t.comment(`seed ${seed}: ${executions} executions`)
      t.ok(executions > 0)
      if (failure) t.fail(`seed ${seed}, input ${toHex(failure.input)}: ${failure.error.stack}`)
    }
  })
}

t.test('inputs that have failed once', async t => {
  for (const file of readdirSync(VECTORS).filter(name => name.endsWith('.hex'))) {
    const lines = readFileSync(new URL(file, VECTORS), 'utf8').split('\n')
    const comments = lines.filter(line => line.startsWith('#')).map(line => line.slice(1).trim())
    const target = TARGETS.find(({ name }) => name === comments[0])
    t.ok(target, `${file} names its target in its first line`)
    const input = hex(lines.filter(line => !line.startsWith('#')).join(''))
    if (target) await t.resolves(runOnce(target, input), `${file}: ${comments.slice(1).join(' ')}`)
  }
})
