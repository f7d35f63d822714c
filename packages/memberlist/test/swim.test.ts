/** The decisions of one node, input by input. Sections are those of the protocol's description. */
import { readFileSync } from 'node:fs'
import { formatAddress, parseAddress, type SwimAction } from '@typemetal/memberlist/swim'
import * as wire from '@typemetal/memberlist/wire'
import t from 'tap'
import { type ActionOf, Bench, SEED as from, vsn } from './bench.js'
import type { VectorFile } from './vectors.js'

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex')

const accusation = (node: string, incarnation: number, by = 'n000'): wire.Suspect => ({ node, incarnation, from: by })

t.test('section 24: the octets of a captured session', async t => {
  const file = JSON.parse(
    readFileSync(new URL('../test/vectors/memberlist.json', import.meta.url), 'utf8'),
  ) as VectorFile
  const events = file.sessions?.find(({ name }) => name === 'kill3')?.events ?? []
  const bench = new Bench()
  bench.actions.push(...bench.swim.handle({ type: 'join', request: 1, to: from }, 0))
  const [dial] = bench.taken('dial')
  t.equal(hex(dial!.octets), events[0]!.hex, 'the push/pull of the joiner')
  const message = new wire.StreamReader({}).push(Buffer.from(events[1]!.hex!, 'hex'))
  bench.actions.push(...bench.swim.handle({ type: 'dialed', id: dial!.id, message }, 1))
  t.match(bench.take(), [
    { type: 'member', event: 'join', member: { name: 'n000' } },
    { type: 'note', note: 'answersTcp', fields: { node: 'n000' } },
    { type: 'joined', error: undefined },
  ])
  bench.run(1200)
  const packets = bench.taken('packet').map(({ octets }) => hex(octets))
  const captured = events.filter(event => event['from'] === '127.0.1.2:7946').map(event => event.hex)
  const ping = '0085a44e6f6465a46e303030a55365714e6f'
  t.ok(packets.some(packet => packet.startsWith(ping)) && captured.some(packet => packet?.startsWith(ping)), 'pings')
  const [gossip] = packets
  t.match(gossip, /^0c[0-9a-f]{8}0702003c003c0486a441646472a47f000101/, 'gossip: checksum, compound, alive')
})

t.test('section 14: alive, and what it changes', async t => {
  const bench = new Bench()
  bench.take()
  bench.alive('n002', 3)
  t.match(bench.taken('member'), [
    { event: 'join', member: { name: 'n002', address: '127.0.1.3', state: 'alive', incarnation: 1 } },
  ])
  bench.alive('n002', 3).alive('n002', 3, 1, { meta: Uint8Array.of(1) })
  t.same(bench.taken('member'), [], 'nothing new in the same incarnation')
  bench.alive('n002', 3, 2, { meta: Uint8Array.of(1) })
  t.match(bench.taken('member'), [{ event: 'update', member: { meta: Uint8Array.of(1) } }])
  bench.alive('n002', 9, 3)
  t.match(bench.taken('conflict'), [{ existing: { address: '127.0.1.3' }, other: { address: '127.0.1.9' } }])
  bench.alive('n002', 3, 3, { addr: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 127, 0, 1, 3) })
  t.match(bench.taken('member'), [{ event: 'update' }], 'the mapped form of an address is the same address')
})

t.test('sections 13 and 23: nodes that cannot be are refused', async t => {
  const bench = new Bench({ isAllowed: octets => octets[0] === 127 })
  const bad: Partial<wire.Alive>[] = [
    { addr: Uint8Array.of(1, 2, 3) },
    { addr: undefined },
    { node: '' },
    { node: 'x'.repeat(1025) },
    { vsn: Uint8Array.of(0, 5, 2, 0, 0, 0) },
    { vsn: Uint8Array.of(1, 0, 2) },
    { vsn: Uint8Array.of(3, 2, 2, 0, 0, 0) },
    { vsn: Uint8Array.of(1, 5) },
    { vsn: Uint8Array.of(1, 5, 2, 0, 0) },
    { meta: new Uint8Array(513) },
    { addr: Uint8Array.of(0, 0, 0, 0) },
    { addr: new Uint8Array(16) },
    { addr: Uint8Array.of(224, 0, 0, 1) },
    { addr: Uint8Array.of(255, 255, 255, 255) },
    { addr: Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1) },
    { addr: Uint8Array.of(10, 0, 0, 1) },
  ]
  for (const more of bad) bench.alive('n002', 3, 1, more)
  t.equal(bench.taken('note').filter(({ note }) => note === 'nodeRefused').length, bad.length)
  t.equal(bench.swim.size, 1)
  bench.alive('none', 4, 1, { vsn: undefined }).alive('empty', 5, 1, { vsn: new Uint8Array() })
  t.match(bench.swim.member('none'), { versions: { pMax: 0 } }, 'no version is none')
  t.match(bench.swim.member('empty'), { versions: { pMax: 0 } })
  bench.alive('meta', 6, 1, { meta: new Uint8Array(512) })
  t.equal(bench.swim.member('meta')?.meta?.length, 512)
})

