/** A network namespace for a test that needs addresses of its own. */
import { spawnSync } from 'node:child_process'

/** Set in the copy of a test that runs in a namespace of its own. */
const INSIDE = 'TYPEMETAL_CONTROLLER_NETWORK'

/** Who is not root there already becomes it. */
const UNSHARE: readonly string[] = process.geteuid?.() === 0 ? ['-n'] : ['-r', '-n']

/** Why there can be none; `undefined` when there can. */
export function missingNetwork(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces need Linux'
  if (process.env[INSIDE] !== undefined) return undefined
  const { status } = spawnSync('unshare', [...UNSHARE, 'ip', 'link', 'set', 'lo', 'up'])
  return status === 0 ? undefined : 'network namespaces need root, or user namespaces, and iproute2'
}

/**
 * Whether this process has a namespace of its own, with these addresses on `lo`. If not, runs the same test again in one, its output
 * as ours, and says `false`; the namespace goes away with that process.
 */
export function hasOwnNetwork(...addresses: readonly string[]): boolean {
  if (process.env[INSIDE] !== undefined) {
    ip('link', 'set', 'lo', 'up')
    for (const address of addresses) ip('address', 'add', address, 'dev', 'lo')
    return true
  }
  const argv = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const env = { ...process.env, [INSIDE]: '1' }
  const { status } = spawnSync('unshare', [...UNSHARE, ...argv], { stdio: 'inherit', env })
  process.exitCode = status ?? 1
  return false
}

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`)
}
