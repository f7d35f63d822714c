/** Which BFD session a peer has, and what becomes of it when its options change. */
import t from 'tap'
import { diffPeerOptions, type BfdPeerOptions, type PeerOptions } from '@typemetal/bgp'
import { isConnected, isUsualSource } from '../dist/node/connected.js'
import { ScriptedBfd } from './scripted-bfd.js'
import { createNode, createRouter, established, LOCAL, RecordingLog, until } from './speakers.js'

const PEER: PeerOptions = { address: '127.0.0.9', asn: 64_513, port: 1, bfd: {} }
const refused = (bfd: object, message: RegExp, type: typeof RangeError | typeof TypeError = RangeError) => {
  const source = new ScriptedBfd()
  const node = createNode({ bfd: source })
  t.throws(() => node.addPeer({ ...PEER, bfd }), { name: type.name, message })
  t.throws(() => node.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 64_513, bfd }), { name: type.name, message })
  t.same([node.peers, source.asked], [[], []])
}

t.test('options that cannot work are refused at once, with their name in front', async t => {
  refused({ transmitInterval: 9 }, /^bfd\.transmitInterval must be 10 ms at least/)
  refused({ receiveInterval: 1.5 }, /^bfd\.receiveInterval must be/)
  refused({ detectMultiplier: 256 }, /^bfd\.detectMultiplier must be/)
  refused({ minimumTtl: 255 }, /^bfd\.minimumTtl must be/)
  refused({ echoMode: 1 }, /^bfd\.echoMode must be/, TypeError)
  refused({ authentication: { type: 'none', keyId: 1, key: 'x' } }, /^bfd\.authentication\.type must be/)
  refused({ strict: 'yes' }, /^bfd\.strict must be/, TypeError)
  refused({ multihop: 3 }, /^bfd\.multihop must be/, TypeError)
  refused({ holdTime: 0 }, /^bfd\.holdTime must be/)
  const without = createNode()
  t.throws(() => without.addPeer(PEER), {
    name: 'RangeError',
    message: 'bfd needs a speaker that was made with the option bfd',
  })
  t.same(without.peers, [])
})

t.test('what the source of sessions refuses is refused, and leaves no peer behind', async t => {
  const bfd = new ScriptedBfd()
  bfd.refusal = 'authentication must be the same for all who share a session'
  await using node = createNode({ bfd })
  t.throws(() => node.addPeer(PEER), { name: 'RangeError', message: bfd.refusal })
  t.same(node.peers, [])
  bfd.refusal = ''
  t.equal(node.addPeer(PEER).bfdState, 'Down')
})

/** What is asked for with these options of a peer, whether it can be reached or not. */
function requestOf(options: Partial<PeerOptions>): object {
  const bfd = new ScriptedBfd()
  const node = createNode({ bfd })
  node.addPeer({ ...PEER, passive: true, ...options })
  const { address, localAddress, interface: on, device, multihop } = bfd.only.request
  void node.close()
  return JSON.parse(JSON.stringify({ address, localAddress, interface: on, device, multihop })) as object
}

t.test('RFC 5881 section 2, RFC 5883 section 3: one hop or many', async t => {
  const hops = (options: Partial<PeerOptions>): unknown => (requestOf(options) as { multihop: boolean }).multihop
  t.equal(hops({ address: '198.18.99.9' }), false, 'an external peer is a neighbour')
  t.equal(hops({ address: '198.18.99.9', multihop: true }), true)
  t.equal(hops({ address: '198.18.99.9', multihop: 2 }), true)
  t.equal(hops({ address: '198.18.99.9', multihop: 1 }), false)
  t.equal(hops({ address: '198.18.99.9', multihop: false }), false)
  t.equal(hops({ address: '198.18.99.9', ttlSecurity: 1 }), false)
  t.equal(hops({ address: '198.18.99.9', ttlSecurity: 3 }), true)
  for (const asn of ['internal', 64_512] as const) {
    t.equal(hops({ asn, address: '198.18.99.9' }), true, 'an internal one may be anywhere')
    t.equal(hops({ asn, address: '127.0.0.9' }), false, 'but not on a subnet of ours')
  }
  t.equal(hops({ asn: 'internal', address: '198.18.99.9', bfd: { multihop: false } }), false)
  t.equal(hops({ bfd: { multihop: true } }), true)
  t.equal(hops({ address: 'fe80::9%lo', multihop: true }), false, 'nobody forwards to a link-local address')
})

