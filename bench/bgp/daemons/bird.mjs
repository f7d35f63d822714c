// BIRD: no kernel and no device protocol beyond the interface scan; imports and exports all.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { firstLine, ready } from './daemon.mjs'

const session = ({ address, asn }, ours, i) => `
protocol bgp peer${i} {
  local ${ours.address} as ${ours.asn};
  neighbor ${address} as ${asn};
  passive; check link off;
  ipv4 { import all; export all; };
}`

const configure = (ours, peers) => `
router id ${ours.address};
protocol device { scan time 60; }
${peers.map((peer, i) => session(peer, ours, i)).join('')}
`

/** @type {import('./daemon.mjs').Kind} */
export const bird = {
  id: 'bird',
  name: 'BIRD',
  program: '/usr/sbin/bird',
  package: 'bird2',
  version: async run => /version ([\d.]+)/.exec(firstLine(await run(['bird', '--version'])))?.[1],

  async start({ host, directory, ours, peers }) {
    const socket = join(directory, 'ctl')
    const file = join(directory, 'bird.conf')
    writeFileSync(file, configure(ours, peers))
    const process = host.spawn(['bird', '-f', '-c', file, '-s', socket, '-P', join(directory, 'pid')])
    const ask = async (...words) => (await host.exec(['birdc', '-s', socket, ...words])).stdout
    await ready(
      process,
      () => ask('show', 'status'),
      text => text.includes('Daemon is up'),
    )
    return {
      process,
      count: async () => Number(/(\d+) of \d+ routes/.exec(await ask('show', 'route', 'count'))?.[1]),
      established: async () => (await ask('show', 'protocols')).split('Established').length - 1,
    }
  },
}
