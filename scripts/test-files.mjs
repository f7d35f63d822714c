// Runs test files, several at a time: each is a process of its own that prints TAP, as `node FILE` does.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Seconds that the tests of a file may take, if it says nothing else: a machine may be busy with much else. */
const PATIENCE = 600
/** Milliseconds after which a file is killed, whatever it says: some wait until Kubernetes is built. */
const LAST = 2_700_000
/** Milliseconds for what a file has left running, and which still holds its output. */
const REST = 5000
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * @param {Iterable<string>} files from `cwd`, begun in this order
 * @param {{ cwd: string, jobs: number, ended: (file: string, output: string, milliseconds: number, problem: string | undefined) => void }} options
 *   `jobs` run at a time; `ended` is told of each as it ends: all that it printed, and what is wrong with how its process ended
 */
export async function runFiles(files, { cwd, jobs, ended }) {
  const running = new Set()
  const stop = signal => {
    for (const child of running) child.kill('SIGKILL')
    process.kill(process.pid, signal)
  }
  for (const signal of SIGNALS) process.once(signal, stop)
  const queue = files[Symbol.iterator]()
  const work = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      const began = performance.now()
      const child = start(next.value, cwd)
      running.add(child)
      const { output, problem } = await finished(child)
      running.delete(child)
      ended(next.value, output, performance.now() - began, problem)
    }
  }
  await Promise.all(Array.from({ length: jobs }, work))
  for (const signal of SIGNALS) process.off(signal, stop)
}

function start(file, cwd) {
  const env = { TAP_TIMEOUT: String(PATIENCE), ...process.env }
  return spawn(process.execPath, [file], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LAST,
    killSignal: 'SIGKILL',
  })
}

async function finished(child) {
  const chunks = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => chunks.push(chunk))
  const closed = once(child, 'close')
  const [code, signal] = await once(child, 'exit')
  const streams = setTimeout(() => [child.stdout, child.stderr].forEach(stream => stream.destroy()), REST)
  await closed
  clearTimeout(streams)
  const problem = signal ? `killed by ${signal}` : code === 0 ? undefined : `exit code ${code}`
  return { output: Buffer.concat(chunks).toString(), problem }
}
