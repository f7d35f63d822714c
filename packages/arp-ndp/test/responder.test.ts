import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import {
  Announcer,
  answeredBy,
  arpRequest,
  compareScan,
  DEFAULT_EXCLUDED_INTERFACES,
  excludes,
  gratuitousArp,
  GroupMembership,
  neighborSolicitation,
  OwnedAddresses,
  Responder,
  scan,
  unsolicitedAdvertisement,
  type ResponderIdentity,
  type ScannedLink,
  type Verdict,
} from '@typemetal/arp-ndp/responder'
import * as wire from '@typemetal/arp-ndp/wire'
import { hex, METALLB } from './octets.js'

/** Ordinary objects, which deepEqual tells from those without a prototype. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true })

const MAC = hex('020000000001')
const CLIENT = hex('020000000099')
const LINK_LOCAL = hex('fe80000000000000000000fffe000001')
const CLIENT_IPV6 = hex('20010db8000000000000000000000099')
const V4 = Uint8Array.of(192, 0, 2, 1)
const V6 = hex('20010db8000000000000000000000001')
const ARP: ResponderIdentity = { protocol: 'arp', interface: 'eth0', mac: MAC }
const NDP: ResponderIdentity & { protocol: 'ndp' } = {
  protocol: 'ndp',
  interface: 'eth0',
  mac: MAC,
  linkLocal: LINK_LOCAL,
}
const ASKER = { interface: 'eth0', mac: CLIENT, linkLocal: CLIENT_IPV6 }

function table(): OwnedAddresses {
  const owned = new OwnedAddresses()
  owned.set('192.0.2.1', V4, 'all')
  owned.set('2001:db8::1', V6, ['eth0'])
  return owned
}
const dropped = (responder: Responder, frame: Uint8Array, reason: string): void => {
  const before = responder.drops.get(reason as never) ?? 0
  assert.equal(responder.handle(frame), reason)
  assert.equal(responder.drops.get(reason as never), before + 1, 'and counted')
}
function reply(verdict: Verdict): Uint8Array {
  assert.ok(typeof verdict !== 'string', `dropped: ${JSON.stringify(verdict)}`)
  return verdict.frame
}

/** The client's ARP request with some octets changed. */
function request(change: (frame: Uint8Array) => void = () => {}): Uint8Array {
  const frame = arpRequest(CLIENT, Uint8Array.of(192, 0, 2, 77), V4)
  change(frame)
  return frame
}

/** The client's solicitation with some octets changed and the checksum made good again. */
function solicitation(change: (frame: Uint8Array) => void = () => {}): Uint8Array {
  const frame = neighborSolicitation(ASKER, V6)
  change(frame)
  wire.writeChecksum(frame.subarray(22, 38), frame.subarray(38, 54), frame.subarray(54))
  return frame
}

t.test('the gratuitous frames and the answer are the reference’s, octet for octet', async t => {
  t.same(gratuitousArp(MAC, V4), [hex(METALLB.gratuitousRequest), hex(METALLB.gratuitousReply)])
  t.same(reply(new Responder(ARP, table()).handle(request())), hex(METALLB.reply))
  const body = (frame: Uint8Array): Uint8Array => frame.slice(54).fill(0, 2, 4) // the checksum is zero in the vectors
  t.same(body(reply(new Responder(NDP, table()).handle(solicitation()))), hex(METALLB.solicitedAdvertisement))
  t.same(body(unsolicitedAdvertisement(NDP, V6)), hex(METALLB.unsolicitedAdvertisement))
})

t.test('ARP: what is answered', async t => {
  const owned = table()
  const responder = new Responder(ARP, owned)
  t.ok(reply(responder.handle(request())))
  t.ok(
    reply(responder.handle(request(frame => frame.set(MAC)))),
    'unicast to us, as a neighbour that checks on us asks',
  )
  const probe = reply(responder.handle(request(frame => frame.fill(0, 28, 32))))
  t.same(wire.decodeArp(probe.subarray(14)).targetProtocolAddress, new Uint8Array(4), 'RFC 5227 §2.1.1: a probe')
  const behind = reply(responder.handle(request(frame => frame.set(hex('020000000055'), 6))))
  t.same(behind.subarray(0, 6), CLIENT, 'goes to the sender that the packet names')
  t.same(owned.get('192.0.2.1')?.counters, { requestsReceived: 4, responsesSent: 0, gratuitousSent: 0 })
  t.equal(responder.drops.size, 0)
})

