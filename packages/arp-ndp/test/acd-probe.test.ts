/** Is anybody else using this address: RFC 5227 section 2.1, RFC 4862 section 5.4 and RFC 7527, in virtual time. */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { AddressProbe, AttemptLimit, type AddressProbeOptions, type ProbeAction } from '@typemetal/arp-ndp/acd'
import * as wire from '@typemetal/arp-ndp/wire'
import * as sample from './acd-samples.js'
import { hex } from './octets.js'
import { race } from './acd-race.js'

const { OURS, THEIRS, V4, OTHER_V4, NO_V4, V6, OTHER_V6, NO_V6, LINK_LOCAL } = sample
const half = (): number => 0.5

const arpProbe = (change: Partial<AddressProbeOptions> = {}): AddressProbe =>
  new AddressProbe({ protocol: 'arp', mac: OURS }, V4, { now: 0, random: half, ...change })
const ndpProbe = (change: Partial<AddressProbeOptions> = {}): AddressProbe =>
  new AddressProbe({ protocol: 'ndp', mac: OURS }, V6, { now: 0, random: half, ...change })

/** Lets time pass until the verdict; nobody says anything. */
function play(probe: AddressProbe): { at: number; action: ProbeAction }[] {
  const seen: { at: number; action: ProbeAction }[] = []
  while (probe.deadline !== Infinity) {
    const at = probe.deadline
    for (const action of probe.expire(at)) seen.push({ at, action })
  }
  return seen
}
const timeline = (probe: AddressProbe): [string, number][] => play(probe).map(({ at, action }) => [action.type, at])
function sent(probe: AddressProbe): Uint8Array[] {
  return play(probe).flatMap(({ action }) => (action.type === 'send' ? [action.frame] : []))
}

t.test(
  'RFC 5227 section 2.1.1: three probes after PROBE_WAIT, PROBE_MIN to PROBE_MAX apart, then ANNOUNCE_WAIT',
  async t => {
    t.same(timeline(arpProbe()), [
      ['send', 500],
      ['send', 2000],
      ['send', 3500],
      ['free', 5500],
    ])
    t.same(timeline(arpProbe({ random: () => 0 })).at(-1), ['free', 4000], 'the shortest')
    t.same(timeline(arpProbe({ random: () => 1 - 2 ** -53 })).at(-1), ['free', 7000], 'the longest')
    const options = { probeWait: 10, probeNum: 2, probeMin: 20, probeMax: 20, announceWait: 30 }
    t.same(timeline(arpProbe(options)), [
      ['send', 5],
      ['send', 25],
      ['free', 55],
    ])
  },
)

t.test(
  'RFC 5227 section 2.1.1: a probe has sender 0.0.0.0, our hardware address, target hardware address zero',
  async t => {
    for (const frame of sent(arpProbe())) {
      t.same(
        frame,
        hex(`ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 00000000 000000000000 c0000201
      ${'00'.repeat(18)}`),
      )
      t.ok(wire.isArpProbe(wire.decodeArp(wire.decodeEthernet(frame).payload)))
    }
  },
)

t.test('RFC 5227 section 2.1.1: the probe that is early does nothing, one that is late keeps its distance', async t => {
  const probe = arpProbe()
  t.same(probe.expire(499), [])
  t.equal(probe.expire(10_000).length, 1)
  t.equal(probe.deadline, 11_500, 'the next is not sent on its heels')
})

t.test(
  'RFC 5227 section 2.1.1: any ARP packet with the address as sender is a conflict, from the beginning',
  async t => {
    for (const operation of [wire.ArpOperation.Request, wire.ArpOperation.Reply]) {
      for (const at of [0, 600, 5499]) {
        const probe = arpProbe()
        while (probe.deadline <= at) probe.expire(probe.deadline)
        const frame = sample.arp({ operation, sender: V4 })
        const actions = probe.receive(frame, at)
        t.same(actions, [{ type: 'conflict', mac: THEIRS, kind: 'owner' }], `operation ${operation} at ${at}`)
        frame.fill(0)
        t.match(actions, [{ mac: THEIRS }], 'the MAC address is a copy')
        t.equal(probe.state, 'conflict')
        t.equal(probe.deadline, Infinity)
        t.same(probe.receive(sample.arp({ sender: V4 }), at), [], 'nothing after the verdict')
        t.same(probe.expire(100_000), [])
      }
    }
  },
)

