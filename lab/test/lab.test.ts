/** The lab: hosts that reach each other, processes, captures, and nothing left behind, whatever ends it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Lab, enterUserNamespace, messageOf, needsUserNamespace, nextHopsOf, run, until } from '@typemetal/lab'
import t from 'tap'

/** An ordinary user runs this very file again as root of namespaces of its own; its output is ours. */
if (needsUserNamespace()) {
  const code = await enterUserNamespace([process.execPath, ...process.execArgv, ...process.argv.slice(1)]).catch(
    messageOf,
  )
  if (typeof code === 'number') process.exit(code)
}
const root = needsUserNamespace() ? { skip: 'needs root or user namespaces' } : {}

const namespaces = (id: string): readonly string[] =>
  existsSync('/run/netns') ? readdirSync('/run/netns').filter(name => name.startsWith(`typemetal-${id}-`)) : []

/** A zombie that nobody has reaped yet is not alive. */
function alive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

t.test('hosts on one bridge reach each other by IPv4 and IPv6 at once', root, async t => {
  await using lab = await Lab.create()
  const lan = await lab.bridge('lan')
  const alice = await lab.host('alice', { links: [{ bridge: lan, addresses: ['10.0.0.1/24', 'fd00::1/64'] }] })
  const bob = await lab.host('bob', { links: [{ bridge: lan, addresses: ['10.0.0.2/24', 'fd00::2/64'] }] })
  t.same(
    [...bob.links.values()],
    [{ name: 'eth0', mac: '02:74:6d:00:00:02', addresses: ['10.0.0.2/24', 'fd00::2/64'] }],
  )

  await using server = bob.spawn([process.execPath, '-e', SERVER])
  await server.waitForLine(line => line === 'listening')
  for (const url of ['http://10.0.0.2/', 'http://[fd00::2]/', 'http://[::1]/']) {
    const host = url.includes('::1') ? bob : alice
    const { stdout } = await host.exec([
      process.execPath,
      '-e',
      `fetch('${url}').then(r => r.text()).then(console.log)`,
    ])
    t.equal(stdout.trim(), 'hello', url)
  }
  t.same(await bob.namespace.pids(), [server.pid], 'the pid is the program’s own')
})

t.test('a process: lines, log file, signals, how it ended', root, async t => {
  await using lab = await Lab.create()
  const host = await lab.host('one')
  const echo = host.spawn(['sh', '-c', 'while read -r line; do echo "got $line"; echo oops >&2; done; exit 3'], {
    name: 'echo',
  })
  echo.write('this')
  t.equal(await echo.waitForLine(line => line.startsWith('got')), 'got this')
  const missed = echo.waitForLine(line => line === 'never', 50)
  await t.rejects(missed, { code: 'ERR_LAB_TIMEOUT' })
  t.ok(echo.running)
  t.same(await echo.stop('SIGKILL'), { code: null, signal: 'SIGKILL' })
  t.equal(echo.running, false)
  t.match(readFileSync(echo.logFile, 'utf8'), 'got this\noops\n')
  await t.rejects(
    host.spawn(['sh', '-c', 'echo why; exit 3']).waitForLine(() => false),
    {
      code: 'ERR_LAB_PROCESS',
      message: /ended with code 3:\n {2}why/,
    },
  )
  await t.rejects(host.exec(['sh', '-c', 'echo why >&2; exit 3']), {
    code: 'ERR_LAB_COMMAND',
    message: /exit code 3: why/,
  })
  t.same(await host.exec(['sh', '-c', 'cat; exit 3'], { input: 'x', check: false }), {
    code: 3,
    stdout: 'x',
    stderr: '',
  })
})

t.test('kill: SIGKILL for every process in the host, also those it does not know', root, async t => {
  await using lab = await Lab.create()
  const host = await lab.host('one')
  const parent = host.spawn(['sh', '-c', 'setsid sleep 60 & echo started; wait'])
  await parent.waitForLine(line => line === 'started')
  await until('both processes', async () => ((await host.namespace.pids()).length === 2 ? true : undefined))
  await host.kill()
  t.same(await host.namespace.pids(), [])
  t.same(await parent.exited, { code: null, signal: 'SIGKILL' })
})

t.test('routes and kernel settings', root, async t => {
  await using lab = await Lab.create()
  const lan = await lab.bridge('lan')
  const host = await lab.host('one', {
    links: [{ bridge: lan, name: 'lan0', mac: '02:00:00:00:00:42', addresses: ['10.0.0.1/24', 'fd00::1/64'] }],
    routes: [
      { to: 'default', via: '10.0.0.254' },
      { to: '2001:db8::/32', via: 'fd00::fe' },
    ],
    sysctls: { 'net.ipv4.conf.lan0.arp_ignore': 1 },
  })
  const sysctl = await host.exec(['cat', '/proc/sys/net/ipv4/conf/lan0/arp_ignore', '/sys/class/net/lan0/address'])
  t.equal(sysctl.stdout, '1\n02:00:00:00:00:42\n')
  t.same(await nextHopsOf(host.namespace, 'default'), ['10.0.0.254'])
  t.same(await nextHopsOf(host.namespace, '2001:db8::/32'), ['fd00::fe'])
  t.same(await nextHopsOf(host.namespace, '192.0.2.0/24'), [])
  await t.rejects(lab.host('one'), RangeError, 'names are unique')
  await t.rejects(lab.host('../x'), RangeError)
})

