/** Rules of the protocol one by one, by a core in virtual time. Sections are those of the protocol's description. */
import { Simulator } from '@typemetal/memberlist/simulator'
import { type SwimOptions, tuningOf } from '@typemetal/memberlist/swim'
import * as wire from '@typemetal/memberlist/wire'
import t from 'tap'
import { nextNumber } from '../dist/swim/formulas.js'
import { Bench, entry, kinds, MAPPED, ping, QUIET, SEED, STRANGER, vsn } from './bench.js'

/** Probes, and nothing beside them. */
const PROBING: Partial<SwimOptions> = { watchInterval: 0, gossipInterval: 0, refusedGrace: 0, pushPullInterval: 0 }

t.test('section 13: version octets that break a peer are refused, longer ones are cut', async t => {
  const bench = new Bench({ ...QUIET, gossipInterval: 200 }).alive('n000', 1).run(5000)
  bench.take()
  for (let length = 1; length < 6; length++) {
    bench.alive(`a${length}`, 9, 1, { vsn: vsn.subarray(0, length) })
    bench.pushPull(entry(`p${length}`, 9, { vsn: vsn.subarray(0, length) }))
  }
  const long = Uint8Array.of(...vsn, 7, 7)
  bench.alive('long', 10, 1, { vsn: long }).pushPull(entry('longer', 11, { vsn: long }))
  const refusals = bench.actions.flatMap(action => (action.type === 'note' ? [action.note] : []))
  t.same([...new Set(refusals)], ['nodeRefused', 'mergeRefused'])
  t.equal(refusals.length, 10)
  const told = bench.run(5000).sent()
  t.same([...new Set(told.flatMap(m => (m.type === 'alive' ? [m.body.node] : [])))].toSorted(), ['long', 'longer'])
  for (const message of told) if (message.type === 'alive') t.same(message.body.vsn, vsn)
  for (const { vsn: octets } of bench.entries().values()) t.equal(octets?.length, 6)
})

t.test('section 13: what a peer understands decides what it gets', async t => {
  const bench = new Bench({ ...QUIET, gossipInterval: 200 })
  bench
    .alive('old', 3, 1, { vsn: Uint8Array.of(1, 4, 2, 0, 0, 0) })
    .alive('new', 4)
    .run(3000)
  const first = new Map(bench.taken('packet').map(({ to, octets }) => [to.address, octets[0]]))
  t.equal(first.get('127.0.1.4'), wire.MessageType.Crc, 'a checksum from pMax 5 on')
  t.equal(first.get('127.0.1.3'), wire.MessageType.Compound)
})

t.test('section 13: port 0, and every port when we speak version 1, is ours', async t => {
  const second = new Bench({ port: 8000 }).alive('n002', 3, 1, { port: 0 }).alive('n003', 4)
  t.equal(second.swim.member('n002')?.port, 8000)
  t.equal(second.swim.member('n003')?.port, 7946)
  const first = new Bench({ port: 8000, protocolVersion: 1 }).alive('n002', 3)
  t.equal(first.swim.member('n002')?.port, 8000)
})

t.test('section 14: sequence numbers begin anew after the last', async t => {
  t.equal(nextNumber(0), 1)
  t.equal(nextNumber(0x7fffffff), 0x80000000)
  t.equal(nextNumber(0xffffffff), 0)
})

t.test('section 14: a name moves when its node left, or is dead for long enough', async t => {
  const bench = new Bench({ ...QUIET, deadNodeReclaimTime: 10_000 }).alive('gone', 3).alive('dead', 4).alive('here', 5)
  bench.dead('gone', 'gone').dead('dead', 'n000').take()
  bench.alive('gone', 33, 2)
  t.match(bench.taken('member'), [{ event: 'join', member: { address: '127.0.1.33' } }], 'left: at once')
  bench.run(10_000).alive('dead', 44, 2)
  t.match(bench.taken('conflict'), [{ existing: { address: '127.0.1.4' }, other: { address: '127.0.1.44' } }])
  bench.run(1).alive('dead', 44, 2).alive('here', 55, 9)
  t.equal(bench.swim.member('dead')?.address, '127.0.1.44')
  t.equal(bench.swim.member('here')?.address, '127.0.1.5', 'the living keep theirs')
  const never = new Bench(QUIET).alive('dead', 4).dead('dead', 'n000').run(1e7).alive('dead', 44, 2)
  t.equal(never.swim.stateOf('dead'), 'dead', 'a reclaim time of 0 is never')
})

