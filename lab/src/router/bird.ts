/** BIRD 2 as the router. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Host } from '../host.js'
import { until } from '../wait.js'
import { requirePrograms } from './program.js'
import type { Router, RouterOptions } from './router.js'

const configuration = ({ asn, bgpIdentifier, peerPrefix, peerAsn }: RouterOptions): string => `
log stderr all;
router id ${bgpIdentifier};
protocol device {}
protocol kernel { ipv4 { import none; export all; }; merge paths yes; }
protocol kernel { ipv6 { import none; export all; }; merge paths yes; }
protocol bgp nodes {
  local as ${asn};
  neighbor range ${peerPrefix} as ${peerAsn};
  dynamic name "node";
  ipv4 { import all; export none; };
  ipv6 { import all; export none; };
}
`

/** Starts BIRD in the foreground with its own configuration, control socket and PID file. */
export async function startBird(host: Host, options: RouterOptions): Promise<Router> {
  const folder = requirePrograms('bird')
  mkdirSync(options.directory, { recursive: true })
  const file = join(options.directory, 'bird.conf')
  const socket = join(options.directory, 'bird.ctl')
  writeFileSync(file, configuration(options))
  const bird = host.spawn(
    [join(folder, 'bird'), '-f', '-c', file, '-s', socket, '-P', join(options.directory, 'bird.pid')],
    { name: 'bird' },
  )
  const birdc = [join(folder, 'birdc'), '-s', socket]
  const version = await until(`BIRD to answer${bird.tail()}`, async () => {
    const { stdout } = await host.exec([...birdc, 'show', 'status'])
    return /BIRD ([\d.]+)/.exec(stdout)?.[1]
  })
  return {
    kind: 'bird',
    title: `BIRD ${version}`,
    commands: [
      { shows: 'BGP sessions', argv: [...birdc, 'show', 'protocols'] },
      { shows: 'routes learned', argv: [...birdc, 'show', 'route'] },
    ],
    [Symbol.asyncDispose]: () => bird[Symbol.asyncDispose](),
  }
}
