/** Daemons of FRR that others of it need: zebra, which knows the interfaces, and bfdd. */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Daemon } from './daemon.js'
import { run, until } from './namespace.js'

const DIRECTORY = '/usr/lib/frr'
const ZEBRA = join(DIRECTORY, 'zebra')
export const BFDD = join(DIRECTORY, 'bfdd')

/** Why they cannot be used here; `undefined` when they can. */
export const missingBfdd = (): string | undefined =>
  existsSync(ZEBRA) && existsSync(BFDD) ? undefined : 'needs FRR: apt-get install frr'

/** Asks a daemon of FRR that has its files in the same directory. */
export const vtysh = (daemon: Daemon, name: string, ...commands: readonly string[]): Promise<string> =>
  daemon.host.ask('vtysh', '--vty_socket', daemon.directory, '-d', name, ...commands.flatMap(text => ['-c', text]))

/** What every daemon of FRR is told. */
export const frrArguments = (daemon: Daemon, name: string): readonly string[] => {
  const files = ['-f', daemon.path(`${name}.conf`), '-i', daemon.path(`${name}.pid`), '-z', daemon.path('zserv')]
  return [...files, '--vty_socket', daemon.directory, '-P', '0', '--log', 'stdout']
}

/** What bfdd is told. */
export const bfddArguments = (daemon: Daemon): readonly string[] => [
  ...frrArguments(daemon, 'bfdd'),
  '--bfdctl',
  daemon.path('bfdctl'),
]

/** Starts zebra beside a daemon. */
export async function startZebra(daemon: Daemon): Promise<void> {
  // A daemon that was killed leaves its sockets behind.
  for (const name of ['zserv', 'zebra.vty', 'bfdd.vty', 'bgpd.vty']) rmSync(daemon.path(name), { force: true })
  daemon.write('zebra.conf', '')
  // zebra and bfdd give up root, and do not go without: what they write must be their own.
  run('chown', '-R', 'frr:frr', daemon.directory)
  daemon.spawn(ZEBRA, frrArguments(daemon, 'zebra'))
  await until('zebra answers', async () => {
    const answer = await vtysh(daemon, 'zebra', 'show interface brief')
    return existsSync(daemon.path('zserv')) && /^eth0 +up/m.test(answer)
  })
}

/** Starts bfdd, without a session, beside a daemon. */
export async function startBfdd(daemon: Daemon): Promise<void> {
  daemon.write('bfdd.conf', '')
  run('chown', 'frr:frr', daemon.path('bfdd.conf'))
  daemon.spawn(BFDD, bfddArguments(daemon))
  await until('bfdd answers', () => vtysh(daemon, 'bfdd', 'show bfd peers json'))
}
