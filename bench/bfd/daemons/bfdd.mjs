// FRR's bfdd, with the zebra that tells it of the interfaces; what is measured is bfdd's.
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run, until } from '@typemetal/lab'
import { firstLine } from '../../bgp/daemons/daemon.mjs'

const PROGRAM = '/usr/lib/frr/bfdd'
const ZEBRA = '/usr/lib/frr/zebra'

const peer = (address, interval, multiplier) => ` peer ${address}
  detect-multiplier ${multiplier}
  receive-interval ${interval}
  transmit-interval ${interval}
 !`

/** @type {import('./daemon.mjs').Kind} */
export const bfdd = {
  id: 'bfdd',
  name: 'bfdd',
  program: PROGRAM,
  package: 'frr',
  leastInterval: 10,
  version: async run => /version ([\d.]+)/.exec(firstLine(await run([PROGRAM, '--version'])))?.[1],

  async start({ host, directory, peers, interval, multiplier }) {
    const at = name => join(directory, name)
    const files = name => [
      '-f',
      at(`${name}.conf`),
      '-i',
      at(`${name}.pid`),
      '--vty_socket',
      directory,
      '-z',
      at('zserv'),
    ]
    writeFileSync(at('zebra.conf'), '')
    writeFileSync(at('bfdd.conf'), ['bfd', ...peers.map(address => peer(address, interval, multiplier)), ''].join('\n'))
    // They give up root, and do not go without.
    chmodSync(dirname(directory), 0o755)
    await run(['chown', '-R', 'frr:frr', directory])
    host.spawn([ZEBRA, '-P', '0', ...files('zebra')], { name: 'zebra' })
    await until('zebra to know its interface', async () => {
      const ask = ['vtysh', '--vty_socket', directory, '-d', 'zebra', '-c', 'show interface brief']
      const { stdout } = await host.exec(ask, { check: false })
      return (existsSync(at('zserv')) && /^eth0 +up/m.test(stdout)) || undefined
    })
    return { process: host.spawn([PROGRAM, '-P', '0', '--bfdctl', at('ctl'), ...files('bfdd')], { name: 'bfdd' }) }
  },
}