t.test('section 14: incarnations are unsigned, up to the last', async t => {
  const bench = new Bench(QUIET).alive('n002', 3, 0x7fffffff).alive('n002', 3, 0x80000000)
  t.equal(bench.swim.member('n002')?.incarnation, 0x80000000)
  bench.alive('n002', 3, 0xffffffff).alive('n002', 3, 0).suspect('n002', 'n000', 0).suspect('n002', 'n000', 0xfffffffe)
  t.match(bench.swim.member('n002'), { state: 'alive', incarnation: 0xffffffff })
  bench.suspect('n002', 'n000', 0xffffffff)
  t.equal(bench.swim.stateOf('n002'), 'suspect')
})

t.test('section 14: what is told of an earlier life of ours is contradicted', async t => {
  const simulator = new Simulator({ seed: 1 })
  const [a, b, c] = ['a', 'b', 'c'].map(name => simulator.add({ name, meta: Buffer.from('old') })) as [Node, Node, Node]
  type Node = ReturnType<Simulator['add']>
  b.join(a)
  c.join(a)
  simulator.run(5000)
  b.kill()
  simulator.run(100)
  b.start({ meta: Buffer.from('new') })
  b.join(a)
  simulator.run(10_000)
  for (const node of [a, b, c]) t.equal(Buffer.from(node.swim.member('b')?.meta ?? []).toString(), 'new')

  const bench = new Bench({ ...QUIET, meta: Uint8Array.of(1) })
  bench.pushPull(entry('n001', 2, { meta: Uint8Array.of(1) }))
  t.equal(bench.swim.member('n001')?.incarnation, 1, 'what we say ourselves')
  bench.pushPull(entry('n001', 2, { meta: Uint8Array.of(2) }))
  t.equal(bench.swim.member('n001')?.incarnation, 2, 'other meta')
  bench.pushPull(entry('n001', 2, { incarnation: 2, meta: Uint8Array.of(1), vsn: Uint8Array.of(1, 4, 2, 0, 0, 0) }))
  t.equal(bench.swim.member('n001')?.incarnation, 3, 'other versions')
})

t.test('section 14: names and meta that nobody could pass on are refused', async t => {
  const bench = new Bench(QUIET).alive('n002', 3)
  bench.take()
  bench.suspect('n002', 'x'.repeat(1025)).dead('n002', 'é'.repeat(513))
  bench.pushPull(entry('n003', 4, { meta: new Uint8Array(513) }))
  t.same(bench.notes(), ['nodeRefused', 'nodeRefused', 'nodeRefused'])
  t.equal(bench.swim.stateOf('n002'), 'alive')
  bench.suspect('n002', 'x'.repeat(1024))
  t.equal(bench.swim.stateOf('n002'), 'suspect')
  t.match(bench.taken('note'), [{ note: 'suspected', fields: { from: 'x'.repeat(64) } }], 'names in notes are cut')
})

t.test('section 14: two nodes of one name are reported once an interval', async t => {
  const bench = new Bench({ ...QUIET, probeInterval: 1000 }).alive('n002', 3)
  bench.take()
  for (let i = 0; i < 100; i++) bench.alive('n002', 66, i)
  t.equal(bench.taken('conflict').length, 1)
  bench.now += 1000
  bench.alive('n002', 66)
  t.equal(bench.taken('conflict').length, 1)
})

