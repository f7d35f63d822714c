import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'

/** The words before a command that give it a network namespace of its own. */
export const UNSHARE: readonly string[] = [
  'unshare',
  '--net',
  ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']),
]
/** Milliseconds for a file on a machine that others keep busy; alone it takes a few seconds. */
const PATIENCE = 900_000
const INSIDE = 'TYPEMETAL_SOCKETS_TEST_NAMESPACE'

/**
 * Runs the calling test file a second time, in a network namespace of its own, which goes away with it.
 *
 * @returns true in that second run; false in the first one, where there is nothing left to do
 */
export async function enterNamespace(url: string): Promise<boolean> {
  if (process.env[INSIDE]) {
    ip('link set dev lo up')
    t.setTimeout(PATIENCE)
    return true
  }
  const reason = whyNot()
  if (reason) {
    await t.test('in a network namespace', { skip: reason }, () => undefined)
    return false
  }
  const [command = '', ...flags] = UNSHARE
  t.setTimeout(PATIENCE)
  const options = { env: { ...process.env, [INSIDE]: '1' }, timeout: PATIENCE }
  await t.spawn(command, [...flags, process.execPath, fileURLToPath(url)], options, 'in a network namespace')
  return false
}

/** What is missing for {@link enterNamespace}; undefined when nothing is. */
export function whyNot(): string | undefined {
  const [command = '', ...flags] = UNSHARE
  if (process.platform !== 'linux') return 'needs Linux'
  if (spawnSync('ip', ['-V']).status !== 0) return 'needs ip (Debian package iproute2)'
  const { status } = spawnSync(command, [...flags, 'ip', 'link', 'set', 'lo', 'up'])
  return status === 0 ? undefined : 'needs root, or unprivileged user namespaces (kernel.unprivileged_userns_clone=1)'
}

/** Runs `ip` with the words of one line; throws with what it said when it fails. */
export function ip(line: string): void {
  const { status, stderr } = spawnSync('ip', line.split(' '), { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${line}: ${stderr}`)
}

/** Two Ethernet interfaces, each the other's peer, both up, without IPv6 addresses that come by themselves. */
export function makePair(first: string, second: string): void {
  ip(`link add name ${first} address 02:00:00:00:00:0a type veth peer name ${second} address 02:00:00:00:00:0b`)
  for (const name of [first, second]) {
    ip(`link set dev ${name} addrgenmode none`)
    ip(`link set dev ${name} up`)
  }
}

/** Waits until `holds` does; fails the promise after so many milliseconds. */
export async function until(holds: () => boolean, timeout = 60_000): Promise<void> {
  const end = performance.now() + timeout
  while (!holds()) {
    if (performance.now() > end) throw new Error(`still not so after ${timeout} ms: ${String(holds)}`)
    await new Promise(resolve => setTimeout(resolve, 1))
  }
}

const still = new Int32Array(new SharedArrayBuffer(4))

/**
 * Waits until `holds` does, without a turn of the loop: mostly what is sent here has been received when the call returns, but a busy kernel
 * leaves that to a thread of its own.
 */
export function settle(holds: () => boolean): void {
  const end = performance.now() + 60_000
  while (!holds()) {
    if (performance.now() > end) throw new Error(`still not so after a minute: ${String(holds)}`)
    Atomics.wait(still, 0, 0, 1)
  }
}

/** Octets of memory that what waits at the UDP socket with this port takes. */
export function queuedAt(port: number): number {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  const lines = ['udp', 'udp6'].flatMap(name => readFileSync(`/proc/self/net/${name}`, 'latin1').split('\n'))
  const columns = lines.map(line => line.trim().split(/\s+/)).find(([, local]) => local?.endsWith(`:${wanted}`))
  return Number.parseInt(columns?.[4]?.split(':')[1] ?? '0', 16)
}

/** Comes after so many milliseconds, and, where others kept this process from the processor, after one more turn of the loop. */
export async function lateTurn(milliseconds: number): Promise<false> {
  await new Promise(resolve => setTimeout(resolve, milliseconds))
  // Timers come before sockets in a turn, and a LinkMonitor reports at the end of one.
  for (let turn = 0; turn < 2; turn++) await new Promise(resolve => setImmediate(resolve))
  return false
}

/**
 * Gives an interface an IPv6 address without duplicate address detection, and waits until the kernel takes packets for it:
 * it makes the route in a task of its own, which a busy machine does late.
 */
export async function addIpv6(address: string, device: string): Promise<void> {
  ip(`address add ${address}/64 dev ${device} nodad`)
  const show = ['-6', 'route', 'show', 'table', 'local', 'dev', device]
  await until(() => spawnSync('ip', show, { encoding: 'utf8' }).stdout.includes(`local ${address} `))
}

/** The index of an interface. */
export function indexOf(links: readonly { name: string; index: number }[], name: string): number {
  const link = links.find(link => link.name === name)
  if (!link) throw new Error(`no interface ${name}`)
  return link.index
}
