/** A second owner of our addresses: RFC 5227 section 2.4, RFC 4862 section 5.4 seen from the owner, in virtual time. */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import {
  ConflictDetector,
  type ConflictDetectorOptions,
  type ConflictSighting,
  type ConflictVerdict,
} from '@typemetal/arp-ndp/acd'
import { OwnedAddresses, Responder, type ResponderIdentity } from '@typemetal/arp-ndp/responder'
import * as wire from '@typemetal/arp-ndp/wire'
import * as sample from './acd-samples.js'
import { hex } from './octets.js'

const { OURS, THEIRS, V4, OTHER_V4, NO_V4, V6, OTHER_V6, NO_V6, LINK_LOCAL, arp, advertisement, solicitation } = sample
const ARP: ResponderIdentity = { protocol: 'arp', interface: 'eth0', mac: OURS }
const NDP: ResponderIdentity = { protocol: 'ndp', interface: 'eth0', mac: OURS, linkLocal: LINK_LOCAL.with(15, 1) }

function watch(identity: ResponderIdentity, options?: ConflictDetectorOptions) {
  const table = new OwnedAddresses()
  table.set('192.0.2.1', V4, 'all')
  table.set('2001:db8::1', V6, 'all')
  return { table, detector: new ConflictDetector(identity, table, options) }
}

function conflict(verdict: ConflictVerdict): ConflictSighting {
  if (typeof verdict === 'string') throw new Error(`no conflict: ${verdict}`)
  return verdict
}
const mac = (number: number): Uint8Array => Uint8Array.of(2, number >>> 24, number >>> 16, number >>> 8, number, 0xcc)

t.test('RFC 5227 section 2.4: ARP with our address as sender and another hardware address is a conflict', async t => {
  for (const operation of [wire.ArpOperation.Request, wire.ArpOperation.Reply]) {
    const { table, detector } = watch(ARP)
    const verdict = conflict(detector.observe(arp({ operation, sender: V4 }), 7))
    t.match(verdict, { type: 'conflict', kind: 'claim', mac: THEIRS, count: 1, since: 7, first: true, lost: false })
    t.equal(verdict.owned, table.get('192.0.2.1'))
    t.equal(verdict.defend, undefined, 'by default who wins is for the caller to decide')
  }
})

t.test('RFC 5227 section 2.4: what is no conflict, and why', async t => {
  const isOwn = (mac: Uint8Array): boolean => mac[5] === 0x99
  const { table, detector } = watch(ARP, { isOwn })
  table.set('192.0.2.3', hex('c0000203'), ['eth1'])
  const frames = {
    'own-frame': [
      arp({ sender: V4, mac: OURS }),
      arp({ sender: V4, source: OURS }),
      arp({ sender: V4, mac: hex('020000000099') }),
    ],
    'other-address': [arp({ sender: OTHER_V4 }), arp({ sender: OTHER_V4, target: V4 })],
    'interface-not-selected': [arp({ sender: hex('c0000203') })],
    'no-claim': [arp({ sender: NO_V4, target: V4 }), arp({ operation: 3, sender: V4 })],
    'bad-sender': [arp({ sender: V4, mac: wire.BROADCAST_MAC }), arp({ sender: V4, mac: hex('000000000000') })],
    truncated: [arp({ sender: V4 }).subarray(0, 41), new Uint8Array()],
    'other-protocol': [advertisement(V6)],
    'bad-field': [arp({ sender: V4 }).with(18, 8), arp({ sender: V4 }).with(12, 0)],
    'vlan-tagged': [hex(`ffffffffffff 0200000000ee 8100 0005 0806 ${'00'.repeat(46)}`)],
  }
  for (const [reason, those] of Object.entries(frames)) {
    for (const frame of those) t.equal(detector.observe(frame, 0), reason)
    t.equal(detector.ignored.get(reason as never), those.length)
  }
  t.same(detector.conflicts(0), [])
})

t.test('RFC 5227 section 2.4: a gratuitous request of another owner is answered, and is a conflict', async t => {
  const { table, detector } = watch(ARP)
  const announcement = arp({ sender: V4, target: V4 })
  t.match(new Responder(ARP, table).handle(announcement), { owned: { text: '192.0.2.1' } })
  t.equal(conflict(detector.observe(announcement, 0)).kind, 'claim')
})

t.test('RFC 5227 section 2.4 (a): never defended, however often', async t => {
  const { detector } = watch(ARP, { defend: 'never' })
  for (let now = 0; now < 100_000; now += 1000) {
    t.match(detector.observe(arp({ sender: V4 }), now), { defend: undefined, lost: false })
  }
})

