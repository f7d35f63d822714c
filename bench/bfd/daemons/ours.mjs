// Ours: one Node.js process with a `Bfd`. `--expose-gc` is for weighing it; nothing else uses it.
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Commanded } from '../../bgp/commands.mjs'

const PROGRAM = fileURLToPath(new URL('../ours.mjs', import.meta.url))
const { version } = createRequire(import.meta.url)('../../../packages/bgp/package.json')

async function start(prefix, { host, directory, peers, interval, multiplier }) {
  const file = join(directory, 'peers.json')
  writeFileSync(file, JSON.stringify({ peers, interval, multiplier }))
  const argv = [...prefix, process.execPath, '--expose-gc', ...(process.env.BENCH_BFD_NODE_OPTIONS?.split(' ') ?? [])]
  const spawned = host.spawn([...argv, PROGRAM, file], { name: 'ours' })
  const commanded = new Commanded(spawned)
  await spawned.waitForLine(line => line.startsWith('{"id":0'), 30_000)
  return { process: spawned, ask: (command, options) => commanded.ask(command, options) }
}

/** @type {import('./daemon.mjs').Kind} */
export const ours = {
  id: 'ours',
  name: '@typemetal/bgp',
  ours: true,
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
