import { spawnSync } from 'node:child_process'
import t from 'tap'
import {
  InterfaceFlag,
  listAddresses,
  listLinks,
  listNeighbors,
  listRoutes,
  readRtnetlink,
  RtnetlinkMonitor,
  watchRtnetlink,
  type RtnetlinkChange,
  type RtnetlinkEvent,
  type RtnetlinkKind,
} from '@typemetal/sockets'
import { NetlinkSocket } from '../dist/node/netlink.js'
import { decodeInterfaceAddress, encodeAddressRequest, encodeNetlink, NetlinkType } from '@typemetal/sockets/wire'
import { enterNamespace, indexOf, ip, lateTurn, makePair, until } from './namespace.js'

/** Nothing is looked at again by itself here: what comes at all was told by the kernel. Milliseconds. */
const PATIENCE = 60_000

/** Runs many lines of `ip` at once. */
function batch(lines: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', ['-batch', '-'], { input: lines.join('\n'), encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}

/** Reads a watch until an event is the one, or to its end. */
async function find(
  watch: AsyncIterator<RtnetlinkEvent, undefined>,
  isIt: (event: RtnetlinkEvent) => boolean,
): Promise<RtnetlinkEvent | undefined> {
  for (;;) {
    const { done, value } = await watch.next()
    if (done || isIt(value)) return value
  }
}

const prefix = (index: number): string => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}/32`

async function testLists(): Promise<void> {
  const br0 = indexOf(listLinks(), 'br0')

  await t.test('rtnetlink(7): addresses, all and some', async t => {
    const of = (filter?: Parameters<typeof listAddresses>[0]): string[] =>
      listAddresses(filter).map(({ address, prefixLength }) => `${address}/${prefixLength}`)
    t.same(of({ interfaceIndex: br0, family: 4 }), ['192.168.0.1/24'])
    t.same(of({ interfaceIndex: br0 }), ['192.168.0.1/24', 'fd00::1/64'])
    t.ok(of().includes('127.0.0.1/8'))
    t.notOk(of({ family: 6 }).includes('127.0.0.1/8'))
    t.throws(() => of({ interfaceIndex: 99_999 }), { code: 'ENODEV' })
  })

  await t.test('rtnetlink(7): neighbours, all and some', async t => {
    ip('neighbor add 192.168.0.2 lladdr 02:00:00:00:00:02 nud permanent dev br0')
    ip('neighbor add fd00::2 lladdr 02:00:00:00:00:02 nud stale dev br0')
    ip('neighbor add 192.168.0.3 lladdr 02:00:00:00:00:03 nud permanent dev va')
    const of = (filter?: Parameters<typeof listNeighbors>[0]): string[] =>
      listNeighbors(filter)
        .filter(({ address }) => /^192\.168|^fd00/.test(address))
        .map(({ address, mac, state }) => `${address} ${mac} ${state}`)
        .toSorted()
    const [first, second] = ['192.168.0.2 02:00:00:00:00:02 permanent', 'fd00::2 02:00:00:00:00:02 stale']
    t.same(of({ interfaceIndex: br0 }), [first, second])
    t.same(of({ interfaceIndex: br0, family: 6 }), [second])
    t.equal(of().length, 3)
  })

  await t.test('rtnetlink(7): routes by table, family and interface', async t => {
    ip('route add 203.0.113.0/24 via 192.168.0.2 table 1000 proto 77 metric 5')
    ip('-6 route add 2001:db8::/32 via fd00::2 table 1000')
    const [only, ...rest] = listRoutes({ table: 1000, family: 4 })
    t.match(only, { destination: '203.0.113.0', prefixLength: 24, table: 1000, protocol: '77', metric: 5 })
    t.match(only?.nextHops, [{ gateway: '192.168.0.2', interfaceIndex: br0, weight: 1 }])
    t.same(rest, [])
    t.same(
      listRoutes({ table: 1000 }).map(({ destination }) => destination),
      ['203.0.113.0', '2001:db8::'],
    )
    const lo = indexOf(listLinks(), 'lo')
    t.ok(listRoutes({ interfaceIndex: lo }).every(({ nextHops: [hop] }) => hop?.interfaceIndex === lo))
    t.throws(() => listRoutes({ table: 4711, family: 4 }), { code: 'ENOENT' })
  })

  await t.test('a filter that is none is the caller’s mistake', async t => {
    t.throws(() => listAddresses({ interfaceIndex: 0 }), { name: 'RangeError', message: /^interfaceIndex must be / })
    t.throws(() => listRoutes({ table: 1.5 }), { name: 'RangeError', message: /^table must be / })
    t.throws(() => listNeighbors({ family: 5 as 4 }), { name: 'RangeError', message: /^family must be / })
    t.throws(() => [...readRtnetlink('route', { table: -1 })], RangeError)
    t.throws(() => new RtnetlinkMonitor({ kinds: [], onChanges() {}, onLost() {} }), { message: /^kinds must / })
    t.throws(() => watchRtnetlink({ kinds: ['rule' as 'route'] }), {
      name: 'RangeError',
      message: /^kinds\[0\] must be .*rule/,
    })
    t.throws(() => watchRtnetlink({ kinds: ['link'], queueLimit: 0 }), {
      name: 'RangeError',
      message: /^queueLimit must be /,
    })
    t.throws(() => watchRtnetlink({ kinds: ['link'], signal: AbortSignal.abort(new Error('no')) }), { message: 'no' })
  })
}

async function testTables(): Promise<void> {
  const ROUTES = 100_000

  await t.test(`a table of ${ROUTES} routes comes in batches of at most 32 KB, whole and in order`, async t => {
    batch(Array.from({ length: ROUTES }, (_, index) => `route add ${prefix(index)} via 192.168.0.2 table 2000`))
    const sizes: number[] = []
    let next = 0
    for (const routes of readRtnetlink('route', { table: 2000, family: 4 })) {
      sizes.push(routes.length)
      for (const { destination, prefixLength } of routes) if (`${destination}/${prefixLength}` === prefix(next)) next++
    }
    t.equal(next, ROUTES)
    t.ok(Math.max(...sizes) < 1000, `${Math.max(...sizes)} of them at most`)
    t.equal(listRoutes({ table: 2000 }).length, ROUTES)
  })

  await t.test('memory does not grow with the table', async t => {
    const heap = (): number => {
      globalThis.gc?.()
      return process.memoryUsage().arrayBuffers
    }
    const before = heap()
    let most = 0
    for (const _ of readRtnetlink('route', { table: 2000 })) most = Math.max(most, heap() - before)
    t.ok(most < 1_000_000, `${most} octets of buffers`)
  })

  await t.test('a dump that is left before its end leaves nothing for the next', async t => {
    for (const _ of readRtnetlink('route', { table: 2000 })) break
    using socket = new NetlinkSocket()
    const request = encodeAddressRequest()
    const left = socket.batches(NetlinkType.getAddress, request, decodeInterfaceAddress)
    t.ok((left.next().value as unknown[]).length > 0)
    left.return(undefined)
    // The kernel has one dump for a socket at a time; this one's own is what it answers.
    t.throws(() => socket.dump(NetlinkType.getRoute, request, () => 1), { name: 'SocketError' })
    t.ok(listAddresses().length > 0)
  })
}

async function testInterruptedDumps(): Promise<void> {
  const ADDRESSES = 2000
  const address = (index: number): string => `10.9.${index >> 8}.${index & 255}`

  await t.test('NLM_F_DUMP_INTR: batches of what changed meanwhile end with EINTR', async t => {
    batch(Array.from({ length: ADDRESSES }, (_, index) => `address add ${address(index)}/32 dev br0`))
    let batches = 0
    const read = (): void => {
      for (const _ of readRtnetlink('address', { family: 4 }))
        if (batches++ === 0) ip('address add 10.8.0.1/32 dev br0')
    }
    t.throws(read, { name: 'SocketError', code: 'EINTR', message: /changes faster than it can be listed/ })
    t.ok(batches > 1, 'after the last one')
    let calm = 0
    for (const addresses of readRtnetlink('address', { family: 4 })) calm += addresses.length
    t.ok(calm > ADDRESSES)
  })

  await t.test('NLM_F_DUMP_INTR: a dump is made again, and gives up when it changes every time', async t => {
    using socket = new NetlinkSocket()
    /** A dump that something is added to, as often as it is made, up to so many times. */
    const changing = (network: string, times: number): readonly { address: string }[] => {
      let attempts = 0
      return socket.dump(NetlinkType.getAddress, encodeAddressRequest({ family: 4 }), payload => {
        const value = decodeInterfaceAddress(payload)
        // The first one of each dump is the loopback address.
        if (value?.address === '127.0.0.1' && attempts++ < times) ip(`address add ${network}.${attempts}/32 dev br0`)
        return value
      })
    }
    const addresses = changing('10.8.1', 3).map(({ address }) => address)
    t.equal(new Set(addresses).size, addresses.length, 'none twice')
    t.ok(addresses.includes('10.8.1.3'), 'and as it is at the end')
    t.throws(() => changing('10.8.2', 1000), { code: 'EINTR' })
  })
}

async function testChanges(): Promise<void> {
  const kinds: readonly RtnetlinkKind[] = ['link', 'address', 'neighbor', 'route']
  const name = (event: RtnetlinkEvent): string => (event.kind === 'link' ? event.value.name : '')

  for (const { what, line, isIt } of [
    {
      what: 'another MAC',
      line: 'link set dev vb address 02:00:00:00:00:0c',
      isIt: event => event.kind === 'link' && event.value.mac === '02:00:00:00:00:0c',
    },
    {
      what: 'down',
      line: 'link set dev vb down',
      isIt: event => event.kind === 'link' && name(event) === 'vb' && (event.value.flags & InterfaceFlag.up) === 0,
    },
    {
      what: 'up, and the operational state follows',
      line: 'link set dev vb up',
      isIt: event =>
        event.kind === 'link' && name(event) === 'va' && event.value.operstate === 'up' && event.value.carrier,
    },
    {
      what: 'the carrier of the other end is lost',
      line: 'link set dev vb down',
      isIt: event =>
        event.kind === 'link' &&
        name(event) === 'va' &&
        event.value.operstate === 'lowerlayerdown' &&
        !event.value.carrier,
    },
    {
      what: 'and comes again',
      line: 'link set dev vb up',
      isIt: event => event.kind === 'link' && name(event) === 'va' && event.value.carrier,
    },
    {
      what: 'a master',
      line: 'link set dev va master br0',
      isIt: event => event.kind === 'link' && name(event) === 'va' && event.value.masterKind === 'bridge',
    },
    {
      what: 'no master',
      line: 'link set dev va nomaster',
      isIt: event =>
        event.kind === 'link' && name(event) === 'va' && event.value.master === undefined && event.change === 'new',
    },
    {
      what: 'an address',
      line: 'address add 10.0.0.7/24 dev vb',
      isIt: event => event.kind === 'address' && event.value.address === '10.0.0.7' && event.change === 'new',
    },
    {
      what: 'an address gone',
      line: 'address delete 10.0.0.7/24 dev vb',
      isIt: event => event.kind === 'address' && event.value.address === '10.0.0.7' && event.change === 'deleted',
    },
    {
      what: 'a neighbour',
      line: 'neighbor add 10.7.0.1 lladdr 02:00:00:00:00:77 dev vb nud permanent',
      isIt: event => event.kind === 'neighbor' && event.value.mac === '02:00:00:00:00:77' && event.change === 'new',
    },
    {
      what: 'a neighbour gone',
      line: 'neighbor delete 10.7.0.1 dev vb',
      isIt: event => event.kind === 'neighbor' && event.value.address === '10.7.0.1' && event.change === 'deleted',
    },
    {
      what: 'a route',
      line: '-6 route add 2001:db8:7::/48 dev vb',
      isIt: event => event.kind === 'route' && event.value.destination === '2001:db8:7::' && event.change === 'new',
    },
    {
      what: 'a route gone',
      line: '-6 route delete 2001:db8:7::/48 dev vb',
      isIt: event => event.kind === 'route' && event.value.destination === '2001:db8:7::' && event.change === 'deleted',
    },
    {
      what: 'a new interface',
      line: 'link add name br7 type bridge',
      isIt: event => name(event) === 'br7' && event.kind === 'link' && event.value.kind === 'bridge',
    },
    {
      what: 'another name',
      line: 'link set dev br7 name br8',
      isIt: event => name(event) === 'br8',
    },
    {
      what: 'an interface gone',
      line: 'link delete br8',
      isIt: event => event.kind === 'link' && name(event) === 'br8' && event.change === 'deleted',
    },
  ] satisfies { what: string; line: string; isIt: (event: RtnetlinkEvent) => boolean }[]) {
    await t.test(`watchRtnetlink: ${what}`, async t => {
      await using watch = watchRtnetlink({ kinds, signal: AbortSignal.timeout(PATIENCE) })
      ip(line)
      t.ok(await find(watch, isIt))
    })
  }

  await t.test('RtnetlinkMonitor: only what was asked for; nothing after close', async t => {
    const heard: RtnetlinkChange[] = []
    const monitor = new RtnetlinkMonitor({
      kinds: ['route'],
      onChanges: changes => void heard.push(...changes),
      onLost: () => t.fail('nothing was lost'),
    })
    ip('address add 10.0.0.9/24 dev vb')
    await until(() => heard.length >= 3)
    t.ok(heard.every(({ kind }) => kind === 'route'))
    monitor.close()
    monitor.close()
    const before = heard.length
    await using witness = watchRtnetlink({ kinds: ['route'], signal: AbortSignal.timeout(PATIENCE) })
    ip('address delete 10.0.0.9/24 dev vb')
    t.ok(await find(witness, ({ kind }) => kind === 'route'), 'somebody else has heard')
    t.equal(heard.length, before)
  })
}

async function testWatch(): Promise<void> {
  await t.test('for await: every change in order, until the signal', async t => {
    const end = new AbortController()
    const watch = watchRtnetlink({ kinds: ['address'], signal: end.signal })
    batch(Array.from({ length: 50 }, (_, index) => `address add 10.5.0.${index}/32 dev vb`))
    const heard: string[] = []
    const read = async (): Promise<void> => {
      for await (const event of watch) {
        if (event.kind === 'address') heard.push(event.value.address)
        if (heard.length === 50) end.abort(new Error('enough'))
      }
    }
    await t.rejects(read(), { message: 'enough' })
    t.same(
      heard,
      Array.from({ length: 50 }, (_, index) => `10.5.0.${index}`),
    )
    t.same(await watch.next(), { done: true, value: undefined }, 'the reason is told once')
  })

  await t.test('several readers: each event goes to one; the end to all', async t => {
    const watch = watchRtnetlink({ kinds: ['address'] })
    const reads = [watch.next(), watch.next(), watch.next()]
    ip('address add 10.5.1.1/32 dev vb')
    ip('address add 10.5.1.2/32 dev vb')
    const [first, second] = await Promise.all(reads.slice(0, 2))
    t.match(
      [first, second],
      [{ value: { value: { address: '10.5.1.1' } } }, { value: { value: { address: '10.5.1.2' } } }],
    )
    await watch.return()
    t.same(await reads[2], { done: true, value: undefined })
    t.same(await watch.next(), { done: true, value: undefined })
    await watch[Symbol.asyncDispose]()
  })

  await t.test('an abort rejects one reader and ends the others', async t => {
    const end = new AbortController()
    const watch = watchRtnetlink({ kinds: ['address'], signal: end.signal })
    const reads = [watch.next(), watch.next()]
    end.abort(new Error('enough'))
    await t.rejects(reads[0]!, { message: 'enough' })
    t.same(await reads[1], { done: true, value: undefined })
  })

  await t.test('a reader that is late: what waits gives way to one resync, and no more memory is taken', async t => {
    let witnessed = 0
    const options = { receiveBuffer: 4_000_000, onChanges: ({ length }: { length: number }) => (witnessed += length) }
    using witness = new RtnetlinkMonitor({ kinds: ['address'], ...options, onLost: () => t.fail('nothing was lost') })
    await using watch = watchRtnetlink({ kinds: ['address'], queueLimit: 10, receiveBuffer: 4_000_000 })
    batch(Array.from({ length: 100 }, (_, index) => `address add 10.4.0.${index}/32 dev vb`))
    await until(() => witnessed === 100)
    await lateTurn(1) // the watch has read them as well by now
    const first = await watch.next()
    t.same(first.value, { kind: 'resync' })
    ip('address add 10.4.1.1/32 dev vb')
    const heard: string[] = []
    await find(watch, event => {
      if (event.kind === 'address') heard.push(event.value.address)
      return heard.at(-1) === '10.4.1.1'
    })
    t.ok(heard.length <= 10, 'no more than may wait')
    const last = [...Array.from({ length: 100 }, (_, index) => `10.4.0.${index}`), '10.4.1.1'].slice(-heard.length)
    t.same(heard, last, 'and those are the last ones')
    witness.close()
  })

  await t.test('ENOBUFS: changes the kernel dropped are a resync, and none that is older comes after it', async t => {
    await using watch = watchRtnetlink({ kinds: ['address'], receiveBuffer: 4096, queueLimit: 100_000 })
    const lines = Array.from({ length: 2000 }, (_, index) => `address add 10.3.${index >> 8}.${index & 255}/32 dev vb`)
    batch([...lines, ...lines.map(line => line.replace(' add ', ' delete '))])
    const first = await watch.next()
    t.same(first.value, { kind: 'resync' })
    ip('address add 10.2.0.1/32 dev vb')
    const { value } = await watch.next()
    t.match(
      value,
      { kind: 'address', value: { address: '10.2.0.1' } },
      'what was queued before the loss is thrown away',
    )
  })

  await t.test('an exception in a reader’s loop ends the watch', async t => {
    const watch = watchRtnetlink({ kinds: ['address'] })
    ip('address add 10.2.0.2/32 dev vb')
    const read = async (): Promise<void> => {
      for await (const _ of watch) throw new Error('oops')
    }
    await t.rejects(read(), { message: 'oops' })
    t.same(await watch.next(), { done: true, value: undefined })
  })
}

async function testHostileSenders(): Promise<void> {
  await t.test('netlink(7): messages of other processes are not the kernel’s', async t => {
    const lost: string[] = []
    const heard: RtnetlinkChange[] = []
    using monitor = new RtnetlinkMonitor({
      kinds: ['address'],
      onChanges: changes => void heard.push(...changes),
      onLost: () => lost.push('lost'),
    })
    // Root may send to the groups.
    const payload = Uint8Array.of(2, 32, 0, 0, 1, 0, 0, 0, 8, 0, 2, 0, 6, 6, 6, 6)
    const forged = encodeNetlink({ type: NetlinkType.newAddress, flags: 0, sequence: 0, payload })
    const script = `
      import { native } from '${new URL('../dist/node/native.js', import.meta.url).href}'
      const descriptor = native().open(16, 3, 0)
      const name = Uint8Array.of(16, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0)
      console.log(native().send(descriptor, [Uint8Array.of(${forged.join()})], name))`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    t.match(stdout, /^(1|-111)\n$/, 'it went out (or the kernel is strict: nobody is on that group for processes)')
    ip('address add 10.2.0.3/32 dev vb')
    await until(() => heard.length > 0)
    t.same(
      heard.map(({ value }) => ('address' in value ? value.address : '')),
      ['10.2.0.3'],
    )
    t.same(lost, [])
    monitor.close()
  })
}

async function testAll(): Promise<void> {
  makePair('va', 'vb')
  ip('link add name br0 type bridge')
  for (const line of ['addrgenmode none', 'up']) ip(`link set dev br0 ${line}`)
  ip('address add 192.168.0.1/24 dev br0')
  ip('address add fd00::1/64 dev br0 nodad')
  await testLists()
  await testTables()
  await testInterruptedDumps()
  ip('address flush dev br0')
  await testChanges()
  await testWatch()
  await testHostileSenders()
}

if (await enterNamespace(import.meta.url)) await testAll()
