// `npm test [-- FILE…]`: installs what is missing, builds, runs every test, and ends with one line of counts.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { installPeers, missingPeers } from './peers.mjs'
import { fail, phase, prepare, root } from './prepare.mjs'

const tap = join(root, 'node_modules', '.bin', 'tap')

prepare()
installPeers()
if (process.env.CI === 'true' && missingPeers().length > 0) fail(`CI lacks peers: ${missingPeers().join(', ')}`)
// tap generates its test class from .taprc; without this the first run of a fresh clone has the wrong plugins.
phase('test runner', tap, ['build'])

const child = spawn(tap, ['run', '--disable-coverage', '--reporter=tap', ...process.argv.slice(2)], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
})
const exit = once(child, 'exit')
const counts = { pass: 0, fail: 0, skip: 0 }
let diagnosing = false
for await (const line of createInterface({ input: child.stdout })) tell(line)
const [code] = await exit
const failed = code === 0 ? counts.fail : Math.max(counts.fail, 1)
console.log(`${counts.pass} passed, ${failed} failed, ${counts.skip} skipped`)
process.exitCode = failed === 0 && counts.pass > 0 ? 0 : 1

/** Of tap's stream: one line a test file as it ends, what was skipped, and the whole story of what failed. */
function tell(line) {
  const [, indent, not, skip] = /^(\s*)(not )?ok \d+(?:.*(# SKIP))?/.exec(line) ?? []
  const totals = /^# \{ total: .* \}$/.test(line)
  if (totals)
    for (const name of Object.keys(counts)) counts[name] = Number(new RegExp(`\\b${name}: (\\d+)`).exec(line)?.[1] ?? 0)
  if (indent !== undefined) diagnosing = not !== undefined
  else if (/^\s*(?:# Subtest|\d+\.\.\d+)/.test(line)) diagnosing = false
  if (indent === '' || skip || diagnosing) console.log(line.replace(/ \{$/, ''))
}
