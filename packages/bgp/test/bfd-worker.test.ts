import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import type { BfdSource } from '@typemetal/bgp'
import { Bfd, Diagnostic, type BfdSessionOptions } from '@typemetal/bgp/bfd'
import { createHost, isInside, missingPrivilege, run, until, type Host } from './interop/namespace.js'
import { exchanged, follow, pause, Peer, reaches } from './bfd-node-peer.js'

/** Milliseconds; a Detection Time of 3 s, which no pause of a busy machine comes near. */
const FAST = { transmitInterval: 50, receiveInterval: 50, detectMultiplier: 60 }
/** A file of tests may take this long on a busy machine, in milliseconds. */
const FILE_TIMEOUT = 900_000

let wires = 0

interface Wire {
  readonly host: Host
  readonly ours: string
  readonly theirs: string
  readonly ours6: string
  readonly theirs6: string
}

/** A wire with addresses of both families. */
async function createWire(): Promise<Wire> {
  const index = ++wires
  const ours = `10.7.${index}.1`
  const theirs = `10.7.${index}.2`
  const ours6 = `fd07:${index}::1`
  const theirs6 = `fd07:${index}::2`
  const host = await createHost(
    [`${ours}/24`, `${ours6}/64`, `fe80::${index}:1/64`],
    [`${theirs}/24`, `${theirs6}/64`, `fe80::${index}:2/64`],
  )
  return { host, ours, theirs, ours6, theirs6 }
}

const openDescriptors = (): number => readdirSync('/proc/self/fd').length

const ROUND_ROBIN = '2'
const CAP_SYS_NICE = 1n << 23n

/** Threads of this process that have the real-time policy. */
function realTimeThreads(): number {
  const policies = readdirSync('/proc/self/task').map(thread => {
    return readFileSync(`/proc/self/task/${thread}/stat`, 'latin1').split(') ')[1]?.split(' ')[38]
  })
  return policies.filter(policy => policy === ROUND_ROBIN).length
}

