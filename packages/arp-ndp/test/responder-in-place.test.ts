import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import {
  arpRequest,
  neighborSolicitation,
  OwnedAddresses,
  Responder,
  type ResponderIdentity,
} from '@typemetal/arp-ndp/responder'
import * as wire from '@typemetal/arp-ndp/wire'
import { hex } from './octets.js'
import { expected } from './responder-oracle.js'

const MAC = hex('020000000001')
const CLIENT = { interface: 'eth0', mac: hex('020000000099'), linkLocal: hex('20010db8000000000000000000000099') }
const ARP: ResponderIdentity = { protocol: 'arp', interface: 'eth0', mac: MAC }
const NDP: ResponderIdentity = {
  protocol: 'ndp',
  interface: 'eth0',
  mac: MAC,
  linkLocal: hex('fe80000000000000000000fffe000001'),
}
const V4 = Uint8Array.of(192, 0, 2, 1)
const V6 = hex('20010db8000000000000000000000001')

const table = new OwnedAddresses()
table.set('192.0.2.1', V4, 'all')
table.set('2001:db8::1', V6, 'all')
const requests = {
  arp: arpRequest(CLIENT.mac, Uint8Array.of(192, 0, 2, 77), V4),
  ndp: neighborSolicitation(CLIENT, V6),
}

function mendChecksum(frame: Uint8Array): Uint8Array {
  const end = 54 + Math.min(wire.ICMPV6_HEADER_LENGTH + 128, (frame[18]! << 8) | frame[19]!)
  if (frame.length >= end && end >= 58)
    wire.writeChecksum(frame.subarray(22, 38), frame.subarray(38, 54), frame.subarray(54, end))
  return frame
}

/** A solicitation with options of any kind and length, right or wrong, whose lengths say what it has. */
const withOptions = fc
  .array(fc.tuple(fc.nat({ max: 6 }), fc.nat({ max: 3 }), fc.uint8Array({ minLength: 24, maxLength: 24 })), {
    maxLength: 4,
  })
  .map(options => {
    const octets = options.flatMap(([type, units, body]) => [type, units, ...body].slice(0, 8 * Math.max(units, 1)))
    const frame = Uint8Array.of(...requests.ndp.subarray(0, 78), ...octets)
    frame[19] = 24 + octets.length
    return mendChecksum(frame)
  })

/** A good request with some octets changed, cut or made longer; its checksum made good again, or not. */
const mutated = fc
  .record(
    {
      arp: fc.boolean(),
      changes: fc.array(fc.tuple(fc.nat({ max: 85 }), fc.nat({ max: 255 })), { maxLength: 3 }),
      length: fc.oneof(fc.constant(1000), fc.nat({ max: 100 })),
      mend: fc.boolean(),
    },
    { noNullPrototype: true },
  )
  .map(({ arp, changes, length, mend }) => {
    const frame = Uint8Array.of(...(arp ? requests.arp : requests.ndp), ...new Uint8Array(8))
    for (const [at, value] of changes) frame[at] = value
    const cut = frame.slice(0, length)
    return mend && !arp ? mendChecksum(cut) : cut
  })

t.test('property: in place the same is decided and written as with the decoders of the wire', async () => {
  const responders = [ARP, NDP].map(identity => ({ identity, responder: new Responder(identity, table) }))
  let answered = 0
  fc.assert(
    fc.property(fc.oneof(mutated, withOptions, fc.uint8Array({ maxLength: 128 })), frame => {
      for (const { identity, responder } of responders) {
        const into = new Uint8Array(responder.replyLength).fill(0xee)
        const decision = responder.answer(frame, into)
        const reply = expected(frame, identity, table)
        assert.deepEqual(
          typeof decision === 'string' ? undefined : into,
          reply,
          typeof decision === 'string' ? decision : 'answered',
        )
        if (reply === undefined)
          assert.ok(
            into.every(octet => octet === 0xee),
            'nothing is written without an answer',
          )
        else answered++
      }
    }),
    { numRuns: 20_000 },
  )
  assert.ok(answered > 1000, `only ${answered} were answered: the property says little`)
})

t.test('RFC 4443 §2.3: the checksum of an advertisement is right for every requester and address', async () => {
  const address = fc.uint8Array({ minLength: 16, maxLength: 16 })
  fc.assert(
    fc.property(address, address, (source, target) => {
      fc.pre(source[0] !== 0xff && target[0] !== 0xff && source.some(octet => octet > 0))
      const owned = new OwnedAddresses()
      owned.set('it', target, 'all')
      const verdict = new Responder(NDP, owned).handle(neighborSolicitation({ ...CLIENT, linkLocal: source }, target))
      assert.ok(typeof verdict !== 'string', `dropped: ${JSON.stringify(verdict)}`)
      const packet = wire.decodeIpv6(verdict.frame.subarray(14))
      assert.ok(wire.hasValidChecksum(packet.source, packet.destination, packet.payload))
    }),
  )
})

t.test('an answer is counted for the address that it is about, one by one', async t => {
  const responder = new Responder(ARP, table)
  const into = new Uint8Array(responder.replyLength)
  const { requestsReceived } = table.get('192.0.2.1')!.counters
  for (let i = 1; i <= 3; i++) {
    t.equal(responder.answer(requests.arp, into), table.get('192.0.2.1'))
    t.equal(table.get('192.0.2.1')!.counters.requestsReceived, requestsReceived + i)
  }
  const first = responder.handle(requests.arp)
  const second = responder.handle(requests.arp)
  t.not(
    typeof first === 'string' || first.frame,
    typeof second === 'string' || second.frame,
    'handle gives frames to keep',
  )
})

t.test(
  'the counters of addresses that are gone are bounded, and an address that comes back soon goes on from where it was',
  async t => {
    const owned = new OwnedAddresses()
    const octets = (i: number): Uint8Array => Uint8Array.of(10, i >> 16, i >> 8, i)
    for (let i = 0; i < 5000; i++) owned.set(`${i}`, octets(i), 'all').counters.responsesSent = i
    for (let i = 0; i < 5000; i++) owned.delete(`${i}`)
    t.equal(owned.counters.size, 5000, 'a failover of everything forgets nothing')
    for (let i = 0; i < 5000; i++) owned.set(`${i}`, octets(i), 'all')
    t.equal(owned.get('0')!.counters.responsesSent, 0)
    t.equal(owned.get('4999')!.counters.responsesSent, 4999)
    for (let i = 0; i < 4999; i++) owned.delete(`${i}`)

    for (let i = 10_000; i < 30_000; i++) {
      owned.set(`${i}`, octets(i), 'all').counters.responsesSent = i
      owned.delete(`${i}`)
      if (i % 500 > 0) continue
      const { size } = owned.counters
      assert.ok(size <= 1 + 5000 + 1, `${size} are kept`)
    }
    t.equal(owned.counters.get('4999')?.responsesSent, 4999, 'one that is held is never forgotten')
    t.equal(owned.counters.has('24999'), false, 'those that went first are forgotten first')
    t.equal(owned.set('25000', octets(25_000), 'all').counters.responsesSent, 25_000)
    t.equal(owned.set('24999', octets(24_999), 'all').counters.responsesSent, 0)

    const few = new OwnedAddresses()
    for (let i = 0; i < 10_000; i++) {
      few.set(`${i}`, octets(i), 'all')
      few.delete(`${i}`)
    }
    t.equal(few.counters.size, 4096, 'of one address at a time too')
  },
)