for (const [reason, name, change] of [
  ['not-a-request', 'operation 2', frame => (frame[21] = 2)],
  ['not-for-us', 'to another station', frame => frame.set(hex('020000000002'))],
  ['not-for-us', 'to a multicast group', frame => frame.set(hex('01005e000001'))],
  ['own-frame', 'our own frame', frame => frame.set(MAC, 6)],
  ['own-frame', 'our own packet, brought back by a loop', frame => frame.set(MAC, 22)],
  ['bad-sender', 'broadcast sender', frame => frame.fill(0xff, 22, 28)],
  ['bad-sender', 'multicast sender', frame => (frame[22] = 0x33)],
  ['bad-sender', 'sender of zeros', frame => frame.fill(0, 22, 28)],
  ['not-owned', 'another address', frame => (frame[41] = 2)],
  ['bad-field', 'another hardware type', frame => (frame[15] = 6)],
  ['vlan-tagged', '802.1Q tag', frame => frame.set(hex('81000001'), 12)],
  ['other-protocol', 'IPv6', frame => frame.set(hex('86dd'), 12)],
  ['bad-field', '802.3 length', frame => frame.set(hex('001c'), 12)],
] as readonly (readonly [string, string, (frame: Uint8Array) => void])[]) {
  t.test(`ARP: ${name} is dropped as ${reason}`, async () =>
    dropped(new Responder(ARP, table()), request(change), reason),
  )
}

t.test('ARP: every truncation is dropped as truncated', async () => {
  const responder = new Responder(ARP, table())
  for (let n = 0; n < 42; n++) dropped(responder, request().subarray(0, n), 'truncated')
})

t.test('NDP: what is answered', async t => {
  const owned = table()
  const responder = new Responder(NDP, owned)
  const frame = reply(responder.handle(solicitation()))
  const ethernet = wire.decodeEthernet(frame)
  t.match(ethernet, { destination: CLIENT, source: MAC, etherType: 0x86dd })
  const packet = wire.decodeIpv6(ethernet.payload)
  t.match(packet, { hopLimit: 255, source: LINK_LOCAL, destination: CLIENT_IPV6, nextHeader: 58 })
  t.ok(wire.hasValidChecksum(packet.source, packet.destination, packet.payload))
  t.match(wire.decodeNeighborAdvertisement(packet.payload), { router: false, solicited: true, override: false })
  const probe = reply(responder.handle(solicitation(frame => (frame.set(MAC), frame.set(V6, 38)))))
  t.ok(probe, 'RFC 4861 §7.3.3: the unicast probe of a neighbour that has us already')
  t.equal(owned.get('2001:db8::1')?.counters.requestsReceived, 2)
})

for (const [reason, name, change] of [
  ['not-a-request', 'TCP', frame => (frame[20] = 6)],
  ['not-a-request', 'echo request', frame => (frame[54] = 128)],
  ['not-a-request', 'advertisement', frame => (frame[54] = 136)],
  ['not-for-us', 'to another station', frame => frame.set(hex('020000000002'))],
  ['own-frame', 'our own frame', frame => frame.set(MAC, 6)],
  ['own-frame', 'our own packet', frame => frame.set(LINK_LOCAL, 22)],
  ['hop-limit', 'RFC 4861 §7.1.1: hop limit 254', frame => (frame[21] = 254)],
  ['bad-field', 'RFC 4861 §7.1.1: Code 1', frame => (frame[55] = 1)],
  ['multicast-target', 'RFC 4861 §7.1.1: multicast target', frame => (frame[62] = 0xff)],
  ['bad-length', 'RFC 4861 §4.6: option of length 0', frame => (frame[79] = 0)],
  ['truncated', 'option beyond the message', frame => (frame[79] = 2)],
  ['bad-sender', 'RFC 4861 §7.1.1: SLLA from ::', frame => frame.fill(0, 22, 38)],
  ['bad-sender', 'from a multicast address', frame => (frame[22] = 0xff)],
  ['own-frame', 'our own SLLA', frame => frame.set(MAC, 80)],
  ['bad-sender', 'broadcast SLLA', frame => frame.fill(0xff, 80, 86)],
  ['bad-sender', 'multicast SLLA', frame => (frame[80] = 0x33)],
  ['no-source-link-layer-address', 'unknown option instead', frame => (frame[78] = 14)],
  ['not-owned', 'another address', frame => (frame[77] = 2)],
  ['not-owned', 'an address that differs in its high bits', frame => (frame[62] = 0x30)],
  ['bad-field', 'IP version 4', frame => (frame[14] = 0x45)],
  ['vlan-tagged', '802.1ad tag', frame => frame.set(hex('88a8000186dd'), 12)],
  ['other-protocol', 'ARP', frame => frame.set(hex('0806'), 12)],
] as readonly (readonly [string, string, (frame: Uint8Array) => void])[]) {
  t.test(`NDP: ${name} is dropped as ${reason}`, async () =>
    dropped(new Responder(NDP, table()), solicitation(change), reason),
  )
}