t.test('section 14: accusations of us are contradicted', async t => {
  const bench = new Bench({ probeInterval: 0, watchInterval: 0 }).alive('n000', 1).run(2000)
  bench.take()
  bench.packet(wire.encodeSuspect(accusation('n001', 1))).run(50)
  const alive = bench.sent().find(message => message.type === 'alive')
  t.match(alive?.body, { node: 'n001', incarnation: 2 })
  bench.packet(wire.encodeDead(accusation('n001', 7))).run(50)
  t.match(
    bench.sent().find(message => message.type === 'alive')?.body,
    { incarnation: 8 },
    'above the accuser’s number',
  )
  t.equal(bench.swim.healthScore, 2)
  bench.run(1000).take()
  bench.packet(wire.encodeSuspect(accusation('n001', 3))).run(50)
  t.match(
    bench.sent().find(message => message.type === 'alive'),
    { to: '127.0.1.1', body: { incarnation: 8 } },
    'an old one is answered again',
  )
  bench.packet(wire.encodeDead(accusation('n001', 0xffffffff)))
  t.match(bench.taken('note'), [{ note: 'incarnationWrapped' }, { note: 'refuted' }])
  t.equal(bench.swim.member('n001')?.incarnation, 0)
})

t.test('section 15: pings and who gets the answer', async t => {
  const bench = new Bench({ delegate: { ackPayload: () => Uint8Array.of(7) } })
  bench.take()
  const ping = { seqNo: 5, node: 'n001', sourceAddr: undefined, sourcePort: 0, sourceNode: '' }
  bench.packet(wire.encodePing(ping))
  t.match(bench.sent(), [{ type: 'ack', to: '127.0.1.1', body: { seqNo: 5, payload: Uint8Array.of(7) } }])
  bench.packet(wire.encodePing({ ...ping, node: '', sourceAddr: Uint8Array.of(127, 0, 1, 77), sourcePort: 9 }))
  t.match(bench.sent(), [{ type: 'ack', to: '127.0.1.77' }])
  bench.packet(wire.encodePing({ ...ping, node: 'other' }))
  t.match(bench.take(), [{ type: 'note', note: 'misdirectedPing' }])
})

t.test('section 15: indirect pings are relayed, or answered with a nack', async t => {
  const request = {
    seqNo: 9,
    target: Uint8Array.of(127, 0, 1, 3),
    port: 7946,
    node: 'n002',
    nack: true,
    sourceAddr: Uint8Array.of(127, 0, 1, 1),
    sourcePort: 7946,
    sourceNode: 'n000',
  }
  const relay = (nack: boolean): { bench: Bench; seqNo: number } => {
    const bench = new Bench({ probeInterval: 0, gossipInterval: 0, watchInterval: 0 })
    bench.take()
    bench.packet(wire.encodeIndirectPing({ ...request, nack }))
    const [message] = bench.sent()
    if (message?.type !== 'ping' || message.to !== '127.0.1.3') throw new Error('no ping')
    return { bench, seqNo: message.body.seqNo }
  }
  const answered = relay(true)
  answered.bench.packet(wire.encodeAck({ seqNo: answered.seqNo, payload: Uint8Array.of(1) }))
  t.match(answered.bench.sent(), [{ type: 'ack', to: '127.0.1.1', body: { seqNo: 9, payload: undefined } }])
  t.same(answered.bench.run(1000).sent(), [])
  t.match(relay(true).bench.run(1000).sent(), [{ type: 'nack', to: '127.0.1.1', body: { seqNo: 9 } }])
  t.same(relay(false).bench.run(1000).sent(), [])
})

