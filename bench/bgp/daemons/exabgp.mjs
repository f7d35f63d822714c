// ExaBGP, which keeps what it hears when told to, and passes nothing on.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const neighbor = ({ address, asn }, ours) => `
neighbor ${address} {
  router-id ${ours.address};
  local-address ${ours.address};
  local-as ${ours.asn};
  peer-as ${asn};
  passive true;
  adj-rib-in true;
  family { ipv4 unicast; }
}`

/** @type {import('./daemon.mjs').Kind} */
export const exabgp = {
  id: 'exabgp',
  name: 'ExaBGP',
  program: '/usr/sbin/exabgp',
  package: 'exabgp',
  version: async run => /ExaBGP\s*:\s*([\d.]+)/.exec(await run(['exabgp', '--version']))?.[1],
  /** It is an interpreter's work: more than this takes minutes. */
  most: 10_000,
  passesOn: false,

  async start({ host, directory, ours, peers }) {
    const file = join(directory, 'exabgp.conf')
    writeFileSync(file, peers.map(peer => neighbor(peer, ours)).join(''))
    mkdirSync(join(directory, 'run'), { recursive: true })
    const env = {
      ...process.env,
      'exabgp.daemon.user': 'root',
      'exabgp.daemon.drop': 'false',
      'exabgp.tcp.bind': ours.address,
      'exabgp.log.level': 'ERR',
      'exabgp.api.cli': 'false',
    }
    const daemon = host.spawn(['exabgp', file], { env, cwd: directory })
    await sleep(1500)
    return { process: daemon }
  },
}