t.test(
  'RFC 5227 section 2.1.1: a probe of another host for the same address is a conflict, our own is not',
  async t => {
    const theirs = sample.arp({ sender: NO_V4, target: V4 })
    t.same(arpProbe().receive(theirs, 0), [{ type: 'conflict', mac: THEIRS, kind: 'simultaneous-probe' }])
    const ours = sample.arp({ sender: NO_V4, target: V4, mac: OURS })
    t.same(arpProbe().receive(ours, 0), [], 'a hub gives it back')
    const isOwn = (mac: Uint8Array): boolean => wire.formatMac(mac) === wire.formatMac(THEIRS)
    t.same(arpProbe({ isOwn }).receive(theirs, 0), [], 'another interface of this host')
    const owner = [{ type: 'conflict', mac: THEIRS, kind: 'owner' }]
    t.same(arpProbe({ isOwn }).receive(sample.arp({ sender: V4 }), 0), owner, 'if that has the address, it is in use')
    const cloned = arpProbe().receive(sample.arp({ sender: V4, mac: OURS }), 0)
    t.match(cloned, [{ kind: 'owner', mac: OURS }], 'and so it is with a host that has our MAC address')
  },
)

t.test('RFC 5227 section 2.1.1: other frames say nothing about the address', async t => {
  const probe = arpProbe()
  const frames = {
    'another address': sample.arp({ sender: OTHER_V4 }),
    'a request for it': sample.arp({ sender: OTHER_V4, target: V4 }),
    'a probe for another': sample.arp({ sender: NO_V4, target: OTHER_V4 }),
    'a reply from 0.0.0.0': sample.arp({ operation: 2, sender: NO_V4, target: V4 }),
    'neither request nor reply': sample.arp({ operation: 8, sender: V4 }),
    'a broadcast MAC address': sample.arp({ sender: V4, mac: wire.BROADCAST_MAC }),
    'no MAC address': sample.arp({ sender: V4, mac: wire.ZERO_MAC }),
    'another hardware type': sample.arp({ sender: V4 }).with(15, 6),
    'cut off': sample.arp({ sender: V4 }).subarray(0, 41),
    IPv6: sample.advertisement(V6),
  }
  for (const [name, frame] of Object.entries(frames)) t.same(probe.receive(frame, 0), [], name)
  t.equal(probe.state, 'probing')
})

t.test('RFC 5227 section 2.1.1: after MAX_CONFLICTS one attempt each RATE_LIMIT_INTERVAL', async t => {
  const limit = new AttemptLimit()
  for (let i = 0; i < 10; i++) {
    t.equal(limit.attempt(100 * i), 100 * i, 'at once')
    t.notOk(limit.limited)
    limit.conflicted()
  }
  t.ok(limit.limited)
  t.equal(limit.attempt(1000), 60_900, 'a minute after the one before')
  t.equal(limit.attempt(1000), 120_900)
  t.equal(limit.attempt(500_000), 500_000)
  const probe = arpProbe({ notBefore: 60_900 })
  t.equal(probe.deadline, 61_400, 'PROBE_WAIT counts from there')
  t.same(probe.expire(60_000), [])
  t.equal(new AttemptLimit({ maxConflicts: 0, rateLimitInterval: 5 }).attempt(7), 7, 'the first one waits for nothing')
  t.throws(() => new AttemptLimit({ maxConflicts: -1 }), /^maxConflicts/)
  t.throws(() => new AttemptLimit({ rateLimitInterval: NaN }), /^rateLimitInterval/)
})