function define(): void {
  const [, capabilities = '0'] = /^CapEff:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? []
  const canRaise = (BigInt(`0x${capabilities}`) & CAP_SYS_NICE) !== 0n
  t.test(
    'the worker, and nothing else, runs in real time',
    { skip: canRaise ? false : 'needs CAP_SYS_NICE' },
    async t => {
      {
        await using _ = await Bfd.start({ raisePriority: false })
        t.equal(realTimeThreads(), 0)
      }
      await using bfd = await Bfd.start()
      t.equal(realTimeThreads(), 1)
      const source: BfdSource = bfd
      t.equal(source, bfd, 'a speaker can have it')
    },
  )

  t.test('RFC 5881: IPv4, IPv6 and link-local sessions come Up and stay so through changes', async t => {
    const wire = await createWire()
    await using host = wire.host
    const index = wires
    await using peer = await Peer.start(host, [
      { address: wire.ours, ...FAST },
      { address: wire.ours6, ...FAST },
      { address: `fe80::${index}:1%eth0`, localAddress: `fe80::${index}:2`, ...FAST },
    ])
    await using bfd = await Bfd.start()
    // The interface has another link-local address by itself, which the kernel may prefer.
    const link = { interface: host.link, localAddress: `fe80::${index}:1` }
    const all: readonly BfdSessionOptions[] = [
      { address: wire.theirs, ...FAST },
      { address: wire.theirs6, ...FAST },
      { address: `fe80::${index}:2`, ...link, ...FAST },
    ]
    const sessions = all.map(options => bfd.session(options))
    await Promise.all(sessions.map(session => reaches(session, 'Up')))
    const histories = sessions.map(session => follow(session))
    for (const session of sessions) session.change({ transmitInterval: 100, receiveInterval: 80 })
    await until('the change to be agreed', () =>
      sessions.every(session => {
        const { transmitInterval, receiveInterval, polling, changePending } = session.snapshot()
        return transmitInterval === 100_000 && receiveInterval === 80_000 && !polling && !changePending
      }),
    )
    for (const session of sessions) {
      const { discards, packetsReceived, packetsSent, sendErrors, state, remoteState } = session.snapshot()
      t.same(
        { discards, sendErrors, state, remoteState },
        { discards: {}, sendErrors: 0, state: 'Up', remoteState: 'Up' },
      )
      t.ok(packetsReceived > 3 && packetsSent > 3)
    }
    t.same(histories, [[], [], []], 'no flap')
    for (const { address, discards } of await peer.sessions()) t.same(discards, {}, address)
    t.same(bfd.counters(), { discards: {}, kernelDrops: 0, floods: 0, filteredSockets: 0 })
  })

  t.test('those who ask for the same session share it; the last one ends it with AdminDown', async t => {
    const { host, ours, theirs } = await createWire()
    await using _ = host
    await using peer = await Peer.start(host, [{ address: ours, ...FAST }])
    await using bfd = await Bfd.start()
    const first = bfd.session({ address: theirs, ...FAST, detectMultiplier: 80 })
    await reaches(first, 'Up')
    const second = bfd.session({ address: theirs, transmitInterval: 30, receiveInterval: 200, detectMultiplier: 60 })
    t.equal(second.state, 'Up', 'at once')
    t.equal(bfd.sessions().length, 1)
    await until('the smallest to win', () => {
      const { desiredMinTxInterval, requiredMinRxInterval, detectMult, polling } = second.snapshot()
      return desiredMinTxInterval === 30_000 && requiredMinRxInterval === 50_000 && detectMult === 60 && !polling
    })
    t.throws(
      () => bfd.session({ address: theirs, authentication: { type: 'keyed-sha1', keyId: 1, key: 'x' } }),
      /^authentication must be the same/,
    )
    first.disable()
    await exchanged(second)
    t.equal(second.state, 'Up', 'one of two wants it down')
    first.enable()
    first.close()
    first.close()
    await exchanged(second)
    t.equal(second.state, 'Up')
    t.same(await peer.told(ours, 1), ['Up 0 Up'], 'never down')
    second.close()
    await until('the peer to be told', () => peer.history(ours).some(line => line === 'Down 3 AdminDown'))
    t.equal(bfd.sessions().length, 0)
  })

  t.test('RFC 5883: a multihop session over a router', async t => {
    const { host, ours, theirs } = await createWire()
    await using router = host
    const keeper = router.spawn('unshare', ['-n', 'sleep', 'infinity'])
    const far = String(keeper.pid)
    const inFar = (...words: string[]): string => run('nsenter', '-t', far, '-n', ...words)
    const own = run('readlink', '/proc/self/ns/net')
    const near = router.exec('readlink', '/proc/self/ns/net')
    await until('a namespace behind the router', () => {
      return ![own, near].includes(run('readlink', `/proc/${far}/ns/net`))
    })
    router.exec('ip', 'link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', far)
    router.exec('ip', 'address', 'add', '10.8.0.1/24', 'dev', 'eth1')
    router.exec('ip', 'link', 'set', 'eth1', 'up')
    router.exec('sysctl', '-qw', 'net.ipv4.ip_forward=1')
    inFar('ip', 'address', 'add', '10.8.0.2/24', 'dev', 'eth0')
    inFar('ip', 'link', 'set', 'eth0', 'up')
    inFar('ip', 'route', 'add', 'default', 'via', '10.8.0.1')
    run('ip', 'route', 'add', '10.8.0.0/24', 'via', theirs)
    const multihop = { multihop: true, ...FAST }
    await using peer = await Peer.start(router, [{ address: ours, ...multihop }], ['nsenter', '-t', far, '-n'])
    await using bfd = await Bfd.start()
    const session = bfd.session({ address: '10.8.0.2', localAddress: ours, ...multihop })
    await reaches(session, 'Up')
    const strict = bfd.session({ address: '10.8.0.2', localAddress: ours, ...multihop, minimumTtl: 253 })
    const single = bfd.session({ address: '10.8.0.2', ...FAST })
    await exchanged(strict)
    await until('the other one to ask', () => single.snapshot().packetsSent > 1)
    t.equal(strict.state, 'Up', 'the smallest TTL wins')
    t.same(await peer.told(ours, 1), ['Up 0 Up'])
    t.equal(single.state, 'Down')
    t.same(session.snapshot().discards, {})
  })

  t.test('an interface that goes down, and one that goes away and comes back', async t => {
    const { host, ours, theirs } = await createWire()
    await using _ = host
    await using peer = await Peer.start(host, [{ address: ours, interface: 'eth0', ...FAST }])
    await using bfd = await Bfd.start()
    const session = bfd.session({ address: theirs, interface: host.link, ...FAST })
    await reaches(session, 'Up')
    host.exec('ip', 'link', 'set', 'eth0', 'down')
    await reaches(session, 'Down')
    t.equal(session.snapshot().diagnostic, Diagnostic.ControlDetectionTimeExpired)
    host.exec('ip', 'link', 'set', 'eth0', 'up')
    await reaches(session, 'Up')
    run('ip', 'link', 'delete', host.link)
    await reaches(session, 'Down')
    run('ip', 'link', 'add', host.link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(peer.process.pid))
    run('ip', 'address', 'add', `${ours}/24`, 'dev', host.link)
    host.exec('ip', 'address', 'add', `${theirs}/24`, 'dev', 'eth0')
    run('ip', 'link', 'set', host.link, 'up')
    host.exec('ip', 'link', 'set', 'eth0', 'up')
    await reaches(session, 'Up')
    t.pass('Up on an interface with another index')
  })

  t.test('an address of ours that comes later', async t => {
    const { host, ours, theirs } = await createWire()
    await using _ = host
    const late = ours.replace(/1$/, '7')
    await using peer = await Peer.start(host, [{ address: late, localAddress: theirs, ...FAST }])
    await using bfd = await Bfd.start()
    const session = bfd.session({ address: theirs, localAddress: late, ...FAST })
    // The worker takes orders one after the other: this one has come to it before.
    using other = bfd.session({ address: theirs, ...FAST })
    await until('the other one to ask', () => other.snapshot().packetsSent > 1)
    t.equal(session.state, 'Down')
    t.equal(session.snapshot().packetsSent, 0)
    t.same(peer.history(late), [])
    run('ip', 'address', 'add', `${late}/24`, 'dev', host.link)
    await reaches(session, 'Up')
  })

  t.test('sockets of a device beside those of all; another BFD daemon is refused', async t => {
    const first = await createWire()
    await using host = first.host
    const second = await createWire()
    await using other = second.host
    await using peer = await Peer.start(host, [{ address: first.ours, ...FAST }])
    await using otherPeer = await Peer.start(other, [{ address: second.ours, ...FAST }])
    await using bfd = await Bfd.start()
    const session = bfd.session({ address: first.theirs, ...FAST })
    const bound = bfd.session({ address: second.theirs, device: other.link, ...FAST })
    await reaches(session, 'Up')
    await reaches(bound, 'Up')
    await t.rejects(Bfd.start(), { code: 'ERR_BGP_BFD', message: /another process has a port of BFD/ })
    const before = openDescriptors()
    bound.close()
    await until('its sockets to be closed', () => openDescriptors() < before)
    const again = bfd.session({ address: second.theirs, device: other.link, ...FAST })
    await reaches(again, 'Up')
    t.equal(session.state, 'Up')
    t.equal(session.snapshot().downTransitions, 0)
    t.same(await peer.told(first.ours, 1), ['Up 0 Up'])
    t.same((await otherPeer.told(second.ours, 2)).slice(0, 2), ['Up 0 Up', 'Down 3 AdminDown'])
  })

  t.test(
    'RFC 5880 section 6.8.4: a process that stalls longer than the Detection Time accuses no living peer',
    async t => {
      const { host, ours, theirs } = await createWire()
      await using _ = host
      // Its silence is not to be noticed, ours would be after 2 s.
      const slow = { transmitInterval: 1000, receiveInterval: 50, detectMultiplier: 60 }
      await using peer = await Peer.start(host, [{ address: ours, ...slow }])
      await using bfd = await Bfd.start()
      const session = bfd.session({ address: theirs, transmitInterval: 50, receiveInterval: 50, detectMultiplier: 40 })
      await reaches(session, 'Up')
      await until('intervals to be agreed', async () => (await peer.sessions())[0]?.detectionTime === 2_000_000)
      const received = async (): Promise<number> => (await peer.sessions())[0]?.packetsReceived ?? 0
      for (let round = 0; round < 3; round++) {
        const before = await received()
        peer.process.kill('SIGSTOP')
        await pause(2500)
        peer.process.kill('SIGCONT')
        // More than had come without the stall: what waited at the socket has been read, and its timer has been looked at.
        await until('the worker to be past the stall', async () => (await received()) > before + 60)
        t.match(await peer.sessions(), [{ state: 'Up', downTransitions: 0 }])
      }
      t.equal(session.state, 'Up')
    },
  )

  t.test('RFC 5880 section 6.8.4: a peer that is killed is noticed by the end of the Detection Time', async t => {
    const { host, ours, theirs } = await createWire()
    await using _ = host
    await using peer = await Peer.start(host, [{ address: ours, ...FAST }])
    await using bfd = await Bfd.start()
    const session = bfd.session({ address: theirs, ...FAST })
    await reaches(session, 'Up')
    await until('3 s to be agreed', () => session.snapshot().detectionTime === 3_000_000)
    const down = new Promise<{ readonly at: number; readonly cause: string }>(resolve => {
      session.once('state', (_to, _from, { cause }) => resolve({ at: performance.now(), cause }))
    })
    const killed = performance.now()
    peer.process.kill('SIGKILL')
    // How late it may be at most is held where time is ours, in `bfd-node.test.ts`.
    const { at, cause } = await down
    t.ok(at - killed > 1500, `not too early: ${at - killed} ms`)
    t.equal(cause, 'no control packet within the detection time')
    const diagnostic = Diagnostic.ControlDetectionTimeExpired
    t.match(session.snapshot(), { state: 'Down', diagnostic, downTransitions: 1 })
  })

  t.test('starting and closing leaves nothing open', async t => {
    const before = openDescriptors()
    const bfd = await Bfd.start()
    const session = bfd.session({ address: '127.0.0.1', ...FAST, passiveMode: true })
    t.equal(session.state, 'Down')
    t.ok(openDescriptors() > before)
    const states = follow(session)
    await bfd.close()
    await bfd.close()
    t.same(states, ['AdminDown'])
    t.throws(() => bfd.session({ address: '127.0.0.1' }), { code: 'ERR_BGP_BFD' })
    session.change({})
    session.close()
    await until('descriptors to be closed', () => openDescriptors() <= before)
    const abort = new AbortController()
    const again = await Bfd.start({ signal: abort.signal })
    abort.abort()
    await until('descriptors to be closed', () => openDescriptors() <= before)
    t.throws(() => again.session({ address: '127.0.0.1' }), { code: 'ERR_BGP_BFD' })
    await t.rejects(Bfd.start({ signal: AbortSignal.abort() }), { name: 'AbortError' })
  })

  t.test('options that have no meaning are refused; hasty intervals are told in the log', async t => {
    const warnings: object[] = []
    const log = {
      debug() {},
      info() {},
      warn: (fields: object) => void warnings.push(fields),
      error() {},
      child: () => log,
    }
    await using bfd = await Bfd.start({ log })
    t.throws(
      () => bfd.session({ address: '127.0.0.1', transmitInterval: 9 }),
      /^transmitInterval must be 10 ms at least/,
    )
    t.throws(() => bfd.session({ address: 'fe80::1' }), /^interface must be given/)
    t.throws(() => bfd.session({ address: '10.0.0.1', multihop: true, interface: 'lo' }), /^interface must be left out/)
    t.throws(() => bfd.session({ address: '224.0.0.1' }), /^address must be the address of a host/)
    t.throws(() => bfd.session({ address: 'fe80::1%a', interface: 'b' }), /^interface must be one/)
    t.throws(() => bfd.session({ address: '10.0.0.1', localAddress: '::1' }), /^localAddress must be of the family/)
    t.equal(bfd.sessions().length, 0)
    using session = bfd.session({ address: '127.0.0.1', transmitInterval: 10, receiveInterval: 10 })
    t.match(warnings, [
      { option: 'receiveInterval', interval: 10 },
      { option: 'transmitInterval', interval: 10 },
    ])
    await until('packets', () => session.snapshot().packetsSent > 0)
  })
}

t.setTimeout(FILE_TIMEOUT)
const missing = missingPrivilege()
if (missing) t.test('BFD between namespaces', { skip: missing }, async () => {})
else if (isInside()) define()
