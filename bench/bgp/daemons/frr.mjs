// FRR's bgpd alone: without zebra nothing goes to the kernel. No waiting before UPDATEs and no policy needed.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { firstLine, ready } from './daemon.mjs'

const one = ({ address, asn }) => [
  `neighbor ${address} remote-as ${asn}`,
  `neighbor ${address} passive`,
  `neighbor ${address} advertisement-interval 0`,
  `neighbor ${address} disable-connected-check`,
]

/** Of hundreds of neighbours those that it finds in a range cost it a seventh of those that are configured one by one. */
const many = ({ range, asn }) => [
  'neighbor crowd peer-group',
  `neighbor crowd remote-as ${asn}`,
  'neighbor crowd advertisement-interval 0',
  'neighbor crowd disable-connected-check',
  'bgp listen limit 5000',
  `bgp listen range ${range} peer-group crowd`,
]

const configure = (ours, peers) =>
  [
    `router bgp ${ours.asn}`,
    `bgp router-id ${ours.address}`,
    'no bgp ebgp-requires-policy',
    'no bgp network import-check',
    'bgp default ipv4-unicast',
    ...(peers[0].range ? many(peers[0]) : peers.flatMap(one)),
    '',
  ].join('\n')

/** @type {import('./daemon.mjs').Kind} */
export const frr = {
  id: 'frr',
  name: 'FRR',
  program: '/usr/lib/frr/bgpd',
  package: 'frr',
  version: async run => /version ([\d.]+)/.exec(firstLine(await run(['/usr/lib/frr/bgpd', '--version'])))?.[1],

  async start({ host, directory, ours, peers }) {
    const file = join(directory, 'bgpd.conf')
    writeFileSync(file, configure(ours, peers))
    const options = [
      '-f',
      file,
      '-i',
      join(directory, 'pid'),
      '--vty_socket',
      directory,
      '-z',
      join(directory, 'zserv'),
    ]
    const process = host.spawn(['/usr/lib/frr/bgpd', '-S', '-Z', '-n', '-P', '0', '-l', ours.address, ...options])
    const ask = async command => {
      const vtysh = ['vtysh', '--vty_socket', directory, '-d', 'bgpd', '-c', command]
      return (await host.exec(vtysh, { timeout: 120_000 })).stdout
    }
    const sessions = async () => Object.values(JSON.parse(await ask('show bgp ipv4 unicast summary json')).peers ?? {})
    await ready(process, sessions, all => peers[0].range !== undefined || all.length === peers.length)
    return {
      process,
      count: async () => (await sessions()).reduce((sum, { pfxRcd }) => sum + pfxRcd, 0),
      established: async () => (await sessions()).filter(({ state }) => state === 'Established').length,
    }
  },
}
