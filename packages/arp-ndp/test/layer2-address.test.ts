/** Reading and writing addresses by hand, held against the library that is used for rare notations. */
import * as fc from 'fast-check'
import { Address4, Address6 } from 'ip-address'
import t from 'tap'
import { formatAddress, parseAddress } from '../dist/address.js'
import { hex } from './octets.js'

/** Mostly zeros, so that there are runs of them. */
const octets = fc
  .array(fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(0xffff), fc.nat(15)), { minLength: 8, maxLength: 8 })
  .map(groups => Uint8Array.from(groups.flatMap(group => [group >> 8, group & 0xff])))
const isMapped = (address: Uint8Array): boolean =>
  Buffer.from(address).toString('hex').startsWith('00000000000000000000ffff')

t.test('RFC 5952 section 4: texts', async t => {
  for (const [digits, text] of [
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000000000001', '::1'],
    ['20010db8000000000000000000000000', '2001:db8::'],
    ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
    ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
    ['20010000000000010000000000000001', '2001:0:0:1::1'],
    ['00010000000200000003000000040000', '1:0:2:0:3:0:4:0'],
    ['fe800000000000000000aabbccddeeff', 'fe80::aabb:ccdd:eeff'],
  ] as const) {
    t.equal(formatAddress(hex(digits)), text)
    t.same(parseAddress(text), { text, octets: hex(digits) })
  }
})

t.test('property: what is written is what ip-address writes, and is read back', async t => {
  fc.assert(
    fc.property(octets, address => {
      const text = formatAddress(address)
      if (text !== Address6.fromByteArray([...address]).correctForm()) return false
      return isMapped(address) || Buffer.from(address).equals(parseAddress(text).octets)
    }),
    { numRuns: 3000 },
  )
  t.pass()
})

t.test('property: the same texts are addresses, and mean the same, as for ip-address', async t => {
  const part = fc.constantFrom(
    '0',
    '1',
    'ff',
    'FFFF',
    '00ab',
    '12345',
    'g',
    '',
    ':',
    '::',
    '192.0.2.1',
    '%1',
    '/64',
    ' ',
    '-1',
  )
  const mixed = fc.array(part, { maxLength: 9 }).map(parts => parts.join(':'))
  const cut = fc.tuple(octets, fc.nat(40), part).map(([address, at, insert]) => {
    const text = formatAddress(address)
    return text.slice(0, at) + insert + text.slice(at + 1)
  })
  const dotted = fc.array(fc.oneof(fc.nat(300).map(String), fc.constantFrom('', '01', 'a', '1e1', '0x1')), {
    minLength: 3,
    maxLength: 5,
  })
  fc.assert(
    fc.property(
      fc.oneof(
        mixed,
        cut,
        dotted.map(parts => parts.join('.')),
      ),
      text => {
        const is = read(text)
        if (/[/%]/.test(text)) return is === undefined
        if (Address4.isValid(text)) return is === Buffer.from(new Address4(text).toArray()).toString('hex')
        if (!Address6.isValid(text)) return is === undefined
        const known = Buffer.from(new Address6(text).toByteArray()).toString('hex').padStart(32, '0')
        return is === (known.startsWith('00000000000000000000ffff') ? known.slice(24) : known)
      },
    ),
    { numRuns: 5000 },
  )
  t.pass()
})

function read(text: string): string | undefined {
  try {
    return Buffer.from(parseAddress(text).octets).toString('hex')
  } catch {
    return undefined
  }
}
