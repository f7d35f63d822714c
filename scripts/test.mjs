// `npm test [-- FILE…]`: installs what is missing, builds, runs every test, and ends with one line of counts.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import { installPeers, missingPeers } from './peers.mjs'
import { fail, phase, prepare, root } from './prepare.mjs'
import { runFiles } from './test-files.mjs'

/**
 * Test files at a time. Most wait for kernels, peers and timers of protocols, so one more than there are processors keeps these busy. With
 * yet more, tests with real peers would measure how long a process waits for its turn.
 */
const JOBS = Math.min(availableParallelism() + 1, 8)

const tap = join(root, 'node_modules', '.bin', 'tap')

prepare()
installPeers()
if (process.env.CI === 'true' && missingPeers().length > 0) fail(`CI lacks peers: ${missingPeers().join(', ')}`)
// tap generates its test class from .taprc; without this the first run of a fresh clone has the wrong plugins.
phase('test runner', tap, ['build'])

const given = process.argv.slice(2)
const counts = { pass: 0, fail: 0, skip: 0 }
let ended = 0
if (given.length > 0) {
  await runTests(given)
} else {
  const building = buildKubernetes()
  const minutes = Number(process.env.TYPEMETAL_SOAK_MINUTES ?? 0)
  // The soak measures memory, not time, and waits most of the time itself.
  await Promise.all([runTests(allTests()), minutes > 0 && soak(minutes)])
  building.kill()
}
console.log(`${counts.pass} passed, ${counts.fail} failed, ${counts.skip} skipped`)
process.exitCode = counts.fail === 0 && counts.pass > 0 ? 0 : 1

/** Builds kube-apiserver and etcd, if that is possible and not done already, with what the tests leave of the processor. */
function buildKubernetes() {
  const main = join(root, 'lab', 'dist', 'kubernetes', 'build-main.js')
  const env = { ...process.env, GOMAXPROCS: '1' }
  const child = spawn('nice', ['-n', '19', process.execPath, main], { env, stdio: ['ignore', 'inherit', 'inherit'] })
  child.on('error', error => console.error(`Kubernetes programs: ${error.message}`))
  child.unref()
  return child
}

/** All compiled test files. Those on a real API server come last: it may still have to be built, and they wait for that. */
function allTests() {
  const folders = ['lab', ...readdirSync(join(root, 'packages')).map(name => join('packages', name))]
  const files = folders
    .map(folder => join(folder, 'dist-test'))
    .filter(folder => existsSync(join(root, folder)))
    .flatMap(folder => readdirSync(join(root, folder), { recursive: true }).map(name => join(folder, name)))
    .filter(path => path.endsWith('.test.js'))
  const [others, onApiServer] = [false, true].map(wanted =>
    files.filter(path => basename(path).startsWith('envtest-') === wanted),
  )
  return [...others.toSorted(), ...onApiServer.toSorted()]
}

/** The speaker under churn for so long, one test in the counts: CI asks for it. */
async function soak(minutes) {
  const argv = [join(root, 'scripts', 'soak.mjs'), '--minutes', String(minutes)]
  const [status] = await once(spawn(process.execPath, argv, { cwd: root, stdio: 'inherit' }), 'exit')
  console.log(`${status === 0 ? 'ok' : 'not ok'} - soak of ${minutes} minutes`)
  counts[status === 0 ? 'pass' : 'fail']++
}

/** Runs test files, and adds to the counts. */
async function runTests(files) {
  await runFiles(files, { cwd: root, jobs: JOBS, ended: tell })
}

/** One line for a test file that has ended, what was skipped in it, and the whole story of what failed. */
function tell(file, output, milliseconds, problem) {
  const lines = output.split('\n')
  const totals = lines.findLast(line => /^# \{ total: .* \}$/.test(line)) ?? ''
  const counted = name => Number(new RegExp(`\\b${name}: (\\d+)`).exec(totals)?.[1] ?? 0)
  for (const name of Object.keys(counts)) counts[name] += counted(name)
  // A file that says nothing of what failed in it has failed all the same: it was killed, or ended before its tests did.
  const broken = problem !== undefined || totals === ''
  if (broken && counted('fail') === 0) counts.fail++
  const bad = broken || counted('fail') > 0
  const how = bad ? ` (${problem ?? 'it printed no counts'})` : ''
  console.log(`${bad ? 'not ok' : 'ok'} ${++ended} - ${file} # time=${milliseconds.toFixed(0)}ms${how}`)
  if (bad)
    return console.log(
      storyOf(lines)
        .map(line => `    ${line}`)
        .join('\n'),
    )
  for (const line of lines) if (/^\s*ok \d+.* # SKIP/.test(line)) console.log(`    ${line.replace(/ \{$/, '')}`)
}

/** What failed, with its diagnostics, and what is no TAP: uncaught errors, and what programs say. */
function storyOf(lines) {
  let diagnosing = false
  const story = lines.filter(line => {
    const [, not] = /^\s*(not )?ok \d+/.exec(line) ?? []
    if (/^\s*(?:not )?ok \d+/.test(line)) diagnosing = not !== undefined
    else if (/^\s*(?:# Subtest|\d+\.\.\d+)/.test(line)) diagnosing = false
    return diagnosing || !/^\s*(?:ok \d+|# |\d+\.\.\d+|\}|$|TAP version)/.test(line)
  })
  return story.length > 0 ? story : lines.slice(-40)
}
