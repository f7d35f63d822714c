// BIRD with nothing but BFD.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { firstLine } from '../../bgp/daemons/daemon.mjs'

const configure = (peers, interval, multiplier) => `
router id 10.0.0.1;
protocol device { scan time 60; }
protocol bfd {
  interface "eth0" { interval ${interval * 1000} us; multiplier ${multiplier}; };
${peers.map(address => `  neighbor ${address} dev "eth0";`).join('\n')}
}
`

/** @type {import('./daemon.mjs').Kind} */
export const bird = {
  id: 'bird',
  name: 'BIRD',
  program: '/usr/sbin/bird',
  package: 'bird2',
  version: async run => /version ([\d.]+)/.exec(firstLine(await run(['bird', '--version'])))?.[1],

  async start({ host, directory, peers, interval, multiplier }) {
    const at = name => join(directory, name)
    writeFileSync(at('bird.conf'), configure(peers, interval, multiplier))
    return {
      process: host.spawn(['bird', '-f', '-c', at('bird.conf'), '-s', at('ctl'), '-P', at('pid')], { name: 'bird' }),
    }
  },
}
