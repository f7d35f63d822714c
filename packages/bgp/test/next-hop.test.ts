import t from 'tap'
import type { FamilyName } from '@typemetal/bgp'
import { formatAddress } from '../dist/address.js'
import { cachedInterfaces, selfNextHops, type Interfaces, type NextHopSession } from '../dist/node/next-hop.js'
import { TestClock } from './clock.js'

const BOTH: readonly FamilyName[] = ['ipv4-unicast', 'ipv6-unicast']
const lo = [{ address: '127.0.0.1' }, { address: '::1' }]
const MACHINE: Interfaces = {
  lo,
  both: [{ address: '10.0.0.1' }, { address: '2001:db8::1' }, { address: 'fe80::b' }],
  six: [{ address: '2001:db8:6::1' }, { address: 'fe80::6' }],
  bare: [{ address: 'fe80::1' }],
  same: [{ address: 'fe80::1' }, { address: '2001:db8:7::1' }],
  four: [{ address: '10.4.0.1' }],
}

/** The next hops as text: global and link-local address with a comma in between. */
function hops(session: Partial<NextHopSession> & Pick<NextHopSession, 'localAddress'>): object {
  const all = selfNextHops({ families: BOTH, extendedNextHop: [], ...session }, () => MACHINE)
  const text = (octets: Uint8Array): string =>
    octets.length === 32
      ? `${formatAddress(octets.subarray(0, 16))},${formatAddress(octets.subarray(16))}`
      : formatAddress(octets)
  return Object.fromEntries([...all].map(([family, octets]) => [family.slice(0, 4), text(octets)]))
}

const extendedNextHop: readonly FamilyName[] = ['ipv4-unicast']

for (const { name, session, expected } of [
  {
    name: 'RFC 2545 section 3: the global one alone where the session runs over it',
    session: { localAddress: '2001:db8::1' },
    expected: { ipv4: '10.0.0.1', ipv6: '2001:db8::1' },
  },
  {
    name: 'RFC 4271 section 5.1.3: IPv6 over an IPv4 session',
    session: { localAddress: '10.0.0.1' },
    expected: { ipv4: '10.0.0.1', ipv6: '2001:db8::1' },
  },
  {
    name: 'RFC 4271 section 5.1.3: no IPv6 address for it',
    session: { localAddress: '10.4.0.1' },
    expected: { ipv4: '10.4.0.1' },
  },
  {
    name: 'RFC 8950 section 3: IPv4 over an IPv6 session without an IPv4 address',
    session: { localAddress: '2001:db8:6::1', extendedNextHop },
    expected: { ipv4: '2001:db8:6::1', ipv6: '2001:db8:6::1' },
  },
  {
    name: 'RFC 8950 section 4: not without the capability',
    session: { localAddress: '2001:db8:6::1' },
    expected: { ipv6: '2001:db8:6::1' },
  },
  {
    name: 'RFC 8950 section 3: an IPv4 address that is there is used',
    session: { localAddress: '2001:db8::1', extendedNextHop },
    expected: { ipv4: '10.0.0.1', ipv6: '2001:db8::1' },
  },
  {
    name: 'RFC 8950 section 3, RFC 2545 section 3: but not between unnumbered peers, and with the link-local one',
    session: { localAddress: 'fe80::b', extendedNextHop },
    expected: { ipv4: '2001:db8::1,fe80::b', ipv6: '2001:db8::1,fe80::b' },
  },
  {
    name: 'unnumbered peers without any global address: the link-local one alone',
    session: { localAddress: 'fe80::1', extendedNextHop, interface: 'bare' },
    expected: { ipv4: 'fe80::1', ipv6: 'fe80::1' },
  },
  {
    name: 'two interfaces with one link-local address are told apart by name',
    session: { localAddress: 'fe80::1', extendedNextHop, interface: 'same' },
    expected: { ipv4: '2001:db8:7::1,fe80::1', ipv6: '2001:db8:7::1,fe80::1' },
  },
  {
    name: 'loopback addresses are for sessions on the machine itself only',
    session: { localAddress: '::1' },
    expected: { ipv6: '::1' },
  },
  {
    name: 'an address that no interface has',
    session: { localAddress: '2001:db8:f::1', extendedNextHop },
    expected: { ipv4: '2001:db8:f::1', ipv6: '2001:db8:f::1' },
  },
]) {
  t.test(name, async t => t.same(hops(session), expected))
}

t.test('interfaces are read once a session, and not where the local address is enough', async t => {
  let reads = 0
  const read = (): Interfaces => {
    reads++
    return MACHINE
  }
  const session = { localAddress: '10.0.0.1', extendedNextHop: [] }
  t.same([...selfNextHops({ ...session, families: ['ipv4-unicast'] }, read).keys()], ['ipv4-unicast'])
  t.equal(reads, 0)
  selfNextHops({ ...session, families: BOTH }, read)
  t.equal(reads, 1)
})

t.test('cachedInterfaces: many sessions at once read them once', async t => {
  let reads = 0
  const clock = new TestClock()
  const read = cachedInterfaces(clock, () => ({ [`read${++reads}`]: [] }))
  t.same([read(), read()], [{ read1: [] }, { read1: [] }])
  clock.advance(99)
  t.same(read(), { read1: [] })
  clock.advance(1)
  t.same(read(), { read2: [] })
})

t.test('cachedInterfaces: with no descriptor left to ask with, those of before count', async t => {
  const clock = new TestClock()
  let isExhausted = true
  const read = cachedInterfaces(clock, () => {
    if (isExhausted) throw new Error('EMFILE')
    return { eth0: [] }
  })
  t.same(read(), {}, 'never read')
  isExhausted = false
  clock.advance(100)
  t.same(read(), { eth0: [] })
  isExhausted = true
  clock.advance(100)
  t.same(read(), { eth0: [] })
})
