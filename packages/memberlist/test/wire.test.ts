import { readFileSync } from 'node:fs'
import t from 'tap'
import { runVectors, type VectorFile } from './vectors.js'

const vectors = JSON.parse(
  readFileSync(new URL('../test/vectors/memberlist.json', import.meta.url), 'utf8'),
) as VectorFile

t.test('vectors of the reference: encodings byte-exact, decode tolerance, formulas, captured sessions', async t => {
  const { passed, failures } = runVectors(vectors)
  t.same(failures, [])
  t.equal(passed, 604)
})