t.test('section 15: a suspect hears what it is accused of, and nothing else', async t => {
  const bench = new Bench(PROBING).alive('n002', 3).suspect('n002', 'n000')
  bench.take()
  t.ok(bench.swim.queuedBroadcasts > 0)
  const [packet] = bench.run(1000).taken('packet')
  t.match(wire.decodePacket(packet!.octets).messages, [
    { type: 'ping', body: { node: 'n002' } },
    { type: 'suspect', body: { node: 'n002', from: 'n001', incarnation: 1 } },
  ])
  t.equal(wire.decodePacket(packet!.octets).messages.length, 2)
})

t.test('section 15: what helpers and TCP are asked depends on versions and options', async t => {
  const versions = (pMax: number): Uint8Array => Uint8Array.of(1, pMax, 2, 0, 0, 0)
  const probe = (
    helper: number,
    target: number,
    options: Partial<SwimOptions> = {},
  ): [boolean | undefined, boolean] => {
    const bench = new Bench({ ...PROBING, ...options }).alive('helper', 3, 1, { vsn: versions(helper) })
    bench.alive('target', 4, 1, { vsn: versions(target) })
    bench.take()
    bench.runAnswered(4000, to => to === '127.0.1.4')
    const actions = bench.take()
    const asked = actions
      .flatMap(action => (action.type === 'packet' ? wire.decodePacket(action.octets).messages : []))
      .find(message => message.type === 'indirectPing')
    return [asked?.body.nack, actions.some(action => action.type === 'dial' && action.purpose === 'ping')]
  }
  t.same(probe(5, 5), [true, true])
  t.same(probe(3, 5), [false, true], 'a helper below 4 knows no nack')
  t.same(probe(4, 3), [true, true])
  t.same(probe(4, 2), [true, false], 'a node below 3 knows no ping over TCP')
  t.same(probe(5, 5, { disableTcpPings: true }), [true, false])
})

t.test('section 15: missing nacks, and only those, make us doubt ourselves', async t => {
  const fail = (nackers: number, pMax: number): number => {
    const bench = new Bench({ ...PROBING, disableTcpPings: true })
    for (const [i, name] of ['h1', 'h2', 'h3'].entries())
      bench.alive(name, 10 + i, 1, { vsn: Uint8Array.of(1, pMax, 2, 0, 0, 0) })
    bench.alive('target', 4)
    for (let asked = 0; bench.swim.stateOf('target') === 'alive' && bench.now < 20_000;) {
      const before = bench.actions.length
      bench.runAnswered(10, to => to === '127.0.1.4')
      for (const action of bench.actions.slice(before)) {
        if (action.type !== 'packet') continue
        for (const { type, body } of wire.decodePacket(action.octets).messages)
          if (type === 'indirectPing' && asked++ < nackers) bench.packet(wire.encodeNack({ seqNo: body.seqNo }))
      }
    }
    return bench.swim.healthScore
  }
  t.equal(fail(3, 5), 0, 'all helpers reach us, so it is the target')
  t.equal(fail(1, 5), 2)
  t.equal(fail(0, 5), 3)
  t.equal(fail(0, 3), 1, 'from helpers that know no nack none is missing')
})

t.test('section 15: a node nobody can send to becomes suspect when the others answer', async t => {
  const bench = new Bench(PROBING).alive('n002', 3).alive('n003', 4).alive('ghost', 99)
  for (let i = 0; i < 3000 && bench.swim.stateOf('ghost') === 'alive'; i++) {
    const before = bench.actions.length
    bench.runAnswered(10, to => to === '127.0.1.99')
    for (const action of bench.actions.slice(before))
      if (action.type === 'packet' && action.to.address === '127.0.1.99') bench.input({ type: 'unsent', to: action.to })
  }
  t.equal(bench.swim.stateOf('ghost'), 'suspect')
  t.equal(bench.swim.stateOf('n002'), 'alive')
})