t.test(
  'RFC 4862 section 5.4.2: one solicitation from :: to the solicited-node group, and RetransTimer of silence',
  async t => {
    t.same(timeline(ndpProbe()), [
      ['send', 500],
      ['free', 1500],
    ])
    t.same(timeline(ndpProbe({ maxRtrSolicitationDelay: 0, dupAddrDetectTransmits: 3, retransTimer: 100 })), [
      ['send', 0],
      ['send', 100],
      ['send', 200],
      ['free', 300],
    ])
    const [frame = new Uint8Array()] = sent(ndpProbe())
    const ethernet = wire.decodeEthernet(frame)
    const packet = wire.decodeIpv6(ethernet.payload)
    t.equal(wire.ndpFault(packet), undefined, 'RFC 4861 section 7.1.1: valid')
    t.same(ethernet.destination, hex('3333ff000001'))
    t.same(packet.source, NO_V6)
    t.same(packet.destination, wire.solicitedNodeMulticast(V6))
    const { targetAddress, options } = wire.decodeNeighborSolicitation(packet.payload)
    t.same(targetAddress, V6)
    t.match(options, [{ kind: 'nonce', nonce: { length: 6 } }], 'RFC 7527 section 4.1: a nonce and nothing else')
  },
)

t.test('RFC 4862 section 5.1: with DupAddrDetectTransmits 0 nothing is sent and the address is free', async t => {
  t.same(timeline(ndpProbe({ dupAddrDetectTransmits: 0 })), [['free', 0]])
})

t.test(
  'RFC 4862 section 5.4.3: a solicitation from :: by another node is a duplicate, one from an address is not',
  async t => {
    const conflict = [{ type: 'conflict', mac: THEIRS, kind: 'simultaneous-probe' }]
    t.same(ndpProbe().receive(sample.solicitation(V6), 0), conflict)
    const nonce = { kind: 'nonce', nonce: hex('010203040506') } as const
    t.same(ndpProbe().receive(sample.solicitation(V6, { options: [nonce] }), 0), conflict, 'RFC 7527: with its nonce')
    const asking = { source: LINK_LOCAL, options: [{ kind: 'source-link-layer-address', address: THEIRS }] } as const
    t.same(ndpProbe().receive(sample.solicitation(V6, asking), 0), [], 'somebody asks who has it')
    t.same(ndpProbe().receive(sample.solicitation(OTHER_V6), 0), [])
  },
)

t.test('RFC 4862 section 5.4.4: an advertisement for the address is a duplicate', async t => {
  const conflict = [{ type: 'conflict', mac: THEIRS, kind: 'owner' }]
  t.same(ndpProbe().receive(sample.advertisement(V6), 0), conflict)
  t.same(ndpProbe().receive(sample.advertisement(V6, { options: [] }), 0), conflict, 'without its option: who sent it')
  t.same(ndpProbe().receive(sample.advertisement(OTHER_V6), 0), [])
})

t.test('RFC 4861 sections 7.1.1 and 7.1.2: what must be discarded makes no duplicate', async t => {
  const frames = {
    'hop limit': sample.advertisement(V6, { hopLimit: 254 }),
    checksum: sample.advertisement(V6).with(57, 0),
    code: sample.advertisement(V6).with(55, 1),
    'solicited to a group': sample.advertisement(V6, { solicited: true }),
    'from :: to another group': sample.solicitation(V6, { destination: sample.ALL_NODES }),
    'from :: with its address': sample.solicitation(V6, {
      options: [{ kind: 'source-link-layer-address', address: THEIRS }],
    }),
    'cut off': sample.advertisement(V6).subarray(0, 77),
    'option of length 0': sample.advertisement(V6, { options: [{ kind: 'mtu', mtu: 1 }] }).with(79, 0),
  }
  const probe = ndpProbe()
  for (const [name, frame] of Object.entries(frames)) t.same(probe.receive(frame, 0), [], name)
})

t.test('RFC 7527 section 4: our own solicitation that comes back is no duplicate, and more follow', async t => {
  let seed = 0
  const random = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
  const probe = ndpProbe({ maxRtrSolicitationDelay: 0, random })
  const echo = (): Uint8Array => {
    const [action] = probe.expire(probe.deadline)
    assert(action?.type === 'send')
    // A loop may put another source on it.
    return action.frame.with(11, 0x77)
  }
  const first = echo()
  t.same(probe.receive(first, 1), [])
  t.equal(probe.loopedBack, 1)
  const more = [echo(), echo(), echo()]
  t.equal(probe.deadline, 4000, 'MAX_MULTICAST_SOLICIT more, RetransTimer apart')
  t.equal(new Set([first, ...more].map(frame => Buffer.from(frame).toString('hex'))).size, 4, 'each has its own nonce')
  t.same(probe.expire(4000), [{ type: 'free' }], 'none of these came back')
  const stranger = ndpProbe()
  t.match(stranger.receive(first, 0), [{ kind: 'simultaneous-probe' }], 'the nonce of another host')
})

