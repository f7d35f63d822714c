// OpenBGPD, all three processes of it, without touching the kernel's routes.
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ready } from './daemon.mjs'

const neighbor = ({ address, asn }) => `
neighbor ${address} {
  remote-as ${asn}
  passive
  announce IPv4 unicast
  announce IPv6 none
}`

const configure = (ours, peers, socket) => `
AS ${ours.asn}
router-id ${ours.address}
fib-update no
listen on ${ours.address}
socket "${socket}"
${peers.map(neighbor).join('')}
allow from any
allow to any
`

/** @type {import('./daemon.mjs').Kind} */
export const openbgpd = {
  id: 'openbgpd',
  name: 'OpenBGPD',
  program: '/usr/sbin/bgpd',
  package: 'openbgpd',
  version: async run => /OpenBGPD ([\d.]+)/.exec((await run(['bgpd', '-V'])).replaceAll('\n', ' '))?.[1],

  async start({ host, directory, ours, peers }) {
    const file = join(directory, 'bgpd.conf')
    const socket = join(directory, 'bgpd.sock')
    writeFileSync(file, configure(ours, peers, socket))
    chmodSync(file, 0o600) // it refuses a file that others can read
    const process = host.spawn(['bgpd', '-d', '-f', file])
    const ask = async (...words) => (await host.exec(['bgpctl', '-s', socket, ...words], { timeout: 120_000 })).stdout
    const sessions = async () => (await ask('show', 'summary', 'terse')).trim().split('\n')
    await ready(process, sessions, lines => lines.length === peers.length)
    return {
      process,
      count: async () =>
        Number(/(\d+) IPv4 unicast network entries/.exec(await ask('show', 'rib', 'memory'))?.[1] ?? 0),
      established: async () => (await sessions()).filter(line => line.includes('Established')).length,
    }
  },
}
