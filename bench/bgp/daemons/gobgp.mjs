// GoBGP without zebra, logging only what is fatal, on as many CPUs as there are. A neighbour may come back after a second, not thirty.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { firstLine, ready } from './daemon.mjs'

const neighbor = ({ address, asn }, ours) => `
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${address}"
    peer-as = ${asn}
  [neighbors.transport.config]
    passive-mode = true
    local-address = "${ours.address}"
  [neighbors.timers.config]
    idle-hold-time-after-reset = 1
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
`

const configure = (ours, peers) => `
[global.config]
  as = ${ours.asn}
  router-id = "${ours.address}"
  local-address-list = ["${ours.address}"]
${peers.map(peer => neighbor(peer, ours)).join('')}
`

/** @type {import('./daemon.mjs').Kind} */
export const gobgp = {
  id: 'gobgp',
  name: 'GoBGP',
  program: '/usr/bin/gobgpd',
  package: 'gobgpd',
  version: async run => /version ([\d.]+)/.exec(firstLine(await run(['gobgpd', '--version'])))?.[1],

  async start({ host, directory, ours, peers }) {
    const file = join(directory, 'gobgpd.toml')
    writeFileSync(file, configure(ours, peers))
    const api = '127.0.0.1:50051'
    const process = host.spawn(['gobgpd', '-f', file, '-p', '-l', 'fatal', '--api-hosts', api, '--pprof-disable'])
    const ask = async (...words) => (await host.exec(['gobgp', ...words], { timeout: 120_000 })).stdout
    const sessions = async () => (await ask('neighbor')).trim().split('\n').slice(1)
    await ready(process, sessions, lines => lines.length === peers.length)
    return {
      process,
      count: async () => Number(/Destination: (\d+)/.exec(await ask('global', 'rib', 'summary'))?.[1]),
      established: async () => (await sessions()).filter(line => line.includes('Establ')).length,
    }
  },
}
