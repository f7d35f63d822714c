// `inside.mjs OPTIONS`: one speaker on one cluster, in the namespace of its node; a line of JSON on standard output for each sample.
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { LabProcess } from '@typemetal/lab'
import { percentile } from '../bgp/samples.mjs'
import { cpuOf, memoryOf } from '../memberlist/proc.mjs'
import { Api } from './api.mjs'
import { KINDS } from './daemons.mjs'
import { Folder } from './folder.mjs'
import { addressOf, PEERS } from './objects.mjs'
import { now, Sight } from './sight.mjs'

/** Milliseconds. */
const LIMIT = { start: 600_000, change: 10_000, quiet: 180_000 }
/** Milliseconds over which CPU is looked at, and the share of a core below which nothing is going on. */
const WINDOW = 2000
const QUIET = 0.03
/** V8 collects what a start has left behind when nothing has happened for some seconds: that is the start's, not rest. */
const SETTLE = 20_000
/** Between changes, so that they meet the speaker's own intervals anywhere. */
const GAP = { least: 150, more: 200 }
const GOALS = { p99: 10, resident: { 100: 70, 1000: 80, 5000: 100 }, idle: 0.5 }
const STORES = { folder: Folder, api: Api }
const WHERE = { folder: 'folder', api: 'API server' }

const options = JSON.parse(process.argv[2])
const { kind: id, program, store, services, probes, pause, sections, directory, port, nodeFlags } = options
const kind = KINDS[id]
const count = services.toLocaleString('en')
const title = `${WHERE[store]}, ${count} Services`
/** A folder waits for quiet before it looks: when it did look, the speaker itself writes down. */
const trace = id === 'ours' && store === 'folder' && sections.includes('latency') ? `${directory}/trace` : undefined
const TRACER = new URL('tracer.mjs', import.meta.url).href

function add(what, unit, value, more = {}) {
  console.log(JSON.stringify({ what, unit, value: value === Infinity ? null : value, more }))
}

/** Starts a speaker, and waits until everybody has heard of everything. */
async function start(sight, world) {
  await sight.forgetAnnounced()
  const started = now()
  const traced = trace && { NODE_OPTIONS: `--import=${TRACER}`, TYPEMETAL_BENCH_TRACE: trace }
  const env = { ...process.env, ...kind.env, ...traced }
  const speaker = new LabProcess(kind.argv(program, world.flags, nodeFlags), kind.name, `${directory}/${id}.log`, {
    env,
  })
  const arp = sight.reach({ announced: services }, LIMIT.start)
  const bgp = await sight.reach({ routes: services }, LIMIT.start)
  if (bgp === Infinity)
    throw new Error(`not all is announced: ${JSON.stringify(await sight.state())}${speaker.tail(5)}`)
  const announced = await arp
  const quiet = await untilQuiet(speaker)
  const seconds = at => (at - started) / 1000
  return { speaker, bgp: seconds(bgp), arp: seconds(announced), quiet: seconds(quiet) }
}

/** Waits until what follows on a start, statuses above all, is done. @returns the moment; `Infinity`: it never rests */
async function untilQuiet({ pid }) {
  const end = now() + LIMIT.quiet
  for (let [at, cpu] = [now(), cpuOf(pid)]; at < end;) {
    await sleep(WINDOW)
    const [later, more] = [now(), cpuOf(pid)]
    if (((more - cpu) * 1000) / (later - at) < QUIET) return at
    ;[at, cpu] = [later, more]
  }
  return Infinity
}

async function rest(speaker, resident) {
  await sleep(Math.min(SETTLE, pause))
  const cpu = cpuOf(speaker.pid)
  await sleep(pause)
  const share = ((cpuOf(speaker.pid) - cpu) / (pause / 1000)) * 100
  const memory = memoryOf(speaker.pid)
  const goal = GOALS.resident[services]
  if (resident) add(`${title}: resident at rest`, 'MB', memory.resident, goal && { goal })
  if (resident) add(`${title}: anonymous at rest`, 'MB', memory.anonymous)
  if (sections.includes('idle')) add(`${title}: CPU at rest`, '% of a core', share, { goal: GOALS.idle })
}

