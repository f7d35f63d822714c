/** Asking who has an address: RFC 826, RFC 4861 sections 7.2.2 and 7.3.3, in virtual time. */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { Resolver, type Question, type ResolverAction, type ResolverOptions } from '@typemetal/arp-ndp/resolver'
import * as wire from '@typemetal/arp-ndp/wire'
import * as sample from './acd-samples.js'
import { hex } from './octets.js'

const { OURS, THEIRS, V4, OTHER_V4, NO_V4, V6, LINK_LOCAL } = sample
const OUR_LINK_LOCAL = LINK_LOCAL.with(15, 1)
const ARP_QUESTION: Question = { mac: OURS, source: OTHER_V4, address: V4 }
const NDP_QUESTION: Question = { mac: OURS, source: OUR_LINK_LOCAL, address: V6 }

const asking = (question: Question, options: Partial<ResolverOptions> = {}): Resolver =>
  new Resolver(question, { now: 0, ...options })

/** An ARP reply or advertisement to us. */
const reply = (address: Uint8Array, mac = THEIRS): Uint8Array => {
  const answer =
    address.length === 4
      ? sample.arp({ operation: 2, sender: address, target: OTHER_V4, mac })
      : sample.advertisement(address, { destination: OUR_LINK_LOCAL, solicited: true, mac })
  answer.set(OURS)
  return answer
}

/** Lets time pass to the end; frames come at their times. */
function play(resolver: Resolver, frames: readonly (readonly [at: number, frame: Uint8Array])[] = []) {
  const seen: { at: number; action: ResolverAction }[] = []
  const waiting = [...frames]
  while (resolver.deadline !== Infinity) {
    const next = waiting[0]
    const at = Math.min(resolver.deadline, next?.[0] ?? Infinity)
    const actions = next?.[0] === at ? resolver.receive(waiting.shift()![1], at) : resolver.expire(at)
    for (const action of actions) seen.push({ at, action })
  }
  return seen
}
const timeline = (...args: Parameters<typeof play>): [string, number][] =>
  play(...args).map(({ at, action }) => [action.type, at])
function firstFrame(resolver: Resolver): Uint8Array {
  const [action] = resolver.expire(0)
  assert(action?.type === 'send')
  return action.frame
}

for (const [name, question] of [
  ['RFC 826', ARP_QUESTION],
  ['RFC 4861 section 7.2.2', NDP_QUESTION],
] as const) {
  t.test(`${name}: while nobody answers, three questions RETRANS_TIMER apart, and one more of waiting`, async t => {
    t.same(timeline(asking(question)), [
      ['send', 0],
      ['send', 1000],
      ['send', 2000],
      ['end', 3000],
    ])
    t.same(timeline(asking(question, { attempts: 2, interval: 10 })), [
      ['send', 0],
      ['send', 10],
      ['end', 20],
    ])
  })

  t.test(`${name}: an answer ends the asking; further ones are taken until the interval is over`, async t => {
    const first = reply(question.address)
    const second = reply(question.address, THEIRS.with(5, 0xdd))
    const seen = play(asking(question), [
      [1005, first],
      [1006, first],
      [1900, second],
    ])
    t.same(
      seen.map(({ at, action }) => [action.type, at]),
      [
        ['send', 0],
        ['send', 1000],
        ['answer', 1005],
        ['answer', 1900],
        ['end', 2000],
      ],
    )
    const answers = [
      { mac: THEIRS, roundTrip: 5 },
      { mac: THEIRS.with(5, 0xdd), roundTrip: 900 },
    ]
    t.same(seen.at(-1)?.action, { type: 'end', answers })
  })

  t.test(`${name}: the first answer is enough when that is asked for`, async t => {
    const resolver = asking(question, { collect: 'first' })
    t.same(timeline(resolver, [[3, reply(question.address)]]), [
      ['send', 0],
      ['answer', 3],
      ['end', 3],
    ])
    t.same(resolver.receive(reply(question.address, OURS.with(5, 9)), 4), [], 'it is over')
    t.same(resolver.expire(1e9), [])
    t.equal(resolver.answers.length, 1)
  })

  t.test(`${name}: a timeout is the time of all of it, whether there are answers or not`, async t => {
    t.same(timeline(asking(question, { timeout: 250 })), [
      ['send', 0],
      ['end', 250],
    ])
    t.same(timeline(asking(question, { timeout: 1500 })), [
      ['send', 0],
      ['send', 1000],
      ['end', 1500],
    ])
    t.same(timeline(asking(question, { timeout: 5000, attempts: 2 })).slice(-2), [
      ['send', 1000],
      ['end', 5000],
    ])
    t.same(timeline(asking(question, { timeout: 5000 }), [[10, reply(question.address)]]), [
      ['send', 0],
      ['answer', 10],
      ['end', 5000],
    ])
    t.same(timeline(asking(question, { timeout: 0 })), [
      ['send', 0],
      ['end', 0],
    ])
  })
}

t.test('RFC 826: the question is a broadcast from our address', async t => {
  const request = hex(`ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 c0000202 000000000000 c0000201
    ${'00'.repeat(18)}`)
  t.same(firstFrame(asking(ARP_QUESTION)), request)
  const probe = wire.decodeArp(wire.decodeEthernet(firstFrame(asking({ ...ARP_QUESTION, source: NO_V4 }))).payload)
  t.ok(wire.isArpProbe(probe), 'RFC 5227 section 1.1: from 0.0.0.0')
})

