// Ours: one Node.js process with a `Layer2`. `--expose-gc` is for weighing it; nothing else uses it.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Commanded } from '../../bgp/commands.mjs'

const PROGRAM = fileURLToPath(new URL('../ours.mjs', import.meta.url))
const { version } = createRequire(import.meta.url)('../../../packages/arp-ndp/package.json')
const OPTIONS = process.env.BENCH_L2_NODE_OPTIONS?.split(' ') ?? []

async function start(prefix, { host, protocol, count, range }) {
  const argv = [...prefix, process.execPath, '--expose-gc', ...OPTIONS, PROGRAM]
  const spawned = host.spawn(argv, { name: 'ours' })
  const commanded = new Commanded(spawned)
  await spawned.waitForLine(line => line.startsWith('{"id":0'), 30_000)
  await commanded.ask('own', { protocol, [range]: count })
  return { process: spawned, ask: (command, options) => commanded.ask(command, options) }
}

/** @type {import('../scene.mjs').Kind} */
export const ours = {
  id: 'ours',
  name: '@typemetal/arp-ndp',
  ours: true,
  process: true,
  version: async () => version,
  start: options => start([], options),
}

/** The same, where it may not raise the priority of its worker: a pod with NET_RAW only, say. */
export const plain = {
  ...ours,
  id: 'plain',
  name: 'ours without CAP_SYS_NICE',
  program: '/usr/bin/setpriv',
  package: 'util-linux',
  start: options => start(['setpriv', '--bounding-set', '-sys_nice'], options),
}