t.test('section 15: two outages of our own network accuse nobody', async t => {
  const bench = new Bench(PROBING).alive('n002', 3).alive('n003', 4)
  for (let outage = 0; outage < 2; outage++) {
    bench.runAnswered(5000)
    for (let i = 0; i < 1000; i++) {
      const before = bench.actions.length
      bench.run(10)
      for (const action of bench.actions.slice(before))
        if (action.type === 'packet') bench.input({ type: 'unsent', to: action.to })
    }
  }
  t.notOk(bench.notes().includes('suspected'))
})

t.test('section 15: of a datagram full of pings a few are answered', async t => {
  const bench = new Bench(QUIET)
  bench.packet(...Array.from({ length: 100 }, (_, i) => ping({ seqNo: i + 1 })), wire.encodeNack({ seqNo: 1 }))
  const actions = bench.take()
  t.equal(actions.filter(({ type }) => type === 'packet').length, 8)
  t.match(
    actions.filter(({ type }) => type === 'note'),
    [{ note: 'packetFault', fields: { fault: 'limit', from: SEED.address } }],
  )
})

t.test('section 15: strangers get an answer, and nothing with it', async t => {
  const bench = new Bench({ ...QUIET, gossipInterval: 200 }).alive('n000', 1).alive('n002', 3)
  bench.take()
  const indirect = (node: string, last: number): Uint8Array =>
    wire.encodeIndirectPing({
      seqNo: 5,
      target: Uint8Array.of(127, 0, 1, last),
      port: 7946,
      node,
      nack: true,
      sourceAddr: undefined,
      sourcePort: 0,
      sourceNode: '',
    })
  const answer = (octets: Uint8Array, from = STRANGER): string[] =>
    kinds(bench.input({ type: 'packet', octets, from }).sent())
  const queued = bench.swim.queuedBroadcasts
  for (let i = 0; i < 20; i++) t.same(answer(ping()), ['ack'])
  t.same(answer(ping({ sourceAddr: Uint8Array.of(203, 0, 113, 9), sourcePort: 9, sourceNode: 'n000' })), ['ack'])
  t.same(answer(indirect('n009', 9)), ['ping'])
  bench.run(501)
  t.ok(
    bench.sent().some(({ type, to }) => type === 'nack' && to === STRANGER.address),
    'and a nack',
  )
  t.ok(queued > 0)
  bench.alive('n004', 5).take()
  const source = { sourceAddr: Uint8Array.of(127, 0, 1, 1), sourcePort: 7946, sourceNode: 'n000' }
  t.ok(answer(ping(source)).length > 1, 'a node that says who it is gets the news')
  t.ok(answer(ping(), SEED).length > 1, 'and one that does not but is known by its address')
  t.ok(answer(indirect('n002', 3)).length > 1)
})

t.test('section 16: only so many accusers are kept, and told on', async t => {
  const bench = new Bench({ ...QUIET, gossipInterval: 200, probeInterval: 1000 })
  for (let i = 2; i < 14; i++) bench.alive(`n${i}`, i)
  bench.runAnswered(10_000).take()
  for (const accuser of ['a', 'b', 'c', 'd', 'e', 'a']) {
    bench.suspect('n2', accuser).runAnswered(500)
    if (bench.swim.stateOf('n2') !== 'suspect') t.fail('too soon')
  }
  const accusers = new Set(
    bench.sent().flatMap(m => (m.type === 'suspect' && m.body.from !== 'n001' ? [m.body.from] : [])),
  )
  t.same([...accusers].toSorted(), ['a', 'b', 'c'], 'the first, and k = 2 that confirm')
})

t.test('section 16: an expiry says how many confirmed', async t => {
  const expire = (...accusers: string[]): unknown[] => {
    const bench = new Bench({ ...QUIET, probeInterval: 1000 })
    for (let i = 2; i < 14; i++) bench.alive(`n${i}`, i)
    for (const accuser of accusers) bench.suspect('n2', accuser)
    bench.runAnswered(120_000)
    return bench.taken('note').filter(({ note }) => note === 'failed' || note === 'degradedTimeout')
  }
  t.match(expire('a'), [
    { note: 'degradedTimeout', fields: { node: 'n2', confirmations: 0 } },
    { note: 'failed', fields: { node: 'n2', confirmations: 0 } },
  ])
  t.match(expire('a', 'b', 'c'), [{ note: 'failed', fields: { node: 'n2', confirmations: 2 } }])
})

