/** A short run of each fuzz target, every truncation of every frame, and each input that has failed once. The long run is `npm run fuzz`. */
import { randomInt } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { runOnce } from '@typemetal/lab'
import t from 'tap'
import { fuzz } from './fuzz/fuzz.js'
import { TARGETS } from './fuzz/targets.js'
import { hex } from './octets.js'

const VECTORS = new URL('../test/vectors/fuzz/', import.meta.url)
/** Most time for one seed of one target, in milliseconds; and most inputs. */
const SHORT = { milliseconds: 250, executions: 2000 }
const SEEDS = [1, randomInt(1, 1_000_000)]
/** Frames whose every truncation is tried: those for and about our addresses, and some messages of each type. */
const MOST_CUT = 60
const toHex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex')

for (const target of TARGETS) {
  t.test(`fuzz ${target.name}: ${target.claim}`, async t => {
    for (const seed of SEEDS) {
      const { executions, failure } = await fuzz(target, seed, SHORT)
      t.comment(`seed ${seed}: ${executions} executions`)
      t.ok(executions > 0)
      if (failure) t.fail(`seed ${seed}, input ${toHex(failure.input)}: ${failure.error.stack}`)
    }
    const attempt = await target.open()
    let count = 0
    for (const frame of target.corpus().slice(0, MOST_CUT)) {
      for (let length = 0; length < Math.min(frame.length, 200); length++, count++) {
        const cut = frame.slice(0, length)
        try {
          await attempt.run(cut)
        } catch (error) {
          t.fail(`${toHex(frame.subarray(0, length))}: ${(error as Error).stack}`)
        }
      }
    }
    t.ok(count > 3000, `${count} truncations`)
  })
}

t.test('inputs that have failed once, here or elsewhere', async t => {
  for (const file of readdirSync(VECTORS).filter(name => name.endsWith('.hex'))) {
    const lines = readFileSync(new URL(file, VECTORS), 'utf8').split('\n')
    const comments = lines.filter(line => line.startsWith('#')).map(line => line.slice(1).trim())
    const target = TARGETS.find(({ name }) => name === comments[0])
    t.ok(target, `${file} names its target in its first line`)
    const input = hex(lines.filter(line => !line.startsWith('#')).join(''))
    if (target) await t.resolves(runOnce(target, input), `${file}: ${comments.slice(1).join(' ')}`)
  }
})