t.test('NDP: DAD probe, wrong checksum and truncations', async () => {
  const responder = new Responder(NDP, table())
  // RFC 4862 §5.4.2: from `::`, without the option.
  const probe = solicitation().slice(0, 78)
  probe.fill(0, 22, 38).set([0, 24], 18)
  wire.writeChecksum(probe.subarray(22, 38), probe.subarray(38, 54), probe.subarray(54))
  dropped(responder, probe, 'no-source-link-layer-address')
  const wrong = solicitation()
  wrong[56]! ^= 1
  dropped(responder, wrong, 'checksum')
  for (let n = 0; n < 86; n++) dropped(responder, solicitation().subarray(0, n), 'truncated')
})

t.test('an address is answered only on its interfaces', async t => {
  const owned = table()
  dropped(new Responder({ ...NDP, interface: 'eth1' }, owned), solicitation(), 'interface-not-selected')
  owned.set('192.0.2.1', V4, ['eth10', 'eth2'])
  const responder = new Responder(ARP, owned)
  dropped(responder, request(), 'interface-not-selected')
  t.equal(owned.get('192.0.2.1')?.counters.requestsReceived, 0, 'and does not count as received')
  t.same(responder.gratuitous(owned.get('192.0.2.1')!), [])
  t.same(responder.gratuitous(owned.get('2001:db8::1')!), [], 'nor does ARP speak for IPv6')
  t.equal(new Responder(NDP, owned).gratuitous(owned.get('2001:db8::1')!).length, 1)
})

t.test('the table: same low bits, changes, counters that outlive their address', async t => {
  const owned = new OwnedAddresses()
  const twins = [V6, hex('20010db8000000010000000000000001')]
  for (const [i, octets] of twins.entries()) owned.set(`twin ${i}`, octets, 'all')
  t.same(
    twins.map(octets => owned.find(octets)?.text),
    ['twin 0', 'twin 1'],
  )
  owned.get('twin 0')!.counters.gratuitousSent = 7
  t.equal(owned.delete('twin 0')?.text, 'twin 0')
  t.equal(owned.delete('twin 0'), undefined)
  t.same(
    twins.map(octets => owned.find(octets)?.text),
    [undefined, 'twin 1'],
  )
  t.equal(owned.counters.get('twin 0')?.gratuitousSent, 7)
  t.equal(owned.set('twin 0', V6, ['a']).counters.gratuitousSent, 7)
  t.same(owned.set('twin 0', V6, 'all').interfaces, 'all')
  t.equal(owned.size, 2)
  t.throws(() => owned.set('short', Uint8Array.of(1), 'all'), RangeError)
  const given = V4.slice()
  owned.set('192.0.2.1', given, 'all')
  given.fill(0)
  t.equal(owned.find(V4)?.text, '192.0.2.1', 'holds its own copy')
})

t.test('property: the table finds exactly what is in it', async () => {
  const address = fc
    .tuple(fc.constantFrom(4, 16), fc.nat({ max: 3 }), fc.nat({ max: 3 }))
    .map(([length, high, low]) => {
      const octets = new Uint8Array(length)
      octets[0] = 0x20 + high
      octets[length - 1] = low
      return octets
    })
  const key = (octets: Uint8Array): string => octets.join('.')
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), address)), steps => {
      const owned = new OwnedAddresses()
      const model = new Set<string>()
      for (const [add, octets] of steps) {
        if (add) {
          owned.set(key(octets), octets, 'all')
          model.add(key(octets))
        } else assert.equal(owned.delete(key(octets)) !== undefined, model.delete(key(octets)))
        assert.equal(owned.find(octets)?.text, add ? key(octets) : undefined)
      }
      assert.deepEqual(Array.from(owned, ({ text }) => text).toSorted(), [...model].toSorted())
    }),
  )
})

