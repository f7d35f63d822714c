/** What a lab needs of the machine, and how an ordinary user gets it. */
import { spawn } from 'node:child_process'
import { run, withResolvers } from './command.js'
import { LabError } from './errors.js'

/** @throws {LabError} ERR_LAB_NO_IP_COMMAND */
export async function requireIproute2(): Promise<void> {
  try {
    await run(['ip', '-V'])
  } catch (cause) {
    throw new LabError('ERR_LAB_NO_IP_COMMAND', 'the ip command is missing: install the package iproute2', { cause })
  }
}

/** Set in the process that {@link enterUserNamespace} starts: id of its first process as the user's other shells see it. */
const ENTERED = 'TYPEMETAL_LAB_ENTRY_PID'

/** True when this process cannot make network namespaces by itself and should call {@link enterUserNamespace}. */
export const needsUserNamespace = (): boolean => process.geteuid?.() !== 0

/**
 * How a user reaches the hosts from another terminal: what to put before `ip netns exec …`. Empty for root; inside
 * {@link enterUserNamespace} a command that enters its namespaces.
 */
export function entryCommand(): string {
  const pid = process.env[ENTERED]
  return pid === undefined ? '' : `nsenter --preserve-credentials -U -m -n -p -t ${pid} `
}

const NAMESPACES = ['--user', '--map-root-user', '--net', '--mount', '--pid', '--fork', '--kill-child']

/**
 * First process in the new namespaces (and the one that reaps orphans): gives them their own /proc, and a /run of their own for
 * the names of network namespaces, then runs the command.
 */
const ENTRY = `
read -r pid rest </proc/self/stat
mount -t proc proc /proc && mount -t tmpfs tmpfs "$(readlink -f /var/run)" || exit 125
${ENTERED}=$pid "$@"
exit $?
`

/**
 * Runs a command as root of new user, network, mount and PID namespaces, by `unshare`; when that command ends, or this process does,
 * everything inside ends. SIGINT, SIGTERM and SIGHUP are passed on over an IPC channel, where {@link onOuterSignal} takes them.
 * @returns the command's exit code
 * @throws {LabError} ERR_LAB_PRIVILEGE when user namespaces are not allowed here
 */
export async function enterUserNamespace(argv: readonly string[]): Promise<number> {
  await requireUserNamespaces()
  const child = spawn('unshare', [...NAMESPACES, 'sh', '-c', ENTRY, 'typemetal-lab', ...argv], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  const forward = (signal: NodeJS.Signals): void => {
    if (child.connected) child.send({ signal })
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, forward)
  onOuterSignal(forward)
  const { promise, resolve, reject } = withResolvers<number>()
  child.on('error', reject)
  child.on('exit', code => resolve(code ?? 1))
  return promise
}

/** Calls back with the signals that the process which started us got, and with SIGHUP when it is gone; needs an IPC channel to it. */
export function onOuterSignal(listener: (signal: NodeJS.Signals) => void): void {
  if (!process.connected) return
  process.on('message', message => {
    const { signal } = message as { signal?: NodeJS.Signals }
    if (signal) listener(signal)
  })
  process.on('disconnect', () => listener('SIGHUP'))
  // listening must not keep us alive
  process.channel?.unref()
}

async function requireUserNamespaces(): Promise<void> {
  try {
    await run(['unshare', ...NAMESPACES, 'sh', '-c', ENTRY, 'typemetal-lab', 'ip', 'netns', 'add', 'probe'])
  } catch (cause) {
    throw new LabError(
      'ERR_LAB_PRIVILEGE',
      `network namespaces need root, or user namespaces, which this machine does not allow: run it as root (${oneLine(cause)})`,
      { cause },
    )
  }
}

const oneLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').replace(/^.*?: exit code \d+: /, '')
