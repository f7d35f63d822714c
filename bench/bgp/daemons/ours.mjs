// Ours: one Node.js process with a speaker. `--expose-gc` is for weighing it; nothing else uses it.
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Commanded } from '../commands.mjs'

const PROGRAM = fileURLToPath(new URL('../ours.mjs', import.meta.url))
const { version } = createRequire(import.meta.url)('../../../packages/bgp/package.json')

/** @type {import('./daemon.mjs').Kind} */
export const ours = {
  id: 'ours',
  name: '@typemetal/bgp',
  version: async () => version,

  async start({ host, directory, ours: { address, asn }, peers, options = [] }) {
    const file = join(directory, 'peers.json')
    writeFileSync(file, JSON.stringify(peers))
    const commanded = await Commanded.start(host, 'ours', ['--expose-gc', ...options, PROGRAM, address, asn, file])
    return {
      process: commanded.process,
      count: async () => (await commanded.ask('look')).prefixes,
      established: async () => (await commanded.ask('look')).established,
      ask: (command, options) => commanded.ask(command, options),
    }
  },
}
