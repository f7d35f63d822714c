// `npm run bench:l2`: @typemetal/arp-ndp beside a responder in C and the kernel's own, each over a veth pair of its own, asked by a
// program in C at the other end.
//
//   --only NAME,NAME       of: latency, rate, loss, filter, announce, memory
//   --peers NAME,NAME      of: plain (ours without CAP_SYS_NICE), c, kernel; `none` for us alone
//   --protocols NAME,NAME  of: arp, ndp
//   --trials N             how often each is measured (5; with --quick 1)
//
// BENCH_L2_NODE_OPTIONS in the environment has more options for the Node.js of ours, such as --trace-gc.
import { Lab, onOuterSignal } from '@typemetal/lab'
import { participants } from './bgp/daemons/daemon.mjs'
import { announce } from './l2/announce.mjs'
import { buildFarEnd, compiler } from './l2/far-end.mjs'
import { filter } from './l2/filter.mjs'
import { latency } from './l2/latency.mjs'
import { loss } from './l2/loss.mjs'
import { memory } from './l2/memory.mjs'
import { rate } from './l2/rate.mjs'
import { c } from './l2/responders/c.mjs'
import { kernel } from './l2/responders/kernel.mjs'
import { ours, plain } from './l2/responders/ours.mjs'
import { Run } from './l2/run.mjs'
import { CommandLine } from './command-line.mjs'
import { commit, keep, print } from './report.mjs'

const PEERS = { plain, c, kernel }
const SECTIONS = { latency, rate, loss, filter, announce, memory }
const PROTOCOLS = ['arp', 'ndp']

const cli = new CommandLine('bench:l2', {
  only: { type: 'string', default: Object.keys(SECTIONS).join() },
  peers: { type: 'string', default: Object.keys(PEERS).join() },
  protocols: { type: 'string', default: PROTOCOLS.join() },
  trials: { type: 'string' },
})

function readArguments() {
  const { values } = cli
  const only = new Set(cli.names('only', 'section', Object.keys(SECTIONS)))
  const peers = cli.peers(Object.keys(PEERS))
  const protocols = cli.names('protocols', 'protocol', PROTOCOLS)
  return { ...values, only, peers, protocols, trials: cli.count('trials', values.quick ? 1 : 5) }
}

/** Measures what was asked for; a signal ends it, and everything that it made. */
async function measure(options) {
  const { kinds, versions } = await participants('bench:l2', [ours, ...options.peers.map(name => PEERS[name])])
  const lab = await Lab.create()
  let run
  const stop = signal => {
    console.error(`bench:l2: ${signal}, cleaning up`)
    if (run) run.isClosed = true
    void lab[Symbol.asyncDispose]().then(() => process.exit(1))
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop)
  onOuterSignal(stop)
  try {
    run = new Run({ lab, program: await buildFarEnd(lab.directory) }, kinds, versions, options)
    const wanted = Object.entries(SECTIONS).filter(([name]) => options.only.has(name))
    await cli.inOrder(
      wanted.map(([name, work]) => [name, () => work(run)]),
      () => run.isClosed,
    )
    if (run.isClosed) return
    const { rows } = run.samples
    print(rows)
    console.log(`\n${run.samples.matrix}`)
    const { ours: own, plain: _, ...peers } = versions
    keep('l2', rows, options, { '@typemetal/arp-ndp': own, commit: commit(), ...peers })
  } finally {
    await lab[Symbol.asyncDispose]()
  }
}

const options = readArguments()
if (await compiler()) await cli.asRoot(() => measure(options))
else {
  console.error(
    'bench:l2: nothing is measured: there is no C compiler (apt-get install gcc, or set CC) for the program that asks',
  )
}