t.test('RFC 5881 section 3: addresses, interface and device', async t => {
  t.same(requestOf({}), { address: '127.0.0.9', multihop: false })
  t.same(requestOf({ sourceAddress: '127.0.0.1' }), {
    address: '127.0.0.9',
    localAddress: '127.0.0.1',
    multihop: false,
  })
  t.same(requestOf({ device: 'lo' }), { address: '127.0.0.9', device: 'lo', multihop: false })
  t.same(requestOf({ address: 'fe80::9%lo' }), { address: 'fe80::9', interface: 'lo', multihop: false })
})

t.test('RFC 5881 section 3: the subnets of our interfaces', async t => {
  const interfaces = {
    lo: [{ address: '127.0.0.1', cidr: '127.0.0.1/8' }],
    eth0: [
      { address: '10.0.0.1', cidr: '10.0.0.1/24' },
      { address: '10.0.0.2', cidr: '10.0.0.2/24' },
      { address: '2001:db8::1', cidr: '2001:db8::1/64' },
      { address: '198.51.100.1', cidr: null },
      { address: '198.51.100.2' },
    ],
    gone: undefined,
  }
  for (const address of ['10.0.0.254', '10.0.0.1', '2001:db8::ff', '127.3.2.1'])
    t.ok(isConnected(address, interfaces), address)
  for (const address of ['10.0.1.1', '198.51.100.1', '2001:db8:0:1::1', '::a00:1'])
    t.notOk(isConnected(address, interfaces), address)
  t.ok(isUsualSource('10.0.0.1', '10.0.0.254', interfaces))
  t.notOk(isUsualSource('10.0.0.2', '10.0.0.254', interfaces), 'a second address')
  t.notOk(isUsualSource('10.0.0.1', '192.0.2.1', interfaces), 'behind a router')
})

t.test('RFC 5883 section 4: where the peer connects to is where BFD comes from, unless it is Up', async t => {
  const bfd = new ScriptedBfd()
  await using router = await createRouter({ bfd, listen: { address: '0.0.0.0', port: 0 } })
  const ours = router.speaker.addPeer({ address: LOCAL, asn: 64_512, passive: true, bfd: {} })
  const connect = async (address: string): Promise<void> => {
    await using node = createNode()
    const theirs = node.addPeer({ address, sourceAddress: LOCAL, port: router.port, asn: 64_513 })
    await established(ours, theirs)
    await node.close()
    await until(() => ours.state !== 'Established', 'gone')
  }
  await connect(LOCAL)
  t.match(bfd.asked, [{ request: { localAddress: undefined }, closed: false }], 'the kernel sends from there by itself')
  await connect('127.0.0.5')
  t.match(bfd.asked, [{ closed: true }, { request: { localAddress: '127.0.0.5' }, closed: false }])
  bfd.only.go('Up')
  await connect('127.0.0.6')
  t.equal(bfd.asked.length, 2, 'what works is left alone')
  bfd.only.fail()
  t.match(bfd.only.request, { localAddress: '127.0.0.6' }, 'for as long as it does')
})

const why = (from: BfdPeerOptions | undefined, to: BfdPeerOptions | undefined): string[] =>
  diffPeerOptions({ ...PEER, bfd: from! }, { ...PEER, bfd: to! }).map(
    ({ field, effect, why }) => `${field} ${effect}: ${why}`,
  )

