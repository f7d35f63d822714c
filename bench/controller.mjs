// `npm run bench:controller`: the controller on a real API server, beside MetalLB's; and its allocator alone.
//
//   --only NAME,NAME    of: allocator, allocate, sync, latency
//   --peers NAME        metallb; `none` for us alone
//   --services N        how many there are (10,000; with --quick 500)
//   --trials N          how often (3; with --quick once)
import { kubernetesBinaries } from '@typemetal/lab/kubernetes'
import { Samples } from './bgp/samples.mjs'
import { allocator } from './controller/allocator.mjs'
import { Cluster } from './controller/cluster.mjs'
import { KINDS } from './controller/daemons.mjs'
import { Subject } from './controller/sections.mjs'
import { CommandLine } from './command-line.mjs'
import { commit, keep, print } from './report.mjs'

const SECTIONS = ['allocator', 'allocate', 'sync', 'latency']
const PEERS = Object.keys(KINDS).filter(name => name !== 'ours')
const TRIALS = 3
/** Services; milliseconds of rest, of which CPU and then memory are read; Services that come one by one. */
const FULL = { services: 10_000, pause: 30_000, probes: 200 }
const QUICK = { services: 500, pause: 3000, probes: 30 }

const cli = new CommandLine('bench:controller', {
  only: { type: 'string', default: SECTIONS.join() },
  peers: { type: 'string', default: PEERS.join() },
  services: { type: 'string' },
  trials: { type: 'string' },
})

function readArguments() {
  const { values } = cli
  const sections = new Set(cli.names('only', 'section', SECTIONS))
  const peers = cli.peers(PEERS)
  const trials = cli.count('trials', values.quick ? 1 : TRIALS)
  const size = values.quick ? QUICK : FULL
  return { ...values, sections, peers, trials, size: { ...size, services: cli.count('services', size.services) } }
}

/** Those that can be measured, with their programs; the others are named. */
async function participants(peers) {
  const found = []
  for (const id of ['ours', ...peers]) {
    const { program, missing } = await KINDS[id].find()
    if (program) found.push({ kind: KINDS[id], program })
    else console.error(`bench:controller: without ${KINDS[id].name}: ${missing}`)
  }
  return found
}

/** Each controller by itself, with an API server of its own. */
async function onApiServers(run, options) {
  const sections = new Set([...options.sections].filter(name => name !== 'allocator'))
  if (sections.size === 0) return
  const binaries = await kubernetesBinaries()
  if ('missing' in binaries) {
    console.error(`bench:controller: without ${[...sections].join(', ')}: ${binaries.missing}`)
    return
  }
  const subjects = await participants(options.peers)
  for (let trial = 0; trial < options.trials; trial++) {
    for (const { kind, program } of subjects) {
      const cluster = await Cluster.open(binaries)
      try {
        await new Subject(run, cluster, kind, program).measure(sections)
      } catch (error) {
        process.exitCode = 1
        console.error(`bench:controller: ${kind.name} is left out: ${error.stack}`)
      } finally {
        await cluster.close()
      }
    }
  }
}

async function main() {
  const options = readArguments()
  const versions = Object.fromEntries(['ours', ...options.peers].map(id => [id, KINDS[id].version()]))
  const { ours: own, ...peers } = versions
  const names = Object.fromEntries(Object.entries(peers).map(([id, version]) => [id, `${KINDS[id].name} ${version}`]))
  const run = { samples: new Samples(names), ...options.size }
  if (options.sections.has('allocator')) allocator({ ...options, samples: run.samples })
  await onApiServers(run, options)
  const { rows } = run.samples
  print(rows)
  keep('controller', rows, options, { '@typemetal/controller': own, commit: commit(), ...peers })
}

await main()
