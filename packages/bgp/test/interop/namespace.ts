import { execFile, spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process'
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Set in the copy of a test that runs in a network namespace of its own. */
const INSIDE = 'TYPEMETAL_BGP_INTEROP'

/** Runs a command to its end. @throws with what it said when it fails */
export function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? (stderr || stdout)}`)
  return stdout
}

/** Why namespaces cannot be made here; `undefined` when they can. */
export function missingPrivilege(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces need Linux'
  if (!existsSync('/usr/sbin/ip') && !existsSync('/sbin/ip')) return 'needs iproute2: apt-get install iproute2'
  return spawnSync('unshare', ['-n', 'true']).status === 0 ? undefined : 'network namespaces need root'
}

/**
 * Whether this process has a network namespace of its own. If not, runs the same test again in one, its output as ours, and
 * says `false`; the namespace and all in it go away with that process.
 */
export function isInside(): boolean {
  if (process.env[INSIDE]) {
    run('ip', 'link', 'set', 'lo', 'up')
    return true
  }
  const { status } = spawnSync('unshare', ['-n', process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1' },
  })
  process.exitCode = status ?? 1
  return false
}

/** A network namespace, joined to ours or to another one by a pair of interfaces. */
export interface Host extends AsyncDisposable {
  /** Name of the near end of the pair; `eth0` is theirs. */
  readonly link: string
  /** Runs a command there, to its end. */
  exec(command: string, ...args: readonly string[]): string
  /** Likewise, while we go on. @returns what it printed */
  ask(command: string, ...args: readonly string[]): Promise<string>
  /** Starts a process there; it ends with the host. @param output descriptor that takes what it prints */
  spawn(command: string, args: readonly string[], output?: number): ChildProcess
  /** Sends a signal to every process there, whoever started it. */
  signal(signal: NodeJS.Signals): void
}

let hosts = 0

/**
 * @param ours addresses with prefix length of the near end, @param theirs those of the other
 * @param near where the near end is, instead of in our namespace; it must go after this one
 */
export async function createHost(
  ours: readonly string[],
  theirs: readonly string[],
  near: Pick<Host, 'exec'> = { exec: run },
): Promise<Host> {
  const keeper = spawn('unshare', ['-n', 'sleep', 'infinity'], { stdio: 'ignore' })
  const pid = String(keeper.pid)
  const children = new Set<ChildProcess>()
  const enter = ['-t', pid, '-n']
  const name = `peer${hosts++}`
  await untilInOwnNamespace(pid)
  near.exec('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pid)
  const exec = (command: string, ...args: readonly string[]): string => run('nsenter', ...enter, command, ...args)
  for (const address of ours) near.exec('ip', 'address', 'add', address, 'dev', name, ...nodad(address))
  for (const address of theirs) exec('ip', 'address', 'add', address, 'dev', 'eth0', ...nodad(address))
  near.exec('ip', 'link', 'set', name, 'up')
  exec('ip', 'link', 'set', 'lo', 'up')
  exec('ip', 'link', 'set', 'eth0', 'up')
  const namespace = readlinkSync(`/proc/${pid}/ns/net`)
  const signal = (what: NodeJS.Signals): void => {
    for (const inhabitant of inhabitants(namespace)) if (inhabitant !== keeper.pid) kill(inhabitant, what)
  }
  return {
    link: name,
    exec,
    async ask(command, ...args) {
      const { stdout } = await execute('nsenter', [...enter, command, ...args], { maxBuffer: 1 << 28 })
      return stdout
    },
    spawn(command, args, output) {
      const stdio: StdioOptions = ['ignore', output ?? 'ignore', output ?? 'ignore']
      const child = spawn('nsenter', [...enter, command, ...args], { stdio })
      children.add(child)
      child.once('exit', () => children.delete(child))
      return child
    },
    signal,
    async [Symbol.asyncDispose]() {
      await Promise.all([...children].map(child => stop(child)))
      signal('SIGKILL')
      near.exec('ip', 'link', 'delete', name)
      await stop(keeper)
    },
  }
}

/** Processes in a network namespace. */
function inhabitants(namespace: string): readonly number[] {
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return pids.filter(pid => namespaceOf(pid) === namespace).map(Number)
}

function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return undefined // it has ended meanwhile
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const nodad = (address: string): readonly string[] => (address.includes(':') ? ['nodad'] : [])

/** `unshare` has made the namespace once `sleep` runs in it. */
async function untilInOwnNamespace(pid: string): Promise<void> {
  const own = run('readlink', '/proc/self/ns/net')
  await until('a network namespace', () => run('readlink', `/proc/${pid}/ns/net`) !== own)
}

/** Milliseconds for a process to end in order: what it says as it goes is what some tests are about. */
const PATIENCE = 30_000

/** Ends a process and waits for it. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise(resolve => child.once('exit', resolve))
  const last = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
  child.kill(signal)
  await ended
  clearTimeout(last)
}

/** Generous, because machines of continuous integration are busy. */
const DEADLINE = 120_000

/** Asks again and again until the answer is neither false nor an error. @throws after two minutes */
export async function until<T>(what: string, ask: () => T | Promise<T>): Promise<T> {
  const end = performance.now() + DEADLINE
  for (;;) {
    let answer: T | undefined
    let failure: unknown
    try {
      answer = await ask()
    } catch (error) {
      failure = error
    }
    if (answer) return answer
    if (performance.now() > end) throw new Error(`timed out: ${what}`, { cause: failure })
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** Asks again and again until the answer is this one. @throws after two minutes, with the last answer */
export async function untilEqual<T>(what: string, wanted: T, ask: () => T | Promise<T>): Promise<void> {
  let last: T | undefined
  try {
    await until(what, async () => (last = await ask()) === wanted)
  } catch (error) {
    throw new Error(`timed out: ${what}: ${String(last)} instead of ${String(wanted)}`, { cause: error })
  }
}