t.test('section 17: the health score has bounds, and stretches the time of a probe', async t => {
  const bench = new Bench({ ...PROBING, disableTcpPings: true, suspicionMult: 100 }).alive('n002', 3)
  bench.suspect('n001', 'liar', 1).suspect('n001', 'liar', 2)
  t.match(bench.taken('note'), [
    { note: 'refuted', fields: { from: 'liar', incarnation: 2 } },
    { note: 'refuted', fields: { from: 'liar', incarnation: 3 } },
  ])
  t.equal(bench.swim.healthScore, 2)
  let [began, failed] = [0, 0]
  while (failed === 0 && bench.now < 10_000) {
    bench.run(1)
    const notes = bench.notes()
    if (began === 0 && notes.includes('degradedProbe')) began = bench.now
    if (notes.includes('probeFailed')) failed = bench.now
  }
  t.equal(failed - began, 3000, 'a score of 2 makes it three intervals')
  for (let i = 10; i < 20; i++) bench.suspect('n001', 'liar', i)
  t.equal(bench.swim.healthScore, 7)
  bench.runAnswered(60_000)
  t.equal(bench.swim.healthScore, 0)
})

t.test('section 20: the allow-list holds for every address that a peer names', async t => {
  const bench = new Bench({ ...QUIET, isAllowed: octets => octets.length === 4 && octets[0] === 127 })
  const far = Uint8Array.of(10, 0, 0, 1)
  bench.packet(ping({ sourceAddr: far, sourcePort: 7946 }))
  bench.packet(ping({ sourceAddr: Uint8Array.of(...MAPPED, ...far), sourcePort: 7946 }))
  const relay = { seqNo: 5, port: 7946, node: 'n002', nack: true, sourceAddr: undefined, sourcePort: 0, sourceNode: '' }
  bench.packet(wire.encodeIndirectPing({ ...relay, target: far }))
  bench.packet(
    wire.encodeIndirectPing({ ...relay, target: Uint8Array.of(127, 0, 1, 3), sourceAddr: far, sourcePort: 7946 }),
  )
  t.same(bench.run(1000).take(), [], 'no answer')
  bench.alive('n002', 3, 1, { addr: far }).pushPull(entry('n003', 4, { addr: far }))
  bench.pushPull(entry('n004', 4, { addr: Uint8Array.of(...MAPPED, ...far) }))
  t.equal(bench.notes().filter(note => note === 'nodeRefused').length, 3)
  t.equal(bench.swim.size, 1)
  const near = Uint8Array.of(...MAPPED, 127, 0, 1, 3)
  bench.packet(ping({ sourceAddr: near, sourcePort: 7946 })).packet(wire.encodeIndirectPing({ ...relay, target: near }))
  t.same(kinds(bench.sent()), ['ack', 'ping'], 'the mapped form of one that is allowed is allowed')
})

t.test('section 20: an address is told on as its node tells it', async t => {
  const mapped = Uint8Array.of(...MAPPED, 127, 0, 1, 3)
  const bench = new Bench({ ...QUIET, address: Uint8Array.of(...MAPPED, 127, 0, 1, 2) })
  bench
    .alive('n002', 3, 1, { addr: mapped })
    .pushPull(entry('n003', 4, { addr: Uint8Array.of(...MAPPED, 127, 0, 1, 4) }))
  bench.alive('n004', 5)
  t.equal(bench.swim.member('n002')?.address, '127.0.1.3', 'but printed in short')
  const entries = bench.entries()
  t.same(entries.get('n002')?.addr, mapped)
  t.equal(entries.get('n003')?.addr?.length, 16)
  t.same(entries.get('n004')?.addr, Uint8Array.of(127, 0, 1, 5))
  t.same(entries.get('n001')?.addr, Uint8Array.of(127, 0, 1, 2), 'our own is always short')
  bench.take()
  bench.alive('n002', 3, 1).alive('n002', 3, 2)
  t.same(bench.taken('conflict'), [], 'both forms are one address')
  t.equal(bench.entries().get('n002')?.addr?.length, 4, 'and the latest is told on')
})

