import t from 'tap'
import { decodeMessage, encodeMessage, openAsn, type OpenMessage } from '@typemetal/bgp/wire'
import { errorOf, message, toHex } from './octets.js'

for (const { name, ref = 'RFC 4271 6.2', body, notification, data } of [
  { name: 'version 3', body: '03fde8005a0a00000100', notification: [2, 1], data: '0004' },
  { name: 'AS number 0', ref: 'RFC 7607', body: '040000005a0a00000100', notification: [2, 2] },
  { name: 'BGP Identifier 0', ref: 'RFC 6286 2.2', body: '04fde8005a0000000000', notification: [2, 3] },
  { name: 'hold time 1', body: '04fde800010a00000100', notification: [2, 6] },
  { name: 'hold time 2', body: '04fde800020a00000100', notification: [2, 6] },
  { name: 'optional parameter 1', body: '04fde8005a0a00000103 010100', notification: [2, 4] },
  { name: 'optional parameters longer than said', body: '04fde8005a0a00000100 0200', notification: [2, 0] },
  { name: 'optional parameter cut off', body: '04fde8005a0a00000102 0203', notification: [2, 0] },
  { name: 'lone octet of a parameter', body: '04fde8005a0a00000101 02', notification: [2, 0] },
  { name: 'capability cut off', body: '04fde8005a0a00000104 02024104', notification: [2, 0] },
  { name: 'lone octet of a capability', body: '04fde8005a0a00000103 020141', notification: [2, 0] },
  {
    name: 'extended length wrong',
    ref: 'RFC 9072 2',
    body: '04fde8005a0a000001ff ff0009 0200020200',
    notification: [2, 0],
  },
  { name: 'extended length cut off', ref: 'RFC 9072 2', body: '04fde8005a0a000001ff ff00', notification: [2, 0] },
  {
    name: 'extended parameter cut off',
    ref: 'RFC 9072 2',
    body: '04fde8005a0a000001ff ff0002 0200',
    notification: [2, 0],
  },
]) {
  t.test(`${ref}: OPEN with ${name}`, async t => {
    const error = errorOf(message(1, body))
    t.match(error, { notification, disposition: 'session-reset' })
    if (data) t.equal(toHex(error?.data ?? new Uint8Array()), data)
  })
}

t.test('RFC 4271 4.2: OPEN without optional parameters', async t => {
  const open = decodeMessage(message(1, '04fde800000a00000100')) as OpenMessage
  t.match(open, { asn: 65000, holdTime: 0, capabilities: [] })
  t.equal(openAsn(open), 65000)
  t.equal(toHex(encodeMessage(open)), toHex(message(1, '04fde800000a00000100')))
})

t.test('RFC 9072 2: more than 255 octets of capabilities take the extended form', async t => {
  const capability = { type: 'unknown', code: 200, value: new Uint8Array(200) } as const
  const fixed = { type: 'open', version: 4, asn: 65000, holdTime: 90, bgpIdentifier: 1 } as const
  const open: OpenMessage = { ...fixed, capabilities: [capability, capability] }
  const octets = encodeMessage(open)
  t.equal(octets[28], 255)
  t.equal(octets[29], 255)
  t.same(decodeMessage(octets), open)
})