t.test(
  'RFC 4861 section 7.2.2: the question goes to the solicited-node group, with our link-layer address',
  async t => {
    const ethernet = wire.decodeEthernet(firstFrame(asking(NDP_QUESTION)))
    const packet = wire.decodeIpv6(ethernet.payload)
    t.equal(wire.ndpFault(packet), undefined)
    t.same(ethernet.destination, hex('3333ff000001'))
    t.same(packet.source, OUR_LINK_LOCAL)
    t.same(packet.destination, wire.solicitedNodeMulticast(V6))
    t.match(wire.decodeNeighborSolicitation(packet.payload), {
      targetAddress: V6,
      options: [{ kind: 'source-link-layer-address', address: OURS }],
    })
  },
)

t.test('RFC 4861 section 7.3.3, RFC 1122 section 2.3.2.1: one known neighbour is asked by unicast', async t => {
  const ethernet = wire.decodeEthernet(firstFrame(asking({ ...NDP_QUESTION, to: THEIRS })))
  const packet = wire.decodeIpv6(ethernet.payload)
  t.same(ethernet.destination, THEIRS)
  t.same(packet.destination, V6, 'to the address itself')
  t.equal(wire.ndpFault(packet), undefined)
  const arp = wire.decodeEthernet(firstFrame(asking({ ...ARP_QUESTION, to: THEIRS })))
  t.same(arp.destination, THEIRS)
  t.equal(wire.decodeArp(arp.payload).operation, wire.ArpOperation.Request)
  const bare = sample.advertisement(V6, { destination: OUR_LINK_LOCAL, solicited: true, options: [] })
  bare.set(OURS)
  t.same(
    play(asking({ ...NDP_QUESTION, to: THEIRS }, { collect: 'first' }), [[2, bare]]).at(-1)?.action,
    { type: 'end', answers: [{ mac: THEIRS, roundTrip: 2 }] },
    'section 4.4: the answer to a unicast solicitation may leave out its option',
  )
})

t.test('what is no answer', async t => {
  const resolver = asking(ARP_QUESTION)
  resolver.expire(0)
  const toUs = (frame: Uint8Array): Uint8Array => {
    frame.set(OURS)
    return frame
  }
  const frames = {
    'a gratuitous reply goes to everybody': sample.arp({ operation: 2, sender: V4 }),
    'another address': reply(OTHER_V4),
    'a request': toUs(sample.arp({ sender: V4 })),
    'from a broadcast MAC address': reply(V4, wire.BROADCAST_MAC),
    'an advertisement': reply(V6),
    'cut off': reply(V4).subarray(0, 40),
  }
  for (const [name, frame] of Object.entries(frames)) t.same(resolver.receive(frame, 1), [], name)
})

t.test('a flood of answers is not kept', async t => {
  const resolver = asking(ARP_QUESTION)
  resolver.expire(0)
  for (let i = 0; i < 10_000; i++) resolver.receive(reply(V4, Uint8Array.of(2, 0, 0, 1, i >>> 8, i)), 1)
  t.equal(resolver.answers.length, 64)
})

t.test('options: what is no time, number or pair of addresses', async t => {
  t.throws(() => asking(ARP_QUESTION, { attempts: 0 }), /^attempts must be .* not 0$/)
  t.throws(() => asking(ARP_QUESTION, { attempts: 1.5 }), /^attempts must be .* not 1\.5$/)
  t.throws(() => asking(ARP_QUESTION, { interval: -1 }), /^interval must be .* not -1$/)
  t.throws(() => asking(ARP_QUESTION, { timeout: NaN }), /^timeout must be .* not NaN$/)
  t.throws(() => asking(ARP_QUESTION, { timeout: Infinity }), /^timeout must be .* not Infinity$/, 'it would never end')
  t.throws(() => asking(ARP_QUESTION, { interval: Infinity }), /^interval must be .* not Infinity$/)
  t.throws(() => asking({ ...ARP_QUESTION, source: OUR_LINK_LOCAL }), /^source /)
  t.throws(() => asking({ ...NDP_QUESTION, source: new Uint8Array(16) }), /^source ::/, 'RFC 4861 section 7.2.4')
  t.throws(() => asking({ ...ARP_QUESTION, mac: V4 }), RangeError)
})

t.test('what comes before the first question is no answer', async t => {
  const seen = play(asking(ARP_QUESTION, { collect: 'first', timeout: 100 }), [[0, reply(V4)]])
  t.same(
    seen.map(({ action }) => action.type),
    ['send', 'end'],
  )
})

t.test('property: whatever comes, a resolver ends once, having asked no more often than it may', async () => {
  const frame = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.constantFrom(reply(V4), reply(V6), sample.arp({ sender: V4 })),
    fc.tuple(fc.constantFrom(reply(V4), reply(V6)), fc.nat(59), fc.nat(255)).map(([f, at, value]) => f.with(at, value)),
  )
  const frames = fc
    .array(fc.tuple(fc.nat(4000), frame), { maxLength: 20 })
    .map(list => list.toSorted(([a], [b]) => a - b))
  const options = fc.record(
    {
      attempts: fc.integer({ min: 1, max: 5 }),
      interval: fc.nat(1000),
      timeout: fc.nat(3000),
      collect: fc.constantFrom('all' as const, 'first' as const),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.constantFrom(ARP_QUESTION, NDP_QUESTION), options, frames, (question, options, frames) => {
      const seen = play(asking(question, options), frames)
      const count = (type: string): number => seen.filter(({ action }) => action.type === type).length
      const { attempts = 3, interval = 1000, timeout = attempts * interval } = options
      assert.equal(count('end'), 1)
      assert.equal(seen.at(-1)?.action.type, 'end')
      assert.ok(count('send') >= 1 && count('send') <= attempts)
      assert.ok(seen.at(-1)!.at <= timeout)
    }),
  )
})
