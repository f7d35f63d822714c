// `npm test [-- FILE…]`: installs what is missing, builds, runs every test, and ends with one line of counts.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installPeers } from './peers.mjs'
import { phase, prepare, root } from './prepare.mjs'

const tap = join(root, 'node_modules', '.bin', 'tap')
const files = process.argv.slice(2)

prepare()
installPeers()
// tap generates its test class from .taprc; without this the first run of a fresh clone has the wrong plugins.
phase('test runner', tap, ['build'])

const scratch = mkdtempSync(join(tmpdir(), 'typemetal-test-'))
const output = join(scratch, 'out.tap')
const run = spawnSync(tap, ['run', `--output-file=${output}`, '--disable-coverage', '--reporter=terse', ...files], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
})
const { pass, fail, skip } = counts(output)
rmSync(scratch, { recursive: true, force: true })
const failed = run.status === 0 ? fail : Math.max(fail, 1)
console.log(`${pass} passed, ${failed} failed, ${skip} skipped`)
process.exitCode = failed === 0 && pass > 0 ? 0 : 1

/** The totals that tap writes at the end of its TAP stream. */
function counts(file) {
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    // no output at all: the runner itself did not start, which counts as one failure below
  }
  const totals = text.match(/^# \{ total: .* \}$/gm)?.at(-1) ?? ''
  const number = name => Number(new RegExp(`\\b${name}: (\\d+)`).exec(totals)?.[1] ?? 0)
  return { pass: number('pass'), fail: number('fail'), skip: number('skip') }
}