/** How much of the trace there is. */
const traceSize = () => (trace && existsSync(trace) ? statSync(trace).size : 0)

/** When the folder's quiet time was over after a Service's file had been changed at this moment. @param from what had been traced then */
function lookedAt(changed, i, from) {
  const file = openSync(trace)
  const octets = Buffer.alloc(traceSize() - from)
  readSync(file, octets, 0, octets.length, from)
  closeSync(file)
  const looks = octets.toString().split('\n').slice(0, -1)
  return looks
    .map(line => JSON.parse(line))
    .find(({ at, paths }) => at >= changed && paths.some(path => path.endsWith(`/service-${i}.json`)))?.at
}

/** One change after the other, each told by the moment of its own arrival at the far end. */
async function latency(sight, world) {
  const kinds = { 'new Service': [], 'endpoint gone': [], 'endpoint back': [] }
  const announced = []
  const whole = []
  const change = async (samples, i, act) => {
    const seen = await sight.watch(addressOf(i), LIMIT.change)
    const from = traceSize()
    const asked = now()
    const there = await act()
    const routes = await seen.routes
    const at = trace ? (lookedAt(there, i, from) ?? there) : there
    samples.push(routes ? Math.max(routes.last - at, 0.01) : Infinity)
    whole.push(routes ? routes.last - asked : Infinity)
    if (samples === kinds['new Service']) {
      const arp = await seen.announced
      announced.push(arp ? Math.max(arp.at - at, 0.01) : Infinity)
    }
    await sleep(GAP.least + Math.random() * GAP.more)
  }
  for (let probe = 0; probe < probes; probe++) {
    const i = services + probe
    await world.prepare(i)
    await sleep(GAP.least + Math.random() * GAP.more)
    await change(kinds['new Service'], i, () => world.create(i))
    await change(kinds['endpoint gone'], i, () => world.setReady(i, false))
    await change(kinds['endpoint back'], i, () => world.setReady(i, true))
  }
  const limit = LIMIT.change
  for (const share of [0.5, 0.99]) {
    const what = `any change, from the request for it to the UPDATE at the last of ${PEERS} peers`
    add(`${title}: ${what}, p${share * 100}`, 'ms', percentile(whole, share), { limit })
  }
  for (const [name, samples] of Object.entries({ ...kinds, 'new Service, gratuitous ARP': announced })) {
    const heard = samples === announced ? name : `${name}, UPDATE at the last of ${PEERS} peers`
    const what = trace ? `${heard}, after the folder's quiet time` : heard
    add(`${title}: ${what}, p50`, 'ms', percentile(samples, 0.5), { limit })
    add(`${title}: ${what}, p99`, 'ms', percentile(samples, 0.99), { limit, goal: GOALS.p99 })
  }
}

const sight = await Sight.open(port)
const opened = now()
const world = await STORES[store].open(directory, options)
console.error(`  ${count} Services made in ${((now() - opened) / 1000).toFixed(1)} s`)
try {
  const { speaker, bgp, arp, quiet } = await start(sight, world)
  try {
    if (sections.includes('start')) {
      add(`${title}: start until all peers have all routes`, 's', bgp, { limit: LIMIT.start / 1000 })
      add(`${title}: start until it rests, statuses written`, 's', quiet, { limit: LIMIT.quiet / 1000 })
      add(`${title}: start until all are announced by ARP`, 's', arp, { limit: LIMIT.start / 1000 })
    }
    if (sections.includes('memory') || sections.includes('idle')) await rest(speaker, sections.includes('memory'))
    if (sections.includes('latency')) await latency(sight, world)
  } finally {
    await speaker.stop('SIGTERM', 20_000)
  }
} finally {
  await world.close()
  sight.close()
}
