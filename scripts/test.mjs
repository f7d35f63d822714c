// `npm test [-- FILE…]`: installs what is missing, builds, runs every test, and ends with one line of counts.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
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

const files = process.argv.slice(2)
const counts = { pass: 0, fail: 0, skip: 0 }
let diagnosing = false
let code = 0
if (files.length > 0) {
  await runTap(files)
} else {
  const building = buildKubernetes()
  await runTap(['--exclude=**/envtest-*'])
  // Those on a real API server come last: it may still have to be built, and they wait for that.
  await runTap(envtests())
  building?.kill()
  const minutes = Number(process.env.TYPEMETAL_SOAK_MINUTES ?? 0)
  if (minutes > 0) await soak(minutes)
}
const failed = code === 0 ? counts.fail : Math.max(counts.fail, 1)
console.log(`${counts.pass} passed, ${failed} failed, ${counts.skip} skipped`)
process.exitCode = failed === 0 && counts.pass > 0 ? 0 : 1

/** Builds kube-apiserver and etcd, if that is possible and not done already, with what the tests leave of the processor. */
function buildKubernetes() {
  const main = join(root, 'lab', 'dist', 'kubernetes', 'build-main.js')
  const env = { ...process.env, GOMAXPROCS: '1' }
  const child = spawn('nice', ['-n', '19', process.execPath, main], { env, stdio: ['ignore', 'inherit', 'inherit'] })
  child.on('error', error => console.error(`Kubernetes programs: ${error.message}`))
  child.unref()
  return child
}

/** Files of tests on a real API server. */
function envtests() {
  const folders = readdirSync(join(root, 'packages')).map(name => join('packages', name, 'dist-test'))
  return [...folders, join('lab', 'dist-test')]
    .filter(folder => existsSync(join(root, folder)))
    .flatMap(folder => readdirSync(join(root, folder)).map(name => join(folder, name)))
    .filter(path => /envtest-[^/]*\.test\.js$/.test(path))
}

/** The speaker under churn for so long, one test in the counts: CI asks for it. */
async function soak(minutes) {
  const argv = [join(root, 'scripts', 'soak.mjs'), '--minutes', String(minutes)]
  const [status] = await once(spawn(process.execPath, argv, { cwd: root, stdio: 'inherit' }), 'exit')
  console.log(`${status === 0 ? 'ok' : 'not ok'} - soak of ${minutes} minutes`)
  counts[status === 0 ? 'pass' : 'fail']++
}

/** Runs test files, adds to the counts, and keeps the worst exit code. */
async function runTap(args) {
  const child = spawn(tap, ['run', '--disable-coverage', '--reporter=tap', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  for await (const line of createInterface({ input: child.stdout })) tell(line)
  const [status] = await exit
  code ||= status ?? 1
}

/** Of tap's stream: one line a test file as it ends, what was skipped, and the whole story of what failed. */
function tell(line) {
  const [, indent, not, skip] = /^(\s*)(not )?ok \d+(?:.*(# SKIP))?/.exec(line) ?? []
  const totals = /^# \{ total: .* \}$/.test(line)
  if (totals)
    for (const name of Object.keys(counts))
      counts[name] += Number(new RegExp(`\\b${name}: (\\d+)`).exec(line)?.[1] ?? 0)
  if (indent !== undefined) diagnosing = not !== undefined
  else if (/^\s*(?:# Subtest|\d+\.\.\d+)/.test(line)) diagnosing = false
  if (indent === '' || skip || diagnosing) console.log(line.replace(/ \{$/, ''))
}
