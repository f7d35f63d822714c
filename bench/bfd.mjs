// `npm run bench:bfd`: BFD of @typemetal/bgp beside FRR's bfdd and BIRD, each in a namespace with a far end that is none of them.
//
//   --only NAME,NAME    of: codec, detection, busy, idle, sessions, flood, floor
//   --peers NAME,NAME   of: plain (ours without CAP_SYS_NICE), bfdd, bird; `none` for us alone
//   --cuts N            how often a session is cut for `detection` (40; with --quick 4)
//   --minutes N         how long is watched for false Downs (10; with --quick a third)
//   --intervals N,N     milliseconds, of `floor` (50,30,20,10,5,3,2; with --quick 5)
//
// BENCH_BFD_NODE_OPTIONS in the environment has more options for the Node.js of ours, such as --trace-gc.
import { Lab, onOuterSignal } from '@typemetal/lab'
import { bfdd } from './bfd/daemons/bfdd.mjs'
import { bird } from './bfd/daemons/bird.mjs'
import { ours, plain } from './bfd/daemons/ours.mjs'
import { codec } from './bfd/codec.mjs'
import { detection } from './bfd/detection.mjs'
import { buildFarEnd } from './bfd/far-end.mjs'
import { flood } from './bfd/flood.mjs'
import { Run } from './bfd/run.mjs'
import { sessions } from './bfd/sessions.mjs'
import { busy, floor, idle } from './bfd/watch.mjs'
import { participants } from './bgp/daemons/daemon.mjs'
import { CommandLine } from './command-line.mjs'
import { commit, keep, print } from './report.mjs'

const PEERS = { plain, bfdd, bird }
const WORK = { detection, busy, idle, sessions, flood, floor }
const SECTIONS = ['codec', ...Object.keys(WORK)]

const cli = new CommandLine('bench:bfd', {
  only: { type: 'string', default: SECTIONS.join() },
  peers: { type: 'string', default: Object.keys(PEERS).join() },
  cuts: { type: 'string' },
  minutes: { type: 'string' },
  intervals: { type: 'string' },
})

function readArguments() {
  const { values } = cli
  const only = new Set(cli.names('only', 'section', SECTIONS))
  const peers = cli.peers(Object.keys(PEERS))
  const cuts = cli.count('cuts', values.quick ? 4 : 40)
  const minutes = cli.positive('minutes', values.quick ? 1 / 3 : 10)
  const intervals = (values.intervals ?? (values.quick ? '5' : '50,30,20,10,5,3,2')).split(',').map(Number)
  if (!intervals.every(interval => Number.isInteger(interval) && interval > 0)) {
    cli.fail('--intervals wants whole numbers')
  }
  return { ...values, only, peers, cuts, minutes, intervals }
}

/** Measures what was asked for; a signal ends it, and everything that it made. */
async function measure(options) {
  const { kinds, versions } = await participants('bench:bfd', [ours, ...options.peers.map(name => PEERS[name])])
  const rows = options.only.has('codec') ? codec(options) : []
  const lab = await Lab.create()
  let run
  const stop = signal => {
    console.error(`bench:bfd: ${signal}, cleaning up`)
    if (run) run.isClosed = true
    void lab[Symbol.asyncDispose]().then(() => process.exit(1))
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop)
  onOuterSignal(stop)
  try {
    run = new Run({ lab, program: await buildFarEnd(lab.directory) }, kinds, versions, options)
    const wanted = Object.entries(WORK).filter(([name]) => options.only.has(name))
    await cli.inOrder(
      wanted.map(([name, work]) => [name, () => work(run)]),
      () => run.isClosed,
    )
    if (run.isClosed) return
    rows.push(...run.samples.rows)
    print(rows)
    console.log(`\n${run.samples.matrix}`)
    const { ours: own, plain: _, ...peers } = versions
    keep('bfd', rows, options, { '@typemetal/bgp': own, commit: commit(), ...peers })
  } finally {
    await lab[Symbol.asyncDispose]()
  }
}

const options = readArguments()
await cli.asRoot(() => measure(options))