t.test('property: any frame gives an answer for an owned address, or a counted reason', async () => {
  const mutated = fc
    .tuple(
      fc.boolean(),
      fc.array(fc.tuple(fc.nat({ max: 85 }), fc.nat({ max: 255 })), { maxLength: 3 }),
      fc.nat({ max: 90 }),
    )
    .map(([v4, changes, cut]) => {
      const change = (frame: Uint8Array): void => changes.forEach(([at, value]) => (frame[at] = value))
      return (v4 ? request(change) : solicitation(change)).subarray(0, cut)
    })
  const owned = table()
  const responders = [new Responder(ARP, owned), new Responder(NDP, owned)]
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 128 }), mutated), frame => {
      for (const responder of responders) {
        const verdict = responder.handle(frame)
        if (typeof verdict === 'string') continue
        assert.ok(owned.get(verdict.owned.text))
        assert.ok(wire.isStationMac(verdict.frame.subarray(0, 6)), 'an answer goes to one station')
        assert.deepEqual(verdict.frame.subarray(6, 12), MAC)
      }
    }),
    { numRuns: 5000 },
  )
})

t.test('a question and its answer fit', async t => {
  const owned = table()
  const arpReply = reply(new Responder(ARP, owned).handle(request()))
  t.same(answeredBy(arpReply, CLIENT, V4), MAC)
  t.equal(answeredBy(arpReply, CLIENT, Uint8Array.of(192, 0, 2, 9)), undefined, 'another address')
  t.equal(answeredBy(arpReply, hex('020000000098'), V4), undefined, 'not sent to us')
  t.equal(answeredBy(gratuitousArp(MAC, V4)[1], CLIENT, V4), undefined, 'gratuitous')
  t.equal(answeredBy(arpReply.subarray(0, 30), CLIENT, V4), undefined, 'cut off')
  t.equal(answeredBy(arpReply, CLIENT, V6), undefined, 'another protocol')
  const advertisement = reply(new Responder(NDP, owned).handle(solicitation()))
  t.same(answeredBy(advertisement, CLIENT, V6), MAC)
  t.equal(answeredBy(advertisement, CLIENT, CLIENT_IPV6), undefined)
  t.equal(answeredBy(advertisement, CLIENT, V4), undefined)
  const forwarded = advertisement.slice()
  forwarded[21] = 254
  t.equal(answeredBy(forwarded, CLIENT, V6), undefined)
  const solicited = solicitation()
  solicited.set(CLIENT)
  t.equal(answeredBy(solicited, CLIENT, V6), undefined, 'a solicitation is no answer')
})

// Announcer

/** Runs a script of events in virtual time. @returns times in seconds of the rounds, by address */
function rounds(
  script: readonly [at: number, type: 'announce' | 'extend' | 'withdraw', address: string][],
): Record<string, number[]> {
  const announcer = new Announcer()
  const out: Record<string, number[]> = {}
  const waiting = [...script]
  const note = (actions: readonly { address: string }[], now: number): void =>
    actions.forEach(({ address }) => (out[address] ??= []).push(now / 1000))
  for (let now = 0; now < 60_000;) {
    const at = waiting[0]?.[0] ?? Infinity
    const due = announcer.nextTimeout ?? Infinity
    now = Math.min(at, due)
    if (now === Infinity) break
    if (at <= due) {
      const [, type, address] = waiting.shift()!
      note(announcer.handle({ type, address }, now), now)
    } else note(announcer.handleTimeout(now), now)
  }
  return out
}