t.test('section 20: with an alive delegate, a node without versions is refused unasked', async t => {
  const asked: string[] = []
  const refuseAlive = ({ name }: { readonly name: string }): string | undefined => {
    asked.push(name)
    return name === 'bad' ? 'bad' : undefined
  }
  const bench = new Bench({ ...QUIET, delegate: { refuseAlive } })
  bench.alive('none', 3, 1, { vsn: undefined }).alive('empty', 4, 1, { vsn: new Uint8Array() })
  bench.alive('bad', 5).alive('good', 6)
  t.same(asked, ['bad', 'good'])
  t.same(
    bench.swim
      .members()
      .map(({ name }) => name)
      .toSorted(),
    ['good', 'n001'],
  )
})

t.test('section 20: what the metrics of the reference are made of', async t => {
  const bench = new Bench(QUIET).alive('n002', 3).alive('n003', 4).alive('n004', 5)
  bench.suspect('n002', 'n000').dead('n003', 'n000').dead('n004', 'n004')
  t.same(bench.swim.states(), { alive: 1, suspect: 1, dead: 1, left: 1 })
  t.same(bench.swim.messages, { alive: 3, suspect: 1, dead: 2 })
  bench.input({ type: 'broadcast', payload: new Uint8Array(1) })
  t.equal(bench.swim.queuedUserBroadcasts, 1)
})

t.test('snapshots share no octets with the inside', async t => {
  const bench = new Bench({ ...QUIET, meta: Uint8Array.of(1) }).alive('n002', 3, 1, { meta: Uint8Array.of(2) })
  const members = [...bench.taken('member').map(({ member }) => member), ...bench.swim.members()]
  for (const { meta } of members) meta?.fill(9)
  t.same(bench.swim.member('n001')?.meta, Uint8Array.of(1))
  t.same(bench.entries().get('n002')?.meta, Uint8Array.of(2))
})

t.test('section 21: tuning that makes no sense is refused', async t => {
  const refused = (options: object, expected: { name: string; message?: RegExp }): void =>
    void t.throws(() => tuningOf(options), expected)
  refused({ probeInterval: '1s' }, { name: 'TypeError', message: /probeInterval/ })
  refused({ disableTcpPings: 1 }, { name: 'TypeError', message: /disableTcpPings/ })
  refused({ probeInterval: 2 ** 31 }, { name: 'RangeError', message: /probeInterval/ })
  refused({ gossipToTheDeadTime: -1 }, { name: 'RangeError' })
  refused({ indirectChecks: Number.NaN }, { name: 'RangeError' })
  refused({ preset: 'LAN' }, { name: 'RangeError', message: /^preset must be 'lan', 'wan', 'local' or 'fast'/ })
  refused({ preset: 'toString' }, { name: 'RangeError' })
  t.equal(tuningOf({ probeInterval: 2 ** 31 - 1, retransmitMult: 2 ** 31 }).probeInterval, 2 ** 31 - 1)
  t.equal(tuningOf({ probeTimeout: 3000 }).probeTimeout, 3000, 'longer than the interval, as the reference takes it')
  const bench = new Bench({ ...PROBING, probeTimeout: 3000 }).alive('n002', 3).alive('n003', 4)
  bench.runAnswered(3000, to => to === '127.0.1.3')
  t.notOk(kinds(bench.sent()).includes('indirectPing'), 'its probes have no second step')
  t.equal(bench.swim.stateOf('n002'), 'suspect')
})
