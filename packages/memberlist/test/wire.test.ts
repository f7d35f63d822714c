import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
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

t.test('npm run vectors:memberlist', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'vectors-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const script = fileURLToPath(new URL('../../../scripts/vectors-memberlist.mjs', import.meta.url))
  const run = (name: string, text: string): { status: number | null; stdout: string; stderr: string } => {
    writeFileSync(join(folder, name), text)
    // Without the test runner's loader, which it gives to every child and the compiler cannot be run under.
    return spawnSync('env', ['-u', 'NODE_OPTIONS', process.execPath, script, join(folder, name)], { encoding: 'utf8' })
  }
  t.match(run('good.json', JSON.stringify(vectors)), { status: 0, stdout: '604 passed, 0 failed\n' })
  const [first, ...rest] = vectors.generated ?? []
  const spoilt = { ...vectors, generated: [{ ...first, hex: `${first?.hex}00` }, ...rest] }
  const { status, stdout } = run('spoilt.json', JSON.stringify(spoilt))
  t.equal(status, 1)
  t.match(stdout, new RegExp(`^FAIL ${first?.name}: .*\n603 passed, 1 failed\n$`))
  t.match(run('other.json', '{}'), { status: 1, stderr: /other\.json: no vectors in it/ })
  t.match(run('broken.json', '{'), { status: 1, stderr: /broken\.json: .*JSON/ })
})