t.test('burst: an undisturbed announcement gives five rounds', async t => {
  t.same(rounds([[0, 'announce', 'a']]), { a: [0, 1.1, 2.2, 3.3, 4.4] })
})
t.test('burst: announcing again extends it without a round of its own', async t => {
  const script = rounds([
    [0, 'announce', 'a'],
    [2000, 'announce', 'a'],
  ])
  t.same(script, { a: [0, 1.1, 2.2, 3.3, 4.4, 5.5, 6.6] })
})
t.test('burst: addresses share one ticker', async t => {
  const script = rounds([
    [0, 'announce', 'a'],
    [1000, 'announce', 'b'],
  ])
  t.same(script, { a: [0, 1.1, 2.2, 3.3, 4.4], b: [1, 1.1, 2.2, 3.3, 4.4, 5.5] })
})
t.test('burst: a withdrawn address is skipped, and announced at once when it comes back', async t => {
  const script = rounds([
    [0, 'announce', 'a'],
    [0, 'announce', 'b'],
    [1500, 'withdraw', 'a'],
    [3000, 'announce', 'a'],
  ])
  t.same(script, { a: [0, 1.1, 3, 3.3, 4.4, 5.5, 6.6, 7.7], b: [0, 1.1, 2.2, 3.3, 4.4] })
  t.same(
    rounds([
      [0, 'announce', 'a'],
      [100, 'withdraw', 'a'],
      [9000, 'announce', 'a'],
    ])['a']?.slice(0, 3),
    [0, 9, 10.1],
    'the ticker starts anew',
  )
})
t.test('burst: extending sends nothing at once', async t => {
  t.same(rounds([[0, 'extend', 'a']]), { a: [1.1, 2.2, 3.3, 4.4] })
})
t.test('burst: late by many ticks, one round is sent and the grid is kept', async t => {
  const announcer = new Announcer()
  announcer.handle({ type: 'announce', address: 'a' }, 0)
  t.same(announcer.handleTimeout(500), [], 'early calls do nothing')
  t.equal(announcer.handleTimeout(3500).length, 1)
  t.equal(announcer.nextTimeout, 4400)
  t.same(announcer.handleTimeout(50_000), [])
  t.equal(announcer.nextTimeout, undefined, 'and it rests')
  t.same(announcer.handleTimeout(60_000), [])
})
t.test('property: no ticker runs without a burst, none runs longer than its end', async () => {
  const event = record({
    type: fc.constantFrom('announce' as const, 'extend' as const, 'withdraw' as const),
    address: fc.constantFrom('a', 'b'),
    wait: fc.nat({ max: 4000 }),
  })
  fc.assert(
    fc.property(fc.array(event), events => {
      const announcer = new Announcer()
      const ends = new Map<string, number>()
      let now = 0
      for (const { type, address, wait } of events) {
        const until = now + wait
        for (let due = announcer.nextTimeout; due !== undefined && due <= until; due = announcer.nextTimeout) {
          now = due
          for (const action of announcer.handleTimeout(now)) assert.ok(now <= (ends.get(action.address) ?? -1))
        }
        now = until
        announcer.handle({ type, address }, now)
        if (type === 'withdraw') ends.delete(address)
        else ends.set(address, now + 5000)
      }
      assert.ok(ends.size > 0 || announcer.nextTimeout === undefined)
    }),
  )
})

// Groups

t.test('RFC 4291 §2.8: a group is joined with its first address and left with its last', async t => {
  const groups = new GroupMembership()
  const twin = hex('20010db8000000070000000000000001')
  const group = hex('ff0200000000000000000001ff000001')
  t.same(groups.add('a', V6), [{ type: 'join', group }])
  t.same(groups.add('a', V6), [], 'twice counts once')
  t.same(groups.add('b', twin), [])
  t.same(groups.delete('c', V6), [], 'never added')
  t.same(groups.delete('a', V6), [])
  t.equal(groups.size, 1)
  t.same(groups.delete('b', twin), [{ type: 'leave', group }])
  t.same(groups.delete('b', twin), [], 'the count never goes below zero')
  t.same(groups.add('b', twin), [{ type: 'join', group }], 'and joins again')
})

// Scan

const link = (change: Partial<ScannedLink> = {}): ScannedLink => ({
  index: 2,
  name: 'eth0',
  mac: '02:00:00:00:00:01',
  up: true,
  flags: 0x1043,
  broadcast: true,
  noarp: false,
  master: undefined,
  addresses: [{ address: 'fe80::ff:fe00:1', family: 6, tentative: false, dadFailed: false }],
  ...change,
})
const wantedOn = (...links: ScannedLink[]): string[] => scan(links, excludes(['^lo$'])).wanted.map(({ key }) => key)