t.test('nothing is left behind', root, async t => {
  const lab = await Lab.create()
  const other = await Lab.create()
  const host = await lab.host('one')
  await other.host('one')
  const sleeper = host.spawn(['sleep', '60'])
  t.same(namespaces(lab.id), [`typemetal-${lab.id}-one`])
  await lab[Symbol.asyncDispose]()
  await lab[Symbol.asyncDispose]()
  t.equal(sleeper.running, false)
  t.same(namespaces(lab.id), [])
  t.notOk(existsSync(lab.directory))
  t.same(namespaces(other.id), [`typemetal-${other.id}-one`], 'another lab is untouched')
  await other[Symbol.asyncDispose]()
})

t.test('the watchdog cleans up after SIGKILL of the lab’s process', root, async t => {
  const owner = spawn(process.execPath, [fileURLToPath(new URL('fixtures/owner.js', import.meta.url))], {
    stdio: 'pipe',
  })
  const said: { id: string; directory: string; pid: number } = JSON.parse(
    ((await once(createInterface(owner.stdout), 'line')) as [string])[0],
  )
  t.equal(namespaces(said.id).length, 2)
  owner.kill('SIGKILL')
  await until('the watchdog', () => (existsSync(said.directory) ? undefined : true))
  t.same(namespaces(said.id), [])
  t.notOk(alive(said.pid), 'its processes are gone')
})

t.test('capture: a pcap that tshark reads', root, async t => {
  if ((await run(['tshark', '--version']).catch(() => undefined)) === undefined) {
    t.pass('no tshark here (Debian package tshark)', { skip: 'wants the Debian package tshark' })
    return
  }
  await using lab = await Lab.create()
  const lan = await lab.bridge('lan')
  const alice = await lab.host('alice', { links: [{ bridge: lan, addresses: ['10.0.0.1/24', 'fd00::1/64'] }] })
  await lab.host('bob', { links: [{ bridge: lan, addresses: ['10.0.0.2/24', 'fd00::2/64'] }] })
  const file = join(lab.directory, 'alice.pcap')
  const arp = join(lab.directory, 'arp.pcap')
  {
    await using all = await alice.capture('eth0', file)
    await using onlyArp = await alice.capture('eth0', arp, { protocol: 'arp' })
    t.same([all.file, onlyArp.file], [file, arp])
    for (const url of ['http://10.0.0.2/', 'http://[fd00::2]/']) {
      await alice.exec([process.execPath, '-e', `fetch('${url}').catch(() => {})`])
    }
  }
  const names = async (pcap: string): Promise<Set<string>> =>
    new Set(
      (await run(['tshark', '-r', pcap, '-T', 'fields', '-e', '_ws.col.Protocol'])).stdout.split('\n').filter(Boolean),
    )
  const seen = await names(file)
  for (const protocol of ['ARP', 'ICMPv6', 'TCP']) t.ok(seen.has(protocol), protocol)
  t.same(await names(arp), new Set(['ARP']))
  t.equal((await run(['tshark', '-r', file, '-Y', '_ws.malformed'])).stdout, '')
})

t.test(
  'bridges: joined they are one LAN, and know what is behind which port; a capture of one source',
  root,
  async t => {
    await using lab = await Lab.create()
    const [left, right] = [await lab.bridge('left'), await lab.bridge('right', { multicastSnooping: true })]
    const port = await left.join(right)
    const file = join(lab.directory, 'bob.pcap')
    await using capture = await right.capture(file, { source: '02:74:6d:00:00:02' })
    const alice = await lab.host('alice', { links: [{ bridge: left, addresses: ['10.0.0.1/24', 'fd00::1/64'] }] })
    const bob = await lab.host('bob', { links: [{ bridge: right, addresses: ['10.0.0.2/24', 'fd00::2/64'] }] })
    await using server = bob.spawn([process.execPath, '-e', SERVER])
    await server.waitForLine(line => line === 'listening')
    for (const url of ['http://10.0.0.2/', 'http://[fd00::2]/']) {
      const ask = `fetch('${url}').then(r => r.text()).then(console.log)`
      t.equal((await alice.exec([process.execPath, '-e', ask])).stdout.trim(), 'hello', url)
    }
    const table = await left.forwardingTable()
    t.equal(table.get(bob.links.get('eth0')?.mac ?? ''), port, 'behind the other bridge')
    t.not(table.get(alice.links.get('eth0')?.mac ?? ''), port)
    t.ok(table.has(alice.links.get('eth0')?.mac ?? ''))

    t.equal(await capture.stop(), 0, 'no frame was lost')
    const sources = sourcesOf(readFileSync(file))
    t.ok(sources.length > 4)
    t.same(new Set(sources), new Set([bob.links.get('eth0')?.mac]))
  },
)

/** Source MAC addresses of the frames of a pcap file. */
function sourcesOf(file: Buffer): readonly string[] {
  const sources: string[] = []
  for (let at = 24; at < file.length; at += 16 + file.readUInt32LE(at + 8)) {
    sources.push(
      [...file.subarray(at + 16 + 6, at + 16 + 12)].map(octet => octet.toString(16).padStart(2, '0')).join(':'),
    )
  }
  return sources
}

t.test('no ip command: the message names iproute2', async t => {
  const path = process.env.PATH
  process.env.PATH = '/nonexistent'
  try {
    await t.rejects(Lab.create(), { code: 'ERR_LAB_NO_IP_COMMAND', message: /install the package iproute2/ })
  } finally {
    process.env.PATH = path
  }
})

const SERVER = `require('http').createServer((q, r) => r.end('hello')).listen(80, '::', () => console.log('listening'))`
