// `npm run bench:memberlist`: rings of our nodes beside rings of hashicorp/memberlist, real processes on real sockets.
//
//   --only NAME,NAME    of: detection, silent, leave, join, idle, loss, simulator
//   --join-trials N     simultaneous joins of 50 nodes (100 for a proof; takes half an hour)
//   --loss-minutes M    how long a fifth of all packets is lost (10 for a proof)
import { readFileSync } from 'node:fs'
import { enterUserNamespace, needsUserNamespace, onOuterSignal } from '@typemetal/lab'
import { detection, leave, silent } from './memberlist/detection.mjs'
import { idle } from './memberlist/idle.mjs'
import { join } from './memberlist/join.mjs'
import { loss } from './memberlist/loss.mjs'
import { Place } from './memberlist/place.mjs'
import { peerVersion, Sides } from './memberlist/sides.mjs'
import { simulation } from './memberlist/simulation.mjs'
import { CommandLine } from './command-line.mjs'
import { commit, keep, print } from './report.mjs'

const SECTIONS = { detection, silent, leave, join, idle, loss, simulator: (_, options) => simulation(options) }
/** What runs at the same time when it has to be quick. */
const LANES = [
  ['detection', 'leave'],
  ['silent', 'join', 'simulator'],
  ['idle', 'loss'],
]
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

const cli = new CommandLine('bench:memberlist', {
  only: { type: 'string', default: Object.keys(SECTIONS).join() },
  'join-trials': { type: 'string', default: '5' },
  'loss-minutes': { type: 'string' },
})

function readArguments() {
  const { values } = cli
  const sections = cli.names('only', 'section', Object.keys(SECTIONS))
  const isLong = values['loss-minutes'] !== undefined
  return {
    ...values,
    sections,
    joinTrials: cli.positive('join-trials'),
    lossMinutes: isLong ? cli.positive('loss-minutes') : undefined,
  }
}

/** What was measured against what. */
function versions() {
  const own = new URL('../packages/memberlist/package.json', import.meta.url)
  return {
    '@typemetal/memberlist': JSON.parse(readFileSync(own, 'utf8')).version,
    commit: commit(),
    'hashicorp/memberlist': peerVersion,
  }
}

/**
 * The sections one after the other; quickly: in lanes at the same time. One that fails is told of and left out.
 * @param signal aborted when everything is to end
 * @returns rows in the order asked for
 */
async function inOrder(sides, options, signal) {
  const { sections, quick } = options
  const tables = new Map()
  const measure = async name => {
    try {
      signal.throwIfAborted()
      tables.set(name, await SECTIONS[name](sides, options))
    } catch (error) {
      // The rings have died under the measurement: that is no news.
      if (signal.aborted) return
      cli.failed(name, error)
    }
  }
  const lane = async names => {
    for (const name of names) await measure(name)
  }
  const lanes = quick ? LANES.map(names => names.filter(name => sections.includes(name))) : [sections]
  await Promise.all(lanes.map(lane))
  return sections.flatMap(name => tables.get(name) ?? [])
}

/** Measures what was asked for; a signal ends it, and everything that it made. */
async function measure(options) {
  const measured = versions()
  const place = await Place.open()
  const stopping = new AbortController()
  const stop = signal => {
    if (!stopping.signal.aborted) console.error(`bench:memberlist: ${signal}, cleaning up`)
    stopping.abort()
    void place.close().then(() => process.exit(1))
  }
  for (const signal of SIGNALS) process.on(signal, stop)
  onOuterSignal(stop)
  try {
    const sides = await Sides.open(place, options)
    for (const line of sides.missing) console.error(`bench:memberlist: ${line}`)
    const rows = await inOrder(sides, options, stopping.signal)
    if (stopping.signal.aborted) return
    print(rows)
    keep('memberlist', rows, options, measured)
  } finally {
    await place.close()
  }
}

/** As root of a user namespace when we are not root and it is allowed. */
async function main() {
  const options = readArguments()
  if (!needsUserNamespace()) return measure(options)
  try {
    process.exitCode = await enterUserNamespace([process.execPath, ...process.argv.slice(1)])
  } catch {
    await measure(options)
  }
}

await main()
