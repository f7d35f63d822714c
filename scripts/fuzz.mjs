// `npm run fuzz [-- --seconds N --seed S --target a,b --list]`: throws octets at each part of the protocol packages until one fails or the time is over.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import { setFlagsFromString } from 'node:v8'
import { fail, prepare, root } from './prepare.mjs'

const MEBIBYTE = 1 << 20
/** Most that a target may add to the heap between a quarter of its time and its end, in octets. */
const MOST_GROWTH = 32 * MEBIBYTE
/** Columns of what is printed. */
const NAME = 14
const HOME = 8
/** A single input that takes longer does not end, in milliseconds. */
const PATIENCE = 30_000
/** Room for the input that is being tried: its length, then its octets. */
const SHARED = 4 + 256 * 1024

/** Packages that have fuzz targets; no two targets have the same name. */
const PACKAGES = ['bgp', 'arp-ndp']
const load = (name, file) => import(pathToFileURL(join(root, 'packages', name, 'dist-test', 'fuzz', file)).href)
/** Every target with the name of its package. */
const loadTargets = async () => {
  const lists = await Promise.all(
    PACKAGES.map(async home => (await load(home, 'targets.js')).TARGETS.map(target => ({ home, target }))),
  )
  return lists.flat()
}

if (isMainThread) await main()
else await work()

async function main() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string' },
      target: { type: 'string' },
      list: { type: 'boolean', default: false },
    },
  })
  const seconds = Number(values.seconds)
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000_000))
  if (!(seconds > 0)) fail(`--seconds must be a number above 0, not ${values.seconds}`)
  if (!Number.isInteger(seed)) fail(`--seed must be a whole number, not ${values.seed}`)
  prepare()
  const targets = await loadTargets()
  if (values.list) {
    for (const { target, home } of targets) {
      console.log(`${target.name.padEnd(NAME)} ${home.padEnd(HOME)} ${target.claim}`)
    }
    return
  }
  const names = values.target?.split(',') ?? targets.map(({ target }) => target.name)
  const unknown = names.filter(name => !targets.some(({ target }) => target.name === name))
  if (unknown.length > 0) fail(`no target ${unknown.join(', ')}; --list shows them`)
  console.log(`seed ${seed}, ${seconds} s for ${names.length} targets`)
  for (const name of names) {
    const result = await runInWorker(name, seed, (seconds * 1000) / names.length)
    const { home } = targets.find(({ target }) => target.name === name)
    if (!tell(name, home, seed, result)) process.exit(1)
  }
  process.exit(0)
}

/** In a thread of its own, so that an input without end can be told as well. */
function runInWorker(name, seed, milliseconds) {
  const shared = new SharedArrayBuffer(SHARED)
  const worker = new Worker(new URL(import.meta.url), { workerData: { name, seed, milliseconds, shared } })
  const length = new Int32Array(shared, 0, 1)
  const inputOf = () => Buffer.from(new Uint8Array(shared, 4, Math.max(0, length[0])).slice()).toString('hex')
  return new Promise(resolve => {
    let beats = 0
    const end = result => {
      clearInterval(watch)
      resolve(result)
    }
    const watch = setInterval(() => {
      if (beats++ < PATIENCE / 1000) return
      const hex = inputOf()
      void worker.terminate()
      end({ hex, error: `no end within ${PATIENCE / 1000} s` })
    }, 1000)
    worker.on('message', message => {
      beats = 0
      if (message.result) end(message.result)
    })
    worker.on('error', error => end({ hex: inputOf(), error: error.stack }))
  })
}

async function work() {
  const { name, seed, milliseconds, shared } = workerData
  setFlagsFromString('--expose-gc')
  globalThis.gc = (await import('node:vm')).runInNewContext('gc')
  const { home, target } = (await loadTargets()).find(each => each.target.name === name)
  const { fuzz } = await load(home, 'fuzz.js')
  const length = new Int32Array(shared, 0, 1)
  const octets = new Uint8Array(shared, 4)
  const before = input => {
    length[0] = Math.min(input.length, octets.length)
    octets.set(input.subarray(0, octets.length))
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  const report = message => parentPort.postMessage(message)
  const { executions, growth, failure, ...rest } = await fuzz(target, seed, {
    milliseconds,
    before,
    beat: () => report({}),
  })
  const hex = failure && Buffer.from(failure.input).toString('hex')
  report({
    result: { executions, growth, milliseconds: rest.milliseconds, hex, error: failure?.error.stack },
  })
}

/** Says how it went. @returns whether it went well */
function tell(name, home, seed, { executions = 0, milliseconds = 1, growth, hex, error }) {
  if (error === undefined) {
    const rate = Math.round((executions / milliseconds) * 1000).toLocaleString('en')
    const grown = growth === undefined ? '' : `, heap ${growth < 0 ? '' : '+'}${(growth / MEBIBYTE).toFixed(1)} MiB`
    console.log(`${name.padEnd(NAME)} ${executions.toLocaleString('en')} executions, ${rate}/s${grown}`)
    if (growth === undefined || growth <= MOST_GROWTH) return true
    console.error(`typemetal: ${name} keeps memory: +${Math.round(growth / MEBIBYTE)} MiB; seed ${seed}`)
    return false
  }
  console.error(`${error}

typemetal: fuzz target ${name} failed; seed ${seed}, input:
${hex}

Once it is understood, keep it as packages/${home}/test/vectors/fuzz/${name}-WHAT-IT-WAS.hex, in three lines:
# ${name}
# RFC and section: what it once did
${hex}`)
  return false
}