t.test(
  'RFC 5227 section 2.4 (b): once an ARP Announcement; lost when that does not help within DEFEND_INTERVAL',
  async t => {
    const { detector } = watch(ARP, { defend: 'once' })
    const see = (now: number): ConflictSighting => conflict(detector.observe(arp({ sender: V4 }), now))
    const first = see(0)
    t.equal(first.lost, false)
    t.same(
      first.defend,
      hex(`ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000201
    ${'00'.repeat(18)}`),
    )
    t.ok(wire.isArpAnnouncement(wire.decodeArp(wire.decodeEthernet(first.defend!).payload)))
    t.match(see(9999), { defend: undefined, lost: true })
    t.match(see(10_000), { defend: first.defend, lost: false }, 'not recently any more')
  },
)

t.test('RFC 5227 section 2.4 (c): always defended, but once in DEFEND_INTERVAL for each address', async t => {
  const { table, detector } = watch(ARP, { defend: 'always' })
  table.set('192.0.2.2', OTHER_V4, 'all')
  const defended = (sender: Uint8Array, from: Uint8Array, now: number): boolean => {
    const verdict = conflict(detector.observe(arp({ sender, mac: from }), now))
    t.notOk(verdict.lost)
    return verdict.defend !== undefined
  }
  t.ok(defended(V4, THEIRS, 0))
  t.notOk(defended(V4, THEIRS, 1))
  t.notOk(defended(V4, mac(1), 2), 'another host makes no difference')
  t.ok(defended(OTHER_V4, THEIRS, 2), 'another address does')
  t.notOk(defended(V4, THEIRS, 9999))
  t.ok(defended(V4, THEIRS, 10_000))
})

t.test('RFC 5227 section 2.4: two hosts that always defend do not keep answering each other', async t => {
  const [one, two] = [ARP, { ...ARP, mac: THEIRS }].map(identity => watch(identity, { defend: 'always' }).detector)
  let frame: Uint8Array | undefined = arp({ sender: V4 })
  let frames = 0
  for (let now = 0; frame !== undefined && frames < 100; now++) {
    const verdict: ConflictVerdict = (frames % 2 === 0 ? one! : two!).observe(frame, now)
    frame = conflict(verdict).defend
    frames++
  }
  t.equal(frames, 3, 'a defence each, and silence')
})

t.test('RFC 4861 section 7.2.5: an advertisement for our address from another MAC address is a conflict', async t => {
  const { detector } = watch(NDP, { defend: 'once' })
  t.equal(detector.observe(advertisement(OTHER_V6), 0), 'other-address')
  t.equal(detector.observe(advertisement(V6, { mac: OURS }), 0), 'own-frame')
  t.equal(detector.observe(advertisement(V6, { hopLimit: 64 }), 0), 'hop-limit')
  t.equal(detector.observe(advertisement(V6).with(57, 1), 0), 'checksum')
  t.equal(detector.observe(advertisement(V6, { solicited: true }), 0), 'solicited-to-multicast')
  t.equal(detector.observe(arp({ sender: V4 }), 0), 'other-protocol')
  t.equal(detector.observe(advertisement(V6).with(19, 200), 0), 'truncated', 'longer than its frame')
  t.equal(detector.observe(advertisement(V6).with(19, 20), 0), 'truncated', 'shorter than an advertisement')
  t.equal(detector.observe(advertisement(V6).with(14, 0x40), 0), 'bad-field', 'IPv4')
  t.equal(detector.observe(advertisement(V6).with(20, 6), 0), 'no-claim', 'TCP')
  t.equal(detector.observe(advertisement(V6).subarray(0, 40), 0), 'truncated')
  t.match(detector.observe(advertisement(V6, { options: [] }), 0), { kind: 'claim', mac: THEIRS, first: true })
  const behind = [{ kind: 'target-link-layer-address', address: mac(1) }] as const
  t.match(detector.observe(advertisement(V6, { options: behind }), 0), { mac: mac(1), lost: true }, 'its option counts')
})