t.test('RFC 5880 section 6.8.3: what a change of options does, and why', async t => {
  t.same(why({}, {}), [])
  t.same(why({}, { strict: false, detectMultiplier: 3, holdTime: 30 }), [], 'a default is as good as left out')
  t.match(why(undefined, {}), [/^bfd live: the path is watched from now on/])
  t.match(why({}, undefined), [/^bfd live: what we switch off ourselves says nothing/])
  t.match(why({}, { transmitInterval: 50 }), [/^bfd live: .*Poll Sequence/])
  t.match(
    why(
      { authentication: { type: 'keyed-sha1', keyId: 1, key: 'a' } },
      { authentication: { type: 'keyed-sha1', keyId: 1, key: 'b' } },
    ),
    [/^bfd live/],
  )
  t.match(why({}, { holdTime: 5 }), [/^bfd live: it counts when/])
  t.match(why({}, { multihop: true }), [/^bfd live: another BFD session/])
  for (const [from, to] of [
    [undefined, { strict: true }],
    [{}, { strict: true }],
    [{ strict: true }, undefined],
  ] as const) {
    t.match(why(from, to), [/^bfd reset: strict mode is agreed on in the OPEN messages/])
  }
})

t.test('RFC 5880 section 6.8.3: options that change while the session stands', async t => {
  const bfd = new ScriptedBfd()
  const log = new RecordingLog()
  await using router = await createRouter()
  const theirs = router.speaker.addPeer({ address: LOCAL, asn: 64_512, passive: true })
  await using node = createNode({ bfd, log })
  const base: PeerOptions = { address: LOCAL, port: router.port, asn: 64_513, idleHoldTime: 0 }
  const peer = node.addPeer(base)
  await established(peer, theirs)
  const change = (more: BfdPeerOptions | undefined): string[] =>
    peer.change({ ...base, ...(more && { bfd: more }) }).map(({ field, effect }) => `${field} ${effect}`)
  t.equal(peer.bfdState, undefined)

  t.same(change({}), ['bfd live'])
  bfd.only.go('Up')
  t.equal(peer.bfdState, 'Up')
  t.same(change({ transmitInterval: 50, detectMultiplier: 5 }), ['bfd live'])
  t.match(bfd.only.changes, [{ transmitInterval: 50, receiveInterval: 300, detectMultiplier: 5 }])
  t.equal('address' in bfd.only.changes[0]!, false)

  peer.change({ ...base, bfd: { transmitInterval: 50, detectMultiplier: 5 }, name: 'other' })
  t.equal(bfd.only.changes.length, 1, 'what is not its own does not concern it')

  bfd.refusal = 'authentication must be the same for all who share a session'
  t.throws(() => change({ authentication: { type: 'keyed-sha1', keyId: 1, key: 'k' } }), { message: bfd.refusal })
  t.throws(() => change({ multihop: true }), { message: bfd.refusal })
  bfd.refusal = ''
  t.same(change({ transmitInterval: 50, detectMultiplier: 5 }), ['name live'], 'nothing was changed')
  t.equal(peer.bfdState, 'Up')

  t.same(change({ multihop: true }), ['bfd live'])
  t.match(bfd.asked, [{ closed: true }, { closed: false, request: { multihop: true } }])
  bfd.only.go('Up')
  t.same(change(undefined), ['bfd live'])
  t.same(bfd.held, [])
  t.equal(peer.state, 'Established', 'through all of it')
  t.same(log.at('warn', 'error'), [])

  t.same(change({ strict: true }), ['bfd reset'])
  t.not(peer.state, 'Established')
  bfd.only.go('Up')
  await established(peer, theirs)
  t.match(peer.negotiated, { bfdStrictMode: false }, 'the peer does not say it')
})

t.test('RFC 5882 section 2: each peer with an address asks for it, and gives back what it asked for', async t => {
  const bfd = new ScriptedBfd()
  await using node = createNode({ bfd })
  const [first, second] = [1, 2].map(port => node.addPeer({ ...PEER, port, name: `p${port}` }))
  t.match(bfd.held, [{ request: { address: '127.0.0.9' } }, { request: { address: '127.0.0.9' } }])
  await first!.close()
  t.match(bfd.asked, [{ closed: true }, { closed: false }])
  await second!.close()
  t.same(bfd.held, [])
})
