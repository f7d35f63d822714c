// `npm run bench:bgp`: @typemetal/bgp beside BIRD, FRR, GoBGP, OpenBGPD and ExaBGP, real daemons in a network namespace.
//
//   --only NAME,NAME    of: floor, receive, send, withdraw, leave, flat, propagate, announce, sessions, hold
//   --peers NAME,NAME   of: bird, frr, gobgp, openbgpd, exabgp; `none` for us alone
//   --trials N          how often (5; with --quick once)
import { enterUserNamespace, needsUserNamespace, onOuterSignal } from '@typemetal/lab'
import { bird } from './bgp/daemons/bird.mjs'
import { participants } from './bgp/daemons/daemon.mjs'
import { exabgp } from './bgp/daemons/exabgp.mjs'
import { frr } from './bgp/daemons/frr.mjs'
import { gobgp } from './bgp/daemons/gobgp.mjs'
import { openbgpd } from './bgp/daemons/openbgpd.mjs'
import { ours } from './bgp/daemons/ours.mjs'
import { floor } from './bgp/floor.mjs'
import { announce, propagate } from './bgp/latency.mjs'
import { Place } from './bgp/place.mjs'
import { Run } from './bgp/run.mjs'
import { hold, sessions } from './bgp/sessions.mjs'
import { tables } from './bgp/table.mjs'
import { benchArguments, commit, keep, print } from './report.mjs'

const PEERS = { bird, frr, gobgp, openbgpd, exabgp }
/** Those of one list share the life of a daemon. */
const GROUPS = [
  [['floor'], floor],
  [['receive', 'send', 'withdraw', 'leave', 'flat'], tables],
  [['propagate'], propagate],
  [['announce'], announce],
  [['sessions'], sessions],
  [['hold'], hold],
]
const SECTIONS = GROUPS.flatMap(([names]) => names)
const TRIALS = 5

function fail(message) {
  console.error(`bench:bgp: ${message}`)
  process.exit(1)
}

function parse() {
  try {
    return benchArguments({
      only: { type: 'string', default: SECTIONS.join() },
      peers: { type: 'string', default: Object.keys(PEERS).join() },
      trials: { type: 'string' },
    })
  } catch (error) {
    return fail(error.message)
  }
}

function list(text, what, known) {
  const names = text.split(',')
  const unknown = names.find(name => !known.includes(name))
  if (unknown !== undefined) fail(`no ${what} ${unknown}: there are ${known.join(', ')}`)
  return names
}

function readArguments() {
  const values = parse()
  const sections = new Set(list(values.only, 'section', SECTIONS))
  const peers = values.peers === 'none' ? [] : list(values.peers, 'peer', Object.keys(PEERS))
  const trials = Number(values.trials ?? (values.quick ? 1 : TRIALS))
  if (!Number.isInteger(trials) || trials < 1) fail('--trials wants a whole number above 0')
  return { ...values, sections, peers, trials }
}

/** Section after section; one that fails as a whole is told of. */
async function inOrder(run, wanted) {
  for (const [names, work] of GROUPS) {
    if (!names.some(name => wanted.has(name))) continue
    try {
      await work(run, wanted)
    } catch (error) {
      // What ran has died under the measurement: that is no news.
      if (run.place.isClosed) return
      console.error(`bench:bgp: ${names.join()} failed: ${error.stack}`)
      process.exitCode = 1
    }
  }
}

/** Measures what was asked for; a signal ends it, and everything that it made. */
async function measure(options) {
  const { kinds, versions } = await participants('bench:bgp', [ours, ...options.peers.map(name => PEERS[name])])
  const place = await Place.open()
  const stop = signal => {
    if (!place.isClosed) console.error(`bench:bgp: ${signal}, cleaning up`)
    void place.close().then(() => process.exit(1))
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop)
  onOuterSignal(stop)
  try {
    const run = new Run(place, kinds, versions, options)
    await inOrder(run, options.sections)
    if (place.isClosed) return
    const { rows, matrix } = run.samples
    print(rows)
    console.log(`\n${matrix}`)
    const { ours: own, ...peers } = versions
    keep('bgp', rows, options, { '@typemetal/bgp': own, commit: commit(), ...peers })
  } finally {
    await place.close()
  }
}

/** As root of a user namespace when we are not root. */
async function main() {
  const options = readArguments()
  if (!needsUserNamespace()) return measure(options)
  try {
    process.exitCode = await enterUserNamespace([process.execPath, ...process.argv.slice(1)])
  } catch (error) {
    fail(error.message)
  }
}

await main()