t.test('options: what is no time, number or address', async t => {
  t.throws(() => arpProbe({ probeWait: -1 }), /^probeWait must be .* not -1$/)
  t.throws(() => arpProbe({ probeMin: 3000 }), /^probeMax must be no less than probeMin, which is 3000, not 2000$/)
  t.throws(() => arpProbe({ probeNum: 0 }), /^probeNum must be .* not 0$/)
  t.throws(() => ndpProbe({ dupAddrDetectTransmits: 1.5 }), /^dupAddrDetectTransmits must be .* not 1\.5$/)
  t.throws(() => ndpProbe({ retransTimer: Infinity }), /^retransTimer must be .* not Infinity$/)
  for (const [protocol, address] of [
    ['arp', V6],
    ['ndp', V4],
    ['arp', NO_V4],
    ['arp', hex('e0000001')],
    ['ndp', sample.ALL_NODES],
  ] as const) {
    t.throws(() => new AddressProbe({ protocol, mac: OURS }, address, { now: 0, random: half }), /^address /)
  }
})

t.test('property: any octets in any order leave a probe with one verdict, and throw nothing', async () => {
  const frames = fc.oneof(
    fc.uint8Array({ maxLength: 120 }),
    fc
      .tuple(
        fc.constantFrom(sample.arp({ sender: V4 }), sample.solicitation(V6), sample.advertisement(V6)),
        fc.array(fc.tuple(fc.nat(90), fc.nat(255)), { maxLength: 4 }),
        fc.nat(90),
      )
      .map(([frame, changes, cut]) => {
        const changed = frame.slice(0, cut < 20 ? undefined : cut)
        for (const [at, value] of changes) changed[at] = value
        return changed
      }),
  )
  fc.assert(
    fc.property(fc.constantFrom(arpProbe, ndpProbe), fc.array(frames, { maxLength: 20 }), (make, frames) => {
      const probe = make()
      const actions = frames.flatMap(frame => [...probe.expire(probe.deadline), ...probe.receive(frame, 0)])
      const verdicts = [...actions, ...play(probe).map(({ action }) => action)].filter(({ type }) => type !== 'send')
      assert.equal(verdicts.length, 1)
      assert.equal(probe.state, verdicts[0]?.type)
    }),
  )
})

for (const protocol of ['arp', 'ndp'] as const) {
  t.test(`property: ${protocol}: two hosts never both find an address free when their frames arrive`, async () => {
    // A question and its answer must be back before the silence is over: ANNOUNCE_WAIT, RetransTimer.
    const delay = fc.integer({ min: 0, max: protocol === 'arp' ? 999 : 499 })
    const start = fc.integer({ min: 0, max: 15_000 })
    fc.assert(
      fc.property(start, fc.array(delay, { minLength: 1, maxLength: 10 }), fc.nat(), (start, delays, seed) => {
        const states = race(protocol, { start, delays, lost: [], seed }).map(({ state }) => state)
        assert.notDeepEqual(states, ['free', 'free'])
      }),
      { numRuns: 300 },
    )
  })

  t.test(`property: ${protocol}: with frames lost, a host finds free exactly what it heard nothing about`, async () => {
    const delays = fc.array(fc.nat(3000), { minLength: 1, maxLength: 10 })
    const lost = fc.array(fc.boolean(), { maxLength: 12 })
    fc.assert(
      fc.property(fc.nat(15_000), delays, lost, fc.nat(), (start, delays, lost, seed) => {
        for (const { state, heard } of race(protocol, { start, delays, lost, seed })) {
          assert.equal(state, heard === 0 ? 'free' : 'conflict')
        }
      }),
      { numRuns: 300 },
    )
  })
}
