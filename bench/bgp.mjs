// `npm run bench:bgp`: @typemetal/bgp beside BIRD, FRR, GoBGP, OpenBGPD and ExaBGP, real daemons in a network namespace.
//
//   --only NAME,NAME    of: floor, receive, send, withdraw, leave, flat, propagate, announce, sessions, hold
//   --peers NAME,NAME   of: bird, frr, gobgp, openbgpd, exabgp; `none` for us alone
//   --trials N          how often (5; with --quick once)
import { onOuterSignal } from '@typemetal/lab'
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
import { CommandLine } from './command-line.mjs'
import { commit, keep, print } from './report.mjs'

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

const cli = new CommandLine('bench:bgp', {
  only: { type: 'string', default: SECTIONS.join() },
  peers: { type: 'string', default: Object.keys(PEERS).join() },
  trials: { type: 'string' },
})

function readArguments() {
  const { values } = cli
  const sections = new Set(cli.names('only', 'section', SECTIONS))
  const peers = cli.peers(Object.keys(PEERS))
  return { ...values, sections, peers, trials: cli.count('trials', values.quick ? 1 : TRIALS) }
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
    const wanted = GROUPS.filter(([names]) => names.some(name => options.sections.has(name)))
    await cli.inOrder(
      wanted.map(([names, work]) => [names.join(), () => work(run, options.sections)]),
      () => place.isClosed,
    )
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

const options = readArguments()
await cli.asRoot(() => measure(options))