t.test('section 15: the steps of a probe', async t => {
  const bench = new Bench({ watchInterval: 0, gossipInterval: 0, refusedGrace: 0, pushPullInterval: 0 })
    .alive('n002', 3)
    .alive('n003', 4)
  bench.run(900)
  bench.take()
  bench.run(200)
  const pings = bench.sent().filter(({ type }) => type === 'ping')
  t.equal(pings.length, 1, 'one probe in an interval')
  const target = pings[0]!.to
  bench.run(400)
  const actions = bench.take()
  const [packet] = actions.filter((action): action is ActionOf<'packet'> => action.type === 'packet')
  t.match(wire.decodePacket(packet!.octets).messages[0], { type: 'indirectPing', body: { nack: true } })
  t.not(packet!.to.address, target)
  t.match(
    actions.find(action => action.type === 'dial'),
    { purpose: 'ping', to: { address: target } },
  )
  bench.run(600)
  t.match(bench.taken('note'), [{ note: 'probeFailed' }, { note: 'suspected', fields: { from: 'n001' } }])
  t.equal(bench.swim.healthScore, 1, 'a helper that sent no nack makes us doubt ourselves')
})

t.test('section 15: what our own host refuses to send accuses nobody', async t => {
  const bench = new Bench({ watchInterval: 0, gossipInterval: 0, refusedGrace: 0 }).alive('n002', 3)
  for (let i = 0; i < 100; i++) {
    bench.run(100)
    for (const { to } of bench.taken('packet'))
      bench.actions.push(...bench.swim.handle({ type: 'unsent', to }, bench.now))
  }
  t.equal(bench.swim.stateOf('n002'), 'alive')
  t.equal(bench.swim.healthScore, 0)
})

t.test('section 16: confirmations shorten a suspicion', async t => {
  const ring = (...accusers: string[]): number => {
    const tuned = new Bench({ watchInterval: 0, gossipInterval: 0, refusedGrace: 0 })
    for (let i = 2; i < 12; i++) tuned.alive(`n${i}`, i)
    tuned.now = 10 // before the first probe
    for (const accuser of accusers) tuned.packet(wire.encodeSuspect(accusation('n2', 1, accuser)))
    for (let at = 10; at < 60_000; at += 10) {
      // Everybody answers all pings, so only the suspicion can kill.
      for (const action of tuned.run(10).take()) {
        if (action.type !== 'packet') continue
        for (const message of wire.decodePacket(action.octets).messages) {
          if (message.type === 'ping') tuned.packet(wire.encodeAck({ seqNo: message.body.seqNo, payload: undefined }))
        }
      }
      if (tuned.swim.stateOf('n2') === 'dead') return tuned.now
    }
    return Infinity
  }
  const scale = Math.floor(Math.log10(11) * 1000) // eleven nodes
  t.ok(Math.abs(ring('a', 'b', 'c') - 4 * scale) < 50, 'two confirmations: the shortest')
  t.ok(Math.abs(ring('a') - 24 * scale) < 50, 'none: the longest')
  t.ok(Math.abs(ring('a', 'a', 'a') - 24 * scale) < 50, 'the same one again does not count')
  const one = ring('a', 'b')
  t.ok(one > 5 * scale && one < 20 * scale, `one: ${one} ms`)
})

t.test('section 18: packets keep to their budget and repeat a message as often as they should', async t => {
  const bench = new Bench({ probeInterval: 0, watchInterval: 0, pushPullInterval: 0, packetOverhead: () => 29 })
  const meta = new Uint8Array(100)
  for (let i = 2; i < 60; i++) bench.alive(`n${i}`, i, 1, { meta })
  bench.take()
  bench.run(20_000)
  const packets = bench.taken('packet')
  t.ok(Math.max(...packets.map(({ octets }) => octets.length)) <= 1400 - 29 + wire.CRC_LENGTH)
  const count = new Map<string, number>()
  for (const { octets } of packets) {
    for (const message of wire.decodePacket(octets).messages) {
      if (message.type === 'alive') count.set(message.body.node, (count.get(message.body.node) ?? 0) + 1)
    }
  }
  t.equal(count.size, 59)
  t.same([...new Set(count.values())], [8], '4 × ⌈log₁₀ 60⌉ times each')
  t.equal(bench.swim.queuedBroadcasts, 0)
  bench.actions.push(...bench.swim.handle({ type: 'broadcast', payload: Uint8Array.of(1, 2, 3) }, bench.now))
  bench.run(3000)
  t.equal(bench.sent().filter(message => message.type === 'user').length, 8)
})

