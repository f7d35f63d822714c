/** Pure parts of the BGP announcer: options, router ids, capabilities, hints. */
import t from 'tap'
import {
  crc32,
  hasCapability,
  isConnected,
  multihopHint,
  nodeRouterId,
  peerOptions,
  refusalOf,
  routerIdFor,
  routerIdOf,
} from '@typemetal/speaker'
import type { Environment, SessionPlan } from '@typemetal/speaker'
import { session } from './support/sessions.js'

const FULL: Environment = { withoutSockets: undefined, netRaw: true }
const optionsOf = (plan: SessionPlan, environment = FULL) =>
  peerOptions(plan, { bgpIdentifier: '10.0.0.1', environment, leaving: false })
const onInterface = (changes: Partial<SessionPlan> = {}): SessionPlan => {
  const { peerAddress: _, ...rest } = session(changes)
  return { ...rest, interface: 'eth1' }
}

t.test('spec section 8: what each field of a BGPPeer is on the wire', async t => {
  t.match(optionsOf(session()), { address: '192.0.2.1', port: 179, asn: 64513, localAsn: 64512, multihop: false })
  t.equal(optionsOf(session({ ebgpMultiHop: true })).multihop, true)
  t.notOk('multihop' in optionsOf(session({ peerASN: 64512 })), 'internal peers may be anywhere')
  t.notOk('multihop' in optionsOf(session({ localASN: 64513 })), 'so may those that our local AS makes internal')
  t.match(optionsOf(session({ localASN: 64999 })), { localAsn: 64999 })
  t.match(optionsOf(session({ vrf: 'red', password: 'k', sourceAddress: '10.0.0.1' })), {
    device: 'red',
    md5Key: 'k',
    sourceAddress: '10.0.0.1',
  })
  t.match(optionsOf(session({ connectTimeSeconds: 7, holdTimeSeconds: 30.9 })), { connectRetryTime: 7, holdTime: 30 })
  const { peerASN: _, ...dynamic } = onInterface({ families: ['ipv4', 'ipv6'] })
  const unnumbered = optionsOf({ ...dynamic, dynamicASN: 'external' })
  t.match(unnumbered, { interface: 'eth1', asn: 'external', families: ['ipv4-unicast', 'ipv6-unicast'] })
  t.notOk('address' in unnumbered)
})

t.test('RFC 8950 is offered where IPv4 may have to go over IPv6', async t => {
  t.notOk('extendedNextHop' in optionsOf(session({ families: ['ipv4', 'ipv6'] })))
  t.notOk('extendedNextHop' in optionsOf(session({ peerAddress: '2001:db8::1', families: ['ipv6'] })))
  t.strictSame(optionsOf(session({ peerAddress: '2001:db8::1', families: ['ipv4', 'ipv6'] })).extendedNextHop, [
    'ipv4-unicast',
  ])
})

t.test('what the machine does not give and the session can do without is left out', async t => {
  const bfd = {
    receiveInterval: 300, transmitInterval: 300, detectMultiplier: 3, echoInterval: 50, echoMode: true,
    passiveMode: false, minimumTtl: 254,
  } // prettier-ignore
  t.strictSame(optionsOf(session({ bfd })).bfd, bfd)
  t.strictSame(optionsOf(session({ bfd }), { withoutSockets: undefined, netRaw: false }).bfd, {
    ...bfd,
    echoMode: false,
  })
  const bare = optionsOf(session({ bfd }), { withoutSockets: 'the package is not installed', netRaw: false })
  t.notOk('bfd' in bare || 'multihop' in bare)
})

t.test('router id: its own, the local address, the first IPv4 one of the interface, the CRC of the name', async t => {
  const interfaces = { eth0: [{ address: 'fd00::1', family: 'IPv6' }, { address: '10.0.0.7', family: 'IPv4' }] } as const // prettier-ignore
  const copy = { eth0: [...interfaces.eth0] }
  t.equal(routerIdOf('10.0.0.9', 'node1', copy), '10.0.0.9')
  t.equal(routerIdOf('fd00::1', 'node1', copy), '10.0.0.7')
  t.equal(routerIdOf('fd00::2', 'node1', copy), '64.37.239.133')
  t.equal(routerIdOf(undefined, 'pandora', copy), '117.188.221.68')
  t.equal(nodeRouterId('iris1'), '150.80.252.129')
  t.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf4_3926, 'the check value of CRC-32')
  t.strictSame(await routerIdFor(session(), 'n'), { bgpIdentifier: '10.0.0.1', isLastResort: false })
  const { routerID: _, ...derived } = session({ sourceAddress: '10.9.9.9' })
  t.strictSame(await routerIdFor(derived, 'n'), { bgpIdentifier: '10.9.9.9', isLastResort: false })
  const { sourceAddress: __, ...local } = derived
  t.equal((await routerIdFor({ ...local, peerAddress: '127.0.0.1' }, 'n')).bgpIdentifier, '127.0.0.1')
  t.strictSame(await routerIdFor({ ...local, vrf: 'no-such-vrf' }, 'node1'), {
    bgpIdentifier: '64.37.239.133',
    isLastResort: true,
  })
  const { routerID: ___, ...link } = onInterface()
  t.equal((await routerIdFor({ ...link, interface: 'lo' }, 'n')).bgpIdentifier, '127.0.0.1')
})

t.test('capabilities as /proc tells them', async t => {
  const status = 'Name:\tnode\nCapPrm:\t0000000000000000\nCapEff:\t0000000000002000\n'
  t.ok(hasCapability(status, 13n), 'CAP_NET_RAW')
  t.notOk(hasCapability(status, 12n))
  t.notOk(hasCapability('', 13n), 'no Linux')
})

t.test('a peer that is more than one hop away and may not be', async t => {
  const interfaces = {
    eth0: [{ address: '192.0.2.9', family: 'IPv4', cidr: '192.0.2.9/24' }, { address: 'fd00::9', family: 'IPv6', cidr: 'fd00::9/64' }],
    odd: [{ address: '10.0.0.1', family: 'IPv4', cidr: null }],
    none: undefined,
  } as const // prettier-ignore
  const read = () => ({ ...interfaces, eth0: [...interfaces.eth0], odd: [...interfaces.odd] })
  t.ok(isConnected('192.0.2.1', read()))
  t.ok(isConnected('fd00::1', read()))
  t.notOk(isConnected('10.0.0.2', read()))
  t.equal(multihopHint(session(), read), undefined)
  const far = session({ peerAddress: '198.51.100.1' })
  t.match(multihopHint(far, read), /198\.51\.100\.1 is on no subnet of this node.*ebgpMultiHop/)
  t.equal(multihopHint({ ...far, ebgpMultiHop: true }, read), undefined)
  t.equal(multihopHint({ ...far, peerASN: 64512 }, read), undefined)
  const failing = (): never => {
    throw new Error('EMFILE')
  }
  t.equal(multihopHint(far, failing), undefined)
})

t.test('what the engine objects to has the name of the field, not of our option', async t => {
  const refuse = (message: string) => refusalOf('r', new RangeError(message), 'session not opened', true)
  t.match(refuse('md5Key must have 1 to 80 octets'), {
    field: 'spec.password',
    reason: 'must have 1 to 80 octets: session not opened',
  })
  t.match(refuse('bfd.transmitInterval must be at least 10'), {
    field: 'spec.bfdProfile',
    reason: /^must be at least 10/,
  })
  t.match(refuse('the speaker is closed'), { field: 'spec', reason: /^the speaker is closed/ })
})
