import t from 'tap'
import {
  decodeMessage,
  encodeMessage,
  lastCapability,
  Role,
  type Capability,
  type OpenMessage,
} from '@typemetal/bgp/wire'
import { errorOf, hex, message, toHex } from './octets.js'

/** An OPEN with these capabilities, code, length and value each. */
function open(capabilities: string): Uint8Array {
  const length = hex(capabilities).length
  const octet = (value: number): string => value.toString(16).padStart(2, '0')
  return message(1, `04fde8005a0a000001${octet(length + 2)}02${octet(length)}${capabilities}`)
}

const read = (capabilities: string): readonly Capability[] =>
  (decodeMessage(open(capabilities)) as OpenMessage).capabilities
const write = (capability: Capability): Uint8Array =>
  encodeMessage({
    type: 'open',
    version: 4,
    asn: 1,
    holdTime: 90,
    bgpIdentifier: 1,
    capabilities: [capability],
  })

for (const { name, ref, capability } of [
  { name: 'multiprotocol of 3 octets', ref: 'RFC 4760 8', capability: '0103 000100' },
  { name: 'route refresh with a value', ref: 'RFC 2918 2', capability: '0201 00' },
  { name: 'extended next hop of 5 octets', ref: 'RFC 8950 4', capability: '0505 0001000100' },
  { name: 'extended message with a value', ref: 'RFC 8654 3', capability: '0601 00' },
  { name: 'role of no octet', ref: 'RFC 9234 4.1', capability: '0900' },
  { name: 'role of 2 octets', ref: 'RFC 9234 4.1', capability: '0902 0000' },
  { name: 'graceful restart of 1 octet', ref: 'RFC 4724 3', capability: '4001 00' },
  { name: 'graceful restart of 5 octets', ref: 'RFC 4724 3', capability: '4005 0078000101' },
  { name: '4-octet AS of 2 octets', ref: 'RFC 6793 3', capability: '4102 fde8' },
  { name: 'ADD-PATH of 3 octets', ref: 'RFC 7911 4', capability: '4503 000101' },
  { name: 'enhanced route refresh with a value', ref: 'RFC 7313 3.1', capability: '4601 00' },
  { name: 'long-lived graceful restart of 6 octets', ref: 'RFC 9494 3.1', capability: '4706 000101800000' },
]) {
  t.test(`${ref}: ${name} is refused`, async t => {
    t.match(errorOf(open(capability)), { notification: [2, 0], disposition: 'session-reset', offset: 31 })
  })
}

t.test('RFC 7911 4: a Send/Receive of 0 or above 3 makes the capability one that is not understood', async t => {
  t.match(read('4504 0001 01 01'), [{ type: 'add-path', families: [{ afi: 1, send: false, receive: true }] }])
  t.match(read('4504 0001 01 02'), [{ type: 'add-path', families: [{ send: true, receive: false }] }])
  t.match(read('4504 0001 01 03'), [{ type: 'add-path', families: [{ send: true, receive: true }] }])
  for (const wrong of ['00', '04', 'ff']) {
    t.match(read(`4508 0001 01 03 0002 01 ${wrong}`), [{ type: 'unknown', code: 69 }])
  }
  t.same(read('4500'), [{ type: 'add-path', families: [] }])
  const neither = { afi: 1, safi: 1, send: false, receive: false }
  t.throws(() => write({ type: 'add-path', families: [neither] }), RangeError)
})

t.test('RFC 4724 3: reserved bits do not count, and the last capability does', async t => {
  const found = read('4002 3fff 4006 3078 0001 01 7f')
  t.same(lastCapability(found, 'graceful-restart'), {
    type: 'graceful-restart',
    restarting: false,
    notification: false,
    restartTime: 120,
    families: [{ afi: 1, safi: 1, forwardingPreserved: false }],
  })
  t.match(found[0], { restartTime: 4095, families: [] })
  t.equal(lastCapability(found, 'role'), undefined)
  const base = { type: 'graceful-restart', restarting: false, notification: false, families: [] } as const
  for (const restartTime of [-1, 4096, Number.NaN]) t.throws(() => write({ ...base, restartTime }), RangeError)
})

t.test('RFC 8538 2: the N bit stands beside the R bit', async t => {
  t.match(read('4002 4000'), [{ restarting: false, notification: true, restartTime: 0 }])
  t.match(read('4002 8001'), [{ restarting: true, notification: false, restartTime: 1 }])
})

t.test('RFC 9494 3.1: stale times have 24 bits', async t => {
  t.match(read('4707 0001 01 80 ffffff'), [{ families: [{ forwardingPreserved: true, staleTime: 16_777_215 }] }])
  const family = { afi: 1, safi: 1, forwardingPreserved: false }
  const of = (staleTime: number): Capability => {
    return { type: 'long-lived-graceful-restart', families: [{ ...family, staleTime }] }
  }
  t.equal(toHex(write(of(0x01_02_03))).slice(-14), '00010100010203')
  for (const staleTime of [-1, 16_777_216]) t.throws(() => write(of(staleTime)), RangeError)
})

t.test('RFC 9234 4.1: roles by number, unknown ones carried', async t => {
  t.same(read('0901 04 0901 ff'), [
    { type: 'role', role: Role.Peer },
    { type: 'role', role: 255 },
  ])
})

t.test('draft-walton-bgp-hostname-capability 2: a name that does not add up is carried unread', async t => {
  t.same(read('4907 02 7231 03 6c6162'), [{ type: 'fqdn', hostName: 'r1', domainName: 'lab' }])
  t.same(read('4905 03 efbbbf 00'), [{ type: 'fqdn', hostName: '\uFEFF', domainName: '' }], 'nothing is left out')
  for (const wrong of ['4900', '4901 02', '4903 02 7231', '4904 02 7231 01', '4905 02 7231 00 00', '4904 02 fffe 00']) {
    t.match(read(wrong), [{ type: 'unknown', code: 73 }], wrong)
  }
  t.match(read('4904 01 72 01 ff'), [{ type: 'unknown' }], 'the domain is not UTF-8')
  t.throws(() => write({ type: 'fqdn', hostName: 'x'.repeat(256), domainName: '' }), RangeError)
})

t.test('RFC 5492 4: unknown capabilities and repeated ones are carried', async t => {
  const found = read('0104 00010001 0104 00010001 8000 c803 010203')
  t.match(found, [{ type: 'multiprotocol' }, { type: 'multiprotocol' }, { code: 128 }, { code: 200 }])
  t.throws(() => write({ type: 'unknown', code: 200, value: new Uint8Array(256) }), RangeError)
})