t.test('scan: which responders an interface wants', async t => {
  const address = { address: 'fe80::ff:fe00:1', family: 6, tentative: false, dadFailed: false } as const
  t.same(wantedOn(link()), ['arp 2', 'ndp 2'])
  t.same(wantedOn(link({ up: false })), [], 'down')
  t.same(wantedOn(link({ master: 7 })), [], 'member of a bond or bridge')
  t.same(wantedOn(link({ noarp: true })), [], 'NOARP, for NDP too')
  t.same(wantedOn(link({ mac: '' })), [], 'no MAC address')
  t.same(wantedOn(link({ broadcast: false })), ['ndp 2'])
  t.same(wantedOn(link({ addresses: [] })), ['arp 2'], 'no link-local address: ARP all the same')
  t.same(wantedOn(link({ addresses: [{ ...address, tentative: true }] })), ['arp 2'], 'RFC 4862 §5.4: not yet usable')
  t.same(wantedOn(link({ addresses: [{ ...address, dadFailed: true }] })), ['arp 2'], 'somebody else’s')
  t.same(wantedOn(link({ addresses: [{ ...address, address: '2001:db8::1' }] })), ['arp 2'], 'not link-local')
  t.same(wantedOn(link({ addresses: [{ ...address, address: '10.0.0.1', family: 4 }] })), ['arp 2'])
  t.same(wantedOn(link({ name: 'lo' })), [], 'excluded')
  t.same(scan([link({ up: false }), link({ name: 'lo' }), link({ name: 'p0', master: 1 })], excludes(['^lo$'])).known, [
    'eth0',
    'p0',
  ])
})

t.test('scan: exclusion is an unanchored search for any of the patterns', async t => {
  const excluded = excludes(DEFAULT_EXCLUDED_INTERFACES)
  t.same(['docker0', 'veth12', 'lo', 'cali1', 'lxcbr0'].map(excluded), [true, true, true, true, true])
  t.same(['eth0', 'lo0', 'mydocker', 'bond0'].map(excluded), [false, false, false, false])
  t.same(['mydocker', 'eth0'].map(excludes(['docker'])), [true, false])
  t.same(['eth0'].map(excludes([])), [false], 'no pattern excludes nothing')
  t.throws(() => excludes(['(']), SyntaxError)
})

t.test('scan: what a change of a link does to its responders', async t => {
  const standing = (links: readonly ScannedLink[]): Map<string, ReturnType<typeof scan>['wanted'][number]> =>
    new Map(scan(links, excludes([])).wanted.map(wanted => [wanted.key, wanted]))
  const difference = (from: ScannedLink[], to: ScannedLink[]): Record<string, string[]> => {
    const { close, open, recovered, keep } = compareScan(standing(from), scan(to, excludes([])).wanted)
    const keys = (list: readonly { key: string }[]): string[] => list.map(({ key }) => key)
    return { close: [...close], open: keys(open), recovered: [...recovered], keep: keys(keep) }
  }
  const both = ['arp 2', 'ndp 2']
  t.same(difference([], [link()]), { close: [], open: both, recovered: [], keep: [] })
  t.same(difference([link()], [link()]), { close: [], open: [], recovered: [], keep: both })
  t.same(difference([link()], []), { close: both, open: [], recovered: [], keep: [] })
  t.same(difference([link()], [link({ mac: '02:00:00:00:00:02' })]), {
    close: both,
    open: both,
    recovered: [],
    keep: [],
  })
  t.same(difference([link()], [link({ name: 'lan0' })]), { close: both, open: both, recovered: [], keep: [] })
  const other = link({ addresses: [{ address: 'fe80::2', family: 6, tentative: false, dadFailed: false }] })
  t.same(difference([link()], [other]), { close: ['ndp 2'], open: ['ndp 2'], recovered: [], keep: ['arp 2'] })
  t.same(
    difference([link()], [link({ index: 3 })]),
    { close: both, open: ['arp 3', 'ndp 3'], recovered: [], keep: [] },
    'removed and added again',
  )
  t.same(
    difference([link({ flags: 0x1003 })], [link()]),
    { close: [], open: [], recovered: both, keep: both },
    'carrier again',
  )
  t.same(
    difference([link()], [link({ flags: 0x1003 })]),
    { close: [], open: [], recovered: [], keep: both },
    'carrier lost',
  )
})