t.test(
  'RFC 4862 section 5.4.3: Duplicate Address Detection for our address; an ordinary question is the responder’s',
  async t => {
    const { detector } = watch(NDP)
    const sighting = conflict(detector.observe(solicitation(V6), 0))
    t.match(sighting, { kind: 'probe', mac: THEIRS, first: true, lost: false })
    t.equal(sighting.defend, undefined, 'as the reference has it')
    t.match(detector.conflicts(0), [{ kind: 'probe' }])
    const options = [{ kind: 'source-link-layer-address', address: THEIRS }] as const
    t.equal(detector.observe(solicitation(V6, { source: LINK_LOCAL, options }), 0), 'no-claim')
    t.equal(detector.observe(solicitation(V6, { options }), 0), 'source-link-layer-address')
    t.equal(detector.observe(solicitation(V6, { destination: sample.ALL_NODES }), 0), 'not-to-solicited-node')
    t.equal(conflict(detector.observe(advertisement(V6), 1)).kind, 'claim')
    t.match(detector.conflicts(1), [{ kind: 'claim', count: 2 }], 'now it has the address')
  },
)

t.test(
  'RFC 4861 section 7.2.4: a defended address answers Duplicate Address Detection to all nodes, S=0 and O=1',
  async t => {
    const { detector } = watch(NDP, { defend: 'once' })
    const { defend = new Uint8Array() } = conflict(detector.observe(solicitation(V6), 0))
    const ethernet = wire.decodeEthernet(defend)
    const packet = wire.decodeIpv6(ethernet.payload)
    t.equal(wire.ndpFault(packet), undefined)
    t.same(packet.destination, sample.ALL_NODES)
    t.match(wire.decodeNeighborAdvertisement(packet.payload), {
      solicited: false,
      override: true,
      targetAddress: V6,
      options: [{ kind: 'target-link-layer-address', address: OURS }],
    })
    const answers = Array.from({ length: 100 }, (_, i) => conflict(detector.observe(solicitation(V6), i)).defend)
    t.equal(answers.filter(Boolean).length, 9, 'ten in a second, with the first')
    t.ok(conflict(detector.observe(solicitation(V6), 1000)).defend)
    t.notOk(conflict(detector.observe(solicitation(V6), 1000)).lost, 'a question takes nothing away')
  },
)

t.test('reports: the first sighting, then once an interval for each address and MAC address', async t => {
  const { detector } = watch(ARP)
  const reports: number[] = []
  for (let now = 0; now < 3000; now += 100) {
    const { report, count, since } = conflict(detector.observe(arp({ sender: V4 }), now))
    if (report) reports.push(now)
    t.equal(count, now / 100 + 1)
    t.equal(since, 0)
  }
  t.same(reports, [0, 1000, 2000])
  t.ok(conflict(detector.observe(arp({ sender: V4, mac: mac(1) }), 3000)).report)
})

t.test('reports: that it has what it only wanted before is told at once', async t => {
  const { detector } = watch(NDP)
  const reported = (frame: Uint8Array, now: number): boolean => conflict(detector.observe(frame, now)).report
  t.ok(reported(solicitation(V6), 0))
  t.notOk(reported(solicitation(V6), 10))
  t.ok(reported(advertisement(V6), 20))
  t.notOk(reported(advertisement(V6), 30))
  t.notOk(reported(solicitation(V6), 40), 'it wants it again: nothing new')
  t.notOk(reported(advertisement(V6), 50))
  t.ok(reported(advertisement(V6), 1020))
})

t.test('a conflict that is not seen for a while is over, one that goes on is not', async t => {
  const { detector } = watch(ARP, { expiry: 60_000 })
  t.equal(detector.deadline, Infinity)
  detector.observe(arp({ sender: V4 }), 0)
  detector.observe(arp({ sender: V4, mac: mac(1) }), 0)
  t.equal(detector.deadline, 60_000)
  detector.observe(arp({ sender: V4 }), 30_000)
  t.same(detector.expire(59_999), [])
  t.same(
    detector.conflicts(30_000).map(({ mac, count }) => [wire.formatMac(mac), count]),
    [
      [wire.formatMac(THEIRS), 2],
      [wire.formatMac(mac(1)), 1],
    ],
  )
  const gone = {
    address: '192.0.2.1',
    interface: 'eth0',
    mac: mac(1),
    kind: 'claim',
    firstSeen: 0,
    lastSeen: 0,
    count: 1,
  }
  t.equal(detector.conflicts(60_000).length, 1, 'gone from the list in time')
  t.same(detector.expire(60_000), [gone])
  t.equal(detector.deadline, 90_000)
  t.match(detector.expire(90_000), [{ mac: THEIRS, firstSeen: 0, lastSeen: 30_000 }])
  t.equal(detector.deadline, Infinity)
  t.match(detector.observe(arp({ sender: V4 }), 100_000), { first: true, since: 100_000, count: 1 })
})

