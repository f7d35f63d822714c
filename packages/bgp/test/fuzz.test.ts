/** A short run of each fuzz target, and every input that has ever failed. The long run is `npm run fuzz`. */
import { randomInt } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { runOnce } from '@typemetal/lab'
import { fuzz } from './fuzz/fuzz.js'
import { TARGETS } from './fuzz/targets.js'
import { hex, toHex, VECTORS as MESSAGES } from './octets.js'

const VECTORS = new URL('../test/vectors/fuzz/', import.meta.url)

/** The vectors come first in each corpus; what an arbitrary has made comes behind. */
const MOST_CUT = MESSAGES.length

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

/** Cut at each octet, with the header telling the truth about it and without. */
function* truncations(input: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < input.length; length++) {
    yield input.slice(0, length)
    if (length < 21 || input[2] !== 0xff) continue
    const cut = input.slice(0, length)
    cut.set([(length - 2) >> 8, length - 2], 18)
    yield cut
  }
}

/** Long inputs are cut at their first octets; beyond there is nothing new. */
const LONGEST_CUT = 600

for (const target of TARGETS.filter(({ name }) =>
  ['decode', 'identity', 'scan', 'framer', 'bmp', 'mrt'].includes(name),
)) {
  t.test(`fuzz ${target.name}: every truncation of every vector`, async t => {
    const attempt = await target.open()
    let count = 0
    for (const input of target.corpus().slice(0, MOST_CUT)) {
      for (const cut of truncations(input.subarray(0, LONGEST_CUT))) {
        const kept = cut.slice()
        try {
          await attempt.run(cut)
        } catch (error) {
          t.fail(`${toHex(kept)}: ${(error as Error).stack}`)
        }
        count++
      }
    }
    t.ok(count > 1000, `${count} truncations`)
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
