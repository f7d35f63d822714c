// `npm run bench:speaker`: the speaker as the network sees it: from a change in the cluster to the octets on the wire.
//
//   --only NAME,NAME    of: start, latency, memory, idle
//   --stores NAME,NAME  of: folder, api
//   --peers NAME        metallb; `none` for us alone
//   --services N        how many stand (5,000; with --quick 300)
//   --probes N          how many Services come and change (100; with --quick 8)
//   --trials N          how often (1)
//   --node-flags=TEXT   for ours instead of those of the image, e.g. '--cpu-prof --cpu-prof-dir=/tmp'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Lab, needsUserNamespace } from '@typemetal/lab'
import { kubernetesBinaries } from '@typemetal/lab/kubernetes'
import { Samples } from './bgp/samples.mjs'
import { CommandLine } from './command-line.mjs'
import { commit, keep, print } from './report.mjs'
import { bundleSpeaker } from './speaker/bundle.mjs'
import { KINDS } from './speaker/daemons.mjs'
import { PEERS as BGP_PEERS, PLACE } from './speaker/objects.mjs'

const SECTIONS = ['start', 'latency', 'memory', 'idle']
const STORES = ['folder', 'api']
const PEERS = Object.keys(KINDS).filter(name => name !== 'ours')
const FULL = { services: 5000, probes: 100, pause: 30_000, sizes: [100, 1000, 5000] }
const QUICK = { services: 300, probes: 8, pause: 3000, sizes: [100] }
const PORT = 9999
/** Milliseconds for one speaker with all that is measured of it. */
const PATIENCE = 30 * 60_000
const FAR_END = fileURLToPath(new URL('speaker/far-end.mjs', import.meta.url))
const INSIDE = fileURLToPath(new URL('speaker/inside.mjs', import.meta.url))

const cli = new CommandLine('bench:speaker', {
  only: { type: 'string', default: SECTIONS.join() },
  stores: { type: 'string', default: STORES.join() },
  peers: { type: 'string', default: PEERS.join() },
  services: { type: 'string' },
  probes: { type: 'string' },
  trials: { type: 'string', default: '1' },
  'node-flags': { type: 'string' },
})

function readArguments() {
  const { values } = cli
  const size = values.quick ? QUICK : FULL
  return {
    ...size,
    ...values,
    services: cli.count('services', size.services),
    probes: cli.count('probes', size.probes),
    trials: cli.count('trials'),
    sections: cli.names('only', 'section', SECTIONS),
    stores: cli.names('stores', 'store', STORES),
    ...(values['node-flags'] !== undefined && { nodeFlags: values['node-flags'].split(' ').filter(Boolean) }),
    peers: cli.peers(PEERS),
  }
}

/** One speaker in a lab of its own. */
async function measure(samples, options) {
  const lab = await Lab.create()
  try {
    await measureIn(lab, samples, options)
  } finally {
    await lab[Symbol.asyncDispose]()
  }
}

async function measureIn(lab, samples, options) {
  const { kind } = options
  const lan = await lab.bridge('lan')
  const at = address => `${address}/${PLACE.mask}`
  const peers = Array.from({ length: BGP_PEERS }, (_, i) => at(PLACE.peer(i)))
  const far = await lab.host('far', { links: [{ bridge: lan, addresses: [at(PLACE.far), ...peers] }] })
  const node = await lab.host('node', { links: [{ bridge: lan, addresses: [at(PLACE.node)] }] })
  const end = far.spawn([process.execPath, FAR_END, String(PORT), 'eth0'], { name: 'far-end' })
  await end.waitForLine(line => line === 'listening')
  const settings = { ...options, kind: kind.id, port: PORT, directory: lab.directory }
  const inside = node.spawn([process.execPath, INSIDE, JSON.stringify(settings)], { name: 'inside' })
  inside.on('line', line => {
    if (!line.startsWith('{"what"')) return console.error(line)
    const { what, unit, value, more } = JSON.parse(line)
    samples.add(kind.id, what, unit, value ?? Infinity, more)
    console.error(`  ${kind.name}: ${what}: ${value?.toPrecision(4) ?? 'never'} ${unit}`)
  })
  const timer = setTimeout(() => inside.kill('SIGKILL'), PATIENCE)
  const { code } = await inside.exited
  clearTimeout(timer)
  if (code !== 0) throw new Error(`it was not measured to the end${inside.tail(10)}`)
}

/** What is to be measured of whom, in this order. */
async function* plan({ peers, stores, sections, services, sizes, probes, pause, nodeFlags }, bundle) {
  const base = { probes, pause, nodeFlags }
  const wanted = sections.filter(name => name !== 'memory')
  const binaries = stores.includes('api') ? await kubernetesBinaries() : undefined
  if (binaries && 'missing' in binaries) console.error(`bench:speaker: without an API server: ${binaries.missing}`)
  for (const id of ['ours', ...peers]) {
    const kind = KINDS[id]
    const found = await kind.find()
    if (found.missing !== undefined) {
      console.error(`bench:speaker: without ${kind.name}: ${found.missing}`)
      continue
    }
    const { program } = found
    for (const store of stores.filter(name => kind.stores.includes(name))) {
      if (store === 'api' && (!binaries || 'missing' in binaries)) continue
      const more = store === 'api' ? [...wanted, ...(sections.includes('memory') ? ['memory'] : [])] : wanted
      // What is resident is that of the image.
      const measured = more.includes('memory') && id === 'ours' ? await bundle() : program
      if (more.length > 0) yield { ...base, kind, program: measured, store, services, binaries, sections: more }
    }
  }
  if (!sections.includes('memory') || !stores.includes('folder')) return
  // As the image has it: in few files, and with the threads of BFD.
  for (const size of sizes) {
    yield {
      ...base,
      kind: KINDS.ours,
      program: await bundle(),
      store: 'folder',
      services: size,
      bfd: true,
      sections: ['memory'],
    }
  }
}

async function main() {
  const options = readArguments()
  if (needsUserNamespace()) cli.fail('wants root, to make network namespaces')
  const versions = Object.fromEntries(['ours', ...options.peers].map(id => [id, KINDS[id].version()]))
  const { ours: own, ...peers } = versions
  const names = Object.fromEntries(Object.entries(peers).map(([id, version]) => [id, `${KINDS[id].name} ${version}`]))
  const samples = new Samples(names)
  const directory = mkdtempSync(join(tmpdir(), 'typemetal-speaker-'))
  try {
    for (let trial = 0; trial < options.trials; trial++) {
      for await (const each of plan(options, () => bundleSpeaker(directory))) {
        try {
          await measure(samples, each)
        } catch (error) {
          process.exitCode = 1
          console.error(`bench:speaker: ${each.kind.name} on ${each.store} is left out: ${error.stack}`)
        }
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  const { rows } = samples
  print(rows)
  keep('speaker', rows, options, { '@typemetal/speaker': own, commit: commit(), ...peers })
}

await main()