t.test('a conflict that comes back before it was taken out is a new one', async t => {
  const { detector } = watch(ARP, { expiry: 1000 })
  detector.observe(arp({ sender: V4 }), 0)
  t.match(detector.observe(arp({ sender: V4 }), 5000), { first: true, report: true, since: 5000, count: 1 })
  t.equal(detector.conflicts(5000).length, 1)
})

t.test('the conflicts of an address that is taken away, or moved to another interface, are over', async t => {
  const { table, detector } = watch(ARP)
  table.set('192.0.2.2', OTHER_V4, 'all')
  detector.observe(arp({ sender: V4 }), 0)
  detector.observe(arp({ sender: OTHER_V4 }), 0)
  table.delete('192.0.2.1')
  table.set('192.0.2.2', OTHER_V4, ['eth1'])
  t.same(detector.conflicts(1), [])
  t.match(detector.expire(1), [{ address: '192.0.2.1' }, { address: '192.0.2.2' }])
  t.equal(detector.deadline, Infinity)
})

t.test('a flood of invented MAC addresses grows nothing, and reports little', async t => {
  const { detector } = watch(ARP, { defend: 'always' })
  let reports = 0
  let defended = 0
  for (let i = 0; i < 100_000; i++) {
    const verdict = detector.observe(arp({ sender: V4, mac: mac(i) }), i / 100)
    if (typeof verdict !== 'string' && verdict.report) reports++
    if (typeof verdict !== 'string' && verdict.defend) defended++
  }
  t.equal(reports, 8)
  t.equal(defended, 1)
  t.equal(detector.conflicts(1000).length, 8)
  t.equal(detector.ignored.get('too-many'), 99_992)
  t.equal(detector.expire(61_000).length, 8)
  t.match(detector.observe(arp({ sender: V4 }), 61_000), { first: true }, 'there is room again')
})

t.test('all addresses in conflict at once: as many as there is capacity for', async t => {
  const { table, detector } = watch(ARP, { capacity: 100, macsPerAddress: 2 })
  for (let i = 0; i < 200; i++) {
    const octets = Uint8Array.of(10, 0, 0, i)
    table.set(octets.join('.'), octets, 'all')
    detector.observe(arp({ sender: octets }), i)
  }
  t.equal(detector.conflicts(200).length, 100)
  t.equal(detector.ignored.get('too-many'), 100)
  t.equal(detector.expire(90_000).length, 100)
  t.match(detector.observe(arp({ sender: V4 }), 100_000), { first: true }, 'room again')
})

t.test('options: what is no policy, time or number', async t => {
  t.throws(() => watch(ARP, { defend: 'sometimes' as never }), /^defend must be 'never', 'once' or 'always', not /)
  for (const name of ['defendInterval', 'expiry', 'reportInterval', 'macsPerAddress', 'capacity']) {
    t.throws(() => watch(ARP, { [name]: -1 }), {
      name: 'RangeError',
      message: new RegExp(`^${name} must be .* not -1$`),
    })
  }
})

t.test(
  'property: no octets throw, every frame is one conflict or counted for one reason, memory is bounded',
  async () => {
    const valid = [
      arp({ sender: V4 }),
      arp({ sender: NO_V4, target: V4 }),
      solicitation(V6),
      advertisement(V6),
      advertisement(V6, { options: [{ kind: 'nonce', nonce: NO_V6.subarray(0, 6) }] }),
    ]
    const mutated = fc
      .tuple(
        fc.constantFrom(...valid),
        fc.array(fc.tuple(fc.nat(90), fc.nat(255)), { maxLength: 3 }),
        fc.option(fc.nat(90), { nil: undefined }),
      )
      .map(([frame, changes, cut]) => {
        const changed = frame.slice(0, cut)
        for (const [at, value] of changes) changed[at] = value
        return changed
      })
    const frame = fc.oneof(mutated, fc.uint8Array({ maxLength: 120 }))
    const identity = fc.constantFrom(ARP, NDP)
    fc.assert(
      fc.property(identity, fc.array(fc.tuple(frame, fc.nat(30_000)), { maxLength: 40 }), (identity, frames) => {
        const { detector } = watch(identity, { defend: 'always', macsPerAddress: 2 })
        let now = 0
        let seen = 0
        for (const [frame, later] of frames) {
          now += later
          if (typeof detector.observe(frame, now) !== 'string') seen++
          if (now >= detector.deadline) detector.expire(now)
          assert.ok(detector.conflicts(now).length <= 2)
        }
        const ignored = [...detector.ignored.values()].reduce((sum, count) => sum + count, 0)
        assert.equal(seen + ignored, frames.length)
      }),
      { numRuns: 300 },
    )
  },
)
