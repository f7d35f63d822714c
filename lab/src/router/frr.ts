/** FRR (zebra and bgpd) as the router. */
import { accessSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Host } from '../host.js'
import type { LabProcess } from '../lab-process.js'
import { until } from '../wait.js'
import { requirePrograms } from './program.js'
import type { Router, RouterOptions } from './router.js'

const configuration = ({ asn, bgpIdentifier, peerPrefix, peerAsn }: RouterOptions): string => `
hostname router
router bgp ${asn}
 bgp router-id ${bgpIdentifier}
 no bgp ebgp-requires-policy
 neighbor NODES peer-group
 neighbor NODES remote-as ${peerAsn}
 bgp listen range ${peerPrefix} peer-group NODES
 address-family ipv4 unicast
  maximum-paths 16
 exit-address-family
 address-family ipv6 unicast
  neighbor NODES activate
  maximum-paths 16
 exit-address-family
`

/** FRR insists on its group `frrvty` and on a user who is in it; here that is root, also inside a user namespace with root alone. */
const GROUPS = 'root:x:0:\nfrr:x:0:root\nfrrvty:x:0:root\n'

/**
 * Runs a daemon in a mount namespace of its own (`ip netns exec` makes one), where our group file hides the machine's and an empty
 * folder hides /var/tmp, in which FRR keeps crash logs. The machine's own files stay as they are.
 */
const WRAPPER = `
mount --bind "$1/group" /etc/group
case "$1" in /var/tmp/*) ;; *) mount -t tmpfs tmpfs /var/tmp ;; esac
shift
exec "$@"
`

/** Starts zebra and bgpd in the foreground with their own configuration, sockets and PID files. */
export async function startFrr(host: Host, options: RouterOptions): Promise<Router> {
  const folder = requirePrograms('frr')
  const { directory } = options
  mkdirSync(directory, { recursive: true })
  const file = join(directory, 'frr.conf')
  writeFileSync(file, configuration(options))
  writeFileSync(join(directory, 'group'), GROUPS)

  const start = (name: string): LabProcess => {
    const flags = ['-f', file, '-z', join(directory, 'zserv.api'), '-i', join(directory, `${name}.pid`), '-P', '0']
    const privileges = ['--vty_socket', directory, '-u', 'root', '-g', 'root', '--log', 'stdout']
    const command = [join(folder, name), ...flags, ...privileges]
    return host.spawn(['sh', '-e', '-c', WRAPPER, name, directory, ...command], { name })
  }
  const zebra = start('zebra')
  await until('zebra to listen', () => exists(join(directory, 'zserv.api')))
  const bgpd = start('bgpd')
  const vtysh = ['vtysh', '--vty_socket', directory, '--config_dir', directory]
  const version = await until('bgpd to answer', async () => {
    const { stdout } = await host.exec([...vtysh, '-d', 'bgpd', '-c', 'show version'])
    return /FRRouting ([\d.]+)/.exec(stdout)?.[1]
  })
  return {
    kind: 'frr',
    title: `FRR ${version}`,
    commands: [
      { shows: 'BGP sessions', argv: [...vtysh, '-c', 'show bgp summary'] },
      { shows: 'routes learned', argv: [...vtysh, '-c', 'show bgp ipv4 unicast'] },
    ],
    async [Symbol.asyncDispose]() {
      await bgpd[Symbol.asyncDispose]()
      await zebra[Symbol.asyncDispose]()
    },
  }
}

function exists(path: string): true | undefined {
  try {
    accessSync(path)
    return true
  } catch {
    return undefined
  }
}
