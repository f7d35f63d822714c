/** Our own router: `@typemetal/bgp` listening, routes installed by `ip route`. */
import { fileURLToPath } from 'node:url'
import type { Host } from '../host.js'
import type { Router, RouterOptions } from './router.js'

const PROGRAM = fileURLToPath(new URL('embedded-main.js', import.meta.url))

/** Starts it as a process of the host. */
export async function startEmbedded(host: Host, options: RouterOptions): Promise<Router> {
  const child = host.spawn(
    [process.execPath, PROGRAM, `${options.asn}`, options.bgpIdentifier, options.peerPrefix, `${options.peerAsn}`],
    { name: 'router' },
  )
  await child.waitForLine(line => line === 'listening')
  return {
    kind: 'embedded',
    title: 'embedded router on @typemetal/bgp',
    commands: [],
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}