t.test('section 19: leaving, once', async t => {
  const bench = new Bench({ probeInterval: 0, watchInterval: 0 }).alive('n000', 1).run(5000)
  bench.take()
  bench.actions.push(...bench.swim.handle({ type: 'leave' }, bench.now))
  t.match(bench.take(), [{ type: 'member', event: 'leave', member: { name: 'n001', state: 'left' } }])
  bench.run(2000)
  const actions = bench.take()
  t.ok(actions.some(({ type }) => type === 'left'))
  bench.alive('n001', 2, 9).packet(wire.encodeDead(accusation('n001', 9)))
  t.equal(bench.swim.stateOf('n001'), 'left', 'what others say about us no longer counts')
  bench.take()
  bench.actions.push(...bench.swim.handle({ type: 'leave' }, bench.now))
  t.match(bench.take(), [{ type: 'left' }])
  const alone = new Bench()
  alone.take()
  t.ok(
    alone.swim.handle({ type: 'leave' }, 0).some(({ type }) => type === 'left'),
    'nobody to tell',
  )
})

t.test('section 19: the dead of a push/pull are only suspected', async t => {
  const bench = new Bench().alive('n002', 3).alive('n003', 4).alive('n004', 5)
  bench.take()
  const entry = (name: string, state: number): wire.PushNodeState => ({
    name,
    addr: Uint8Array.of(127, 0, 1, 3),
    port: 7946,
    meta: undefined,
    incarnation: 1,
    state,
    vsn,
  })
  const { Dead, Left, Suspect } = wire.NodeStateCode
  const body = {
    join: false,
    nodes: [entry('n002', Dead), entry('n003', Left), entry('n004', Suspect), entry('n005', Dead)],
    userState: new Uint8Array(),
  }
  bench.actions.push(
    ...bench.swim.handle({ type: 'stream', id: 1, message: { type: 'pushPull', body }, from }, bench.now),
  )
  t.match(bench.take()[0], { type: 'reply', id: 1 }, 'the answer goes out before the merge')
  t.same(
    ['n002', 'n003', 'n004', 'n005'].map(name => bench.swim.stateOf(name)),
    ['suspect', 'left', 'suspect', undefined],
  )
})

t.test('section 11: streams', async t => {
  const bench = new Bench()
  bench.take()
  const ping = { seqNo: 5, node: 'n001', sourceAddr: undefined, sourcePort: 0, sourceNode: '' }
  const stream = (message: wire.StreamMessage): SwimAction[] => [
    ...bench.swim.handle({ type: 'stream', id: 3, message, from }, 0),
  ]
  t.match(stream({ type: 'ping', body: ping }), [
    { type: 'reply', octets: wire.encodeAck({ seqNo: 5, payload: undefined }) },
  ])
  t.match(stream({ type: 'ping', body: { ...ping, node: 'other' } }), [{ type: 'note' }, { type: 'close', id: 3 }])
  t.match(stream({ type: 'user', body: Uint8Array.of(1) }), [{ type: 'userMessage' }, { type: 'close' }])
  t.match(
    stream({ type: 'user', body: new Uint8Array() }),
    [{ type: 'close' }],
    'an empty user message is not delivered',
  )
  t.match(stream({ type: 'ack', body: { seqNo: 1, payload: undefined } }), [{ type: 'close' }])
})

t.test('addresses', async t => {
  for (const text of ['127.0.0.1', '255.255.255.255', '::1', 'fd00:10::200', '2001:db8::1'])
    t.equal(formatAddress(parseAddress(text)), text)
  t.same(parseAddress('::ffff:10.0.0.1'), Uint8Array.of(10, 0, 0, 1))
  t.same(parseAddress('fe80::1%eth0').length, 16)
  for (const text of ['', 'x', '1.2.3', '1.2.3.256', ':::']) t.throws(() => parseAddress(text), RangeError)
})
