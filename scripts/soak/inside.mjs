// `inside.mjs OPTIONS`: the speaker and what happens to it, in the namespace of its node. The last line is the verdict, as JSON.
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { LabProcess } from '@typemetal/lab'
import { KINDS } from '../../bench/speaker/daemons.mjs'
import { Folder } from '../../bench/speaker/folder.mjs'
import { Sight } from '../../bench/speaker/sight.mjs'
import { cpuOf, memoryOf } from '../../bench/memberlist/proc.mjs'
import { Churn } from './churn.mjs'
import { judge } from './flat.mjs'

/** Milliseconds. */
const LIMIT = 60_000
const SAMPLE = 1000
/** Share of the time, and its least, in which code and tables still grow into their size. */
const WARM_UP = { share: 0.3, least: 45_000 }
/** What may be gained over the rest of the time. */
const ALLOWED = {
  resident: { absolute: 5, share: 0.05 },
  heap: { absolute: 4, share: 0.1 },
  descriptors: { absolute: 3 },
}
const METRICS = 'http://127.0.0.1:7472/metrics'

const { minutes, services, rate, seed, program, port, directory, nodeFlags } = JSON.parse(process.argv[2])

async function heapOf() {
  const text = await (await fetch(METRICS)).text()
  return Number(/^nodejs_heap_size_used_bytes (\S+)$/m.exec(text)?.[1]) / 1e6
}

/** Samples of a figure over time. */
class Series {
  samples = []

  add(value) {
    this.samples.push({ at: performance.now(), value })
  }

  since(at) {
    return this.samples.filter(sample => sample.at >= at)
  }
}

const resident = new Series()
const heap = new Series()
const descriptors = new Series()

async function sample(pid) {
  resident.add(memoryOf(pid).resident)
  descriptors.add(readdirSync(`/proc/${pid}/fd`).length)
  heap.add(await heapOf())
}

/** Changes at a rate until the time is over, and a sample each second. */
async function live(speaker, churn) {
  const start = performance.now()
  const end = start + minutes * 60_000
  let [steps, sampled, told] = [0, start, start]
  while (performance.now() < end) {
    if (!speaker.running) throw new Error(`the speaker has ended:${speaker.tail(20)}`)
    await churn.step()
    steps++
    if (performance.now() >= sampled + SAMPLE) {
      sampled = performance.now()
      await sample(speaker.pid)
    }
    if (performance.now() >= told + 60_000) {
      told = performance.now()
      const figures = `resident ${resident.samples.at(-1).value.toFixed(1)} MB, heap ${heap.samples.at(-1).value.toFixed(1)} MB`
      console.error(`  ${Math.round((told - start) / 60_000)} min, ${steps} changes: ${figures}`)
    }
    const ahead = start + (steps * 1000) / rate - performance.now()
    if (ahead > 0) await sleep(ahead)
  }
  return { steps, from: start + Math.max((end - start) * WARM_UP.share, Math.min(WARM_UP.least, (end - start) / 2)) }
}

const sight = await Sight.open(port)
const world = await Folder.open(directory, { services })
const { argv, env } = KINDS.ours
const command = argv(program, world.flags, nodeFlags)
const speaker = new LabProcess(command, 'speaker', `${directory}/speaker.log`, { env: { ...process.env, ...env } })
if ((await sight.reach({ routes: services }, LIMIT)) === Infinity) {
  throw new Error(`the speaker does not begin:${speaker.tail(20)}`)
}
const churn = new Churn({ seed, world, sight, services })
console.error(
  `soak: ${minutes} min, ${services} Services and as many that come and go, ${rate} changes a second, --seed ${seed}`,
)
const { steps, from } = await live(speaker, churn)
await churn.settle()
const settled = await sight.reach({ routes: churn.routes }, LIMIT)
const state = await sight.state()
const seconds = minutes * 60
const cpu = (cpuOf(speaker.pid) / seconds) * 100
const right = settled !== Infinity
const judged = [
  judge('resident memory', 'MB', resident.since(from), ALLOWED.resident),
  judge('heap', 'MB', heap.since(from), ALLOWED.heap),
  judge('open descriptors', '', descriptors.since(from), ALLOWED.descriptors),
  {
    ok: right,
    text: `${right ? 'ok    ' : 'FAILED'} routes at each peer in the end: ${state.sizes.join(' ')}, should be ${churn.routes}`,
  },
]
await speaker.stop('SIGTERM', 30_000)
const { code } = await speaker.exited
judged.push({
  ok: code === 0,
  text: `${code === 0 ? 'ok    ' : 'FAILED'} it ends when it is told to: exit code ${code}`,
})
const done = [...churn.done].map(([what, count]) => `${what} ${count}`).join(', ')
const ok = judged.every(each => each.ok)
const summary = `soak ${ok ? 'passed' : 'FAILED'}: ${steps} changes in ${minutes} min (${done}), ${state.updates} UPDATEs, ${cpu.toFixed(1)} % of a core`
console.log(
  JSON.stringify({
    verdict: [...judged.map(({ text }) => text), summary],
    ok,
    samples: { resident: resident.samples, heap: heap.samples },
  }),
)
sight.close()
