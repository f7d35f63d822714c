import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const ROUND_ROBIN = 2
const SCRIPT = `
  import { readFileSync } from 'node:fs'
  import { Worker } from 'node:worker_threads'
  import { makeThreadRealTime } from '@typemetal/sockets'
  const state = () => readFileSync('/proc/thread-self/stat', 'latin1').split(') ')[1].split(' ')
  const before = state()
  const made = makeThreadRealTime()
  const [priority, policy] = state().slice(37, 39).map(Number)
  const code = \`
    import { readFileSync } from 'node:fs'
    import { parentPort } from 'node:worker_threads'
    parentPort.postMessage(Number(readFileSync('/proc/thread-self/stat', 'latin1').split(') ')[1].split(' ')[38]))\`
  const worker = new Worker(code, { eval: true })
  worker.on('message', other => console.log(JSON.stringify({ before: Number(before[38]), made, priority, policy, other })))`

const cwd = fileURLToPath(new URL('.', import.meta.url))

function run(prefix: readonly string[]): unknown {
  const [command, ...words] = [...prefix, process.execPath, '--input-type=module', '-e', SCRIPT]
  const { stdout, stderr } = spawnSync(command ?? '', words, { encoding: 'utf8', timeout: 300_000, cwd })
  return stdout === '' ? stderr : JSON.parse(stdout)
}

const linux = process.platform === 'linux'
const CAP_SYS_NICE = 1n << 23n
const status = linux ? readFileSync('/proc/self/status', 'latin1') : ''
const mayBe = (BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(status)?.[1] ?? 0}`) & CAP_SYS_NICE) !== 0n
const canDrop = linux && spawnSync('setpriv', ['--version']).status === 0

t.test('sched(7): the calling thread alone is SCHED_RR', { skip: mayBe ? false : 'needs CAP_SYS_NICE' }, async t => {
  t.same(run([]), { before: 0, made: true, priority: 1, policy: ROUND_ROBIN, other: 0 })
})

t.test('without CAP_SYS_NICE: false, and nothing changes', { skip: canDrop ? false : 'needs setpriv' }, async t => {
  const drop = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] : []
  t.same(run(drop), { before: 0, made: false, priority: 0, policy: 0, other: 0 })
})
