import assert from 'node:assert/strict'
import t from 'tap'
import {
  createOpen,
  negotiate,
  receiveContext,
  sendContext,
  type LocalSpeaker,
  type Negotiated,
  type OpenCircumstances,
  type RemoteAs,
  type RoleName,
} from '@typemetal/bgp/fsm'
import {
  AS_TRANS,
  decodeMessage,
  encodeMessage,
  WireError,
  type Capability,
  type FamilyName,
  type OpenMessage,
} from '@typemetal/bgp/wire'

const V4: FamilyName = 'ipv4-unicast'
const V6: FamilyName = 'ipv6-unicast'
const US: LocalSpeaker = { asn: 64_512, bgpIdentifier: 1, holdTime: 90, families: [V4, V6] }
const THEM: LocalSpeaker = { asn: 64_513, bgpIdentifier: 2, holdTime: 30, families: [V4, V6] }

/** The OPEN as the other side reads it. */
function open(speaker: Partial<LocalSpeaker> = {}, circumstances: OpenCircumstances = {}): OpenMessage {
  const message = createOpen({ ...THEM, ...speaker }, circumstances)
  const read = decodeMessage(encodeMessage(message))
  assert.deepEqual(read, message, 'an OPEN is read as it was written')
  return message
}

const agreed = (us: Partial<LocalSpeaker>, them: Partial<LocalSpeaker>, expected: RemoteAs = 64_513): Negotiated =>
  negotiate({ ...US, ...us }, open(them), expected)

function refusal(what: () => unknown): WireError {
  try {
    what()
  } catch (error) {
    if (error instanceof WireError) return error
    throw error
  }
  throw new Error('taken')
}
const code = (what: () => unknown): string => refusal(what).notification.join('/')
const types = ({ capabilities }: OpenMessage): string[] => capabilities.map(({ type }) => type)

t.test('RFC 5492 section 4: the capabilities of an OPEN', async t => {
  t.same(types(createOpen(US)), [
    'multiprotocol',
    'multiprotocol',
    'route-refresh',
    'extended-message',
    'four-octet-as',
    'enhanced-route-refresh',
  ])
  const all: LocalSpeaker = {
    ...US,
    extendedNextHop: [V4],
    addPath: { receive: [V4], send: [V6] },
    gracefulRestart: {},
    longLivedGracefulRestart: { staleTime: 3600 },
    role: 'provider',
    fqdn: { hostName: 'r1', domainName: 'example.org' },
    extraCapabilities: [{ code: 200, value: Uint8Array.of(1, 2) }],
  }
  t.same(types(open(all)), [
    'multiprotocol',
    'multiprotocol',
    'route-refresh',
    'extended-next-hop',
    'extended-message',
    'role',
    'graceful-restart',
    'four-octet-as',
    'add-path',
    'enhanced-route-refresh',
    'long-lived-graceful-restart',
    'fqdn',
    'unknown',
  ])
  const off = { fourOctetAs: false, routeRefresh: false, enhancedRouteRefresh: false, extendedMessage: false }
  t.same(types(open({ ...off, addPath: {}, extendedNextHop: [] })), ['multiprotocol', 'multiprotocol'])
  t.same(types(createOpen(all, { level: 'essential' })), ['multiprotocol', 'multiprotocol', 'four-octet-as'])
  t.same(types(createOpen(all, { level: 'none' })), [])
})

t.test('RFC 4271 section 6.2: AS number, BGP Identifier, Hold Time', async t => {
  t.match(agreed({}, {}), {
    peerAsn: 64_513,
    peerBgpIdentifier: 2,
    internal: false,
    confederation: false,
    holdTime: 30,
  })
  t.equal(agreed({}, { asn: 64_512 }, 'internal').internal, true)
  t.equal(agreed({}, { asn: 4_200_000_000 }, 'external').peerAsn, 4_200_000_000)
  t.equal(agreed({ asn: 65_000 }, { asn: 65_000 }, 65_000).internal, true, 'local AS of the session')
  t.equal(
    code(() => agreed({}, {}, 'internal')),
    '2/2',
  )
  t.equal(
    code(() => agreed({}, { asn: 64_512 }, 'external')),
    '2/2',
  )
  t.equal(
    code(() => agreed({}, { asn: 64_514 }, 64_513)),
    '2/2',
  )
  t.equal(
    code(() => agreed({}, { asn: 64_512, bgpIdentifier: 1 }, 'internal')),
    '2/3',
  )
  t.equal(agreed({}, { bgpIdentifier: 1 }).peerBgpIdentifier, 1, 'RFC 6286 section 2.1: only within one AS')
})

t.test('RFC 4760 section 8: families', async t => {
  t.same(agreed({}, { families: [V6] }).families, [V6])
  const bare = { ...open(), capabilities: [] }
  t.same(negotiate(US, bare, 64_513).families, [V4], 'no multiprotocol capability at all')
  const error = refusal(() => negotiate({ ...US, families: [V6] }, bare, 64_513))
  t.equal(error.notification.join('/'), '2/7')
  t.same([...error.data], [1, 4, 0, 2, 0, 1], 'RFC 5492 section 3: what the peer should have had')
  const foreign: Capability[] = [{ type: 'multiprotocol', afi: 25, safi: 70 }]
  t.equal(
    code(() => negotiate(US, { ...open(), capabilities: foreign }, 64_513)),
    '2/7',
  )
})

t.test('RFC 6793 section 3: 4-octet AS numbers', async t => {
  t.equal(agreed({}, {}).fourOctetAs, true)
  t.equal(agreed({}, { fourOctetAs: false }).fourOctetAs, false)
  t.equal(agreed({ fourOctetAs: false }, {}).fourOctetAs, false, 'not said by us')
  t.equal(open({ asn: 4_200_000_000 }).asn, AS_TRANS)
})

t.test('RFC 2918, RFC 7313, RFC 8654: route refresh and extended messages', async t => {
  t.match(agreed({}, {}), { routeRefresh: true, enhancedRouteRefresh: true, extendedMessage: true })
  const without = { routeRefresh: false, enhancedRouteRefresh: false, extendedMessage: false }
  t.match(agreed({}, without), without)
  t.match(agreed(without, {}), { routeRefresh: true, enhancedRouteRefresh: false, extendedMessage: false })
})

t.test(
  'RFC 8654 section 4: whoever said that it takes long messages takes them, whatever the other one said',
  async t => {
    const ours = agreed({}, { extendedMessage: false })
    t.equal(receiveContext(ours).extendedMessage, true)
    t.equal(sendContext(ours).extendedMessage, false)
    const theirs = agreed({ extendedMessage: false }, {})
    t.equal(receiveContext(theirs).extendedMessage, false)
    t.equal(sendContext(theirs).extendedMessage, false, 'our option turns off both')
  },
)

t.test('RFC 8950 section 4: next hops of the other family are taken by whoever said so', async t => {
  const ours = agreed({ extendedNextHop: [V4] }, {})
  t.same(receiveContext(ours).extendedNextHop, [V4])
  t.same(sendContext(ours).extendedNextHop, [])
  const theirs = agreed({}, { extendedNextHop: [V4] })
  t.same(receiveContext(theirs).extendedNextHop, [])
  t.same(sendContext(theirs).extendedNextHop, [])
  const l2vpn: Capability = { type: 'extended-next-hop', families: [{ afi: 1, safi: 1, nextHopAfi: 25 }] }
  const other = { ...open(), capabilities: [...open().capabilities, l2vpn] }
  t.same(negotiate({ ...US, extendedNextHop: [V4] }, other, 64_513).extendedNextHop, [], 'next hops of neither family')
})

t.test('RFC 7911 section 4: we receive where the peer sends, and the other way round', async t => {
  const both = { addPath: { receive: [V4, V6], send: [V4, V6] } }
  t.same(agreed(both, both).addPath, { receive: [V4, V6], send: [V4, V6] })
  t.same(agreed(both, { addPath: { send: [V4] } }).addPath, { receive: [V4], send: [] })
  t.same(agreed(both, { addPath: { receive: [V6] } }).addPath, { receive: [], send: [V6] })
  t.same(agreed({ addPath: { receive: [V4] } }, { addPath: { receive: [V4] } }).addPath, { receive: [], send: [] })
  t.same(agreed({}, both).addPath, { receive: [], send: [] }, 'not said by us')
  t.same(agreed({ families: [V4], addPath: { receive: [V4] } }, both).addPath, { receive: [V4], send: [] })
})

t.test('RFC 8950 section 4: both sides take next hops of the other family', async t => {
  t.same(agreed({ extendedNextHop: [V4] }, { extendedNextHop: [V4, V6] }).extendedNextHop, [V4])
  t.same(agreed({ extendedNextHop: [V4] }, {}).extendedNextHop, [])
  t.same(agreed({}, { extendedNextHop: [V4] }).extendedNextHop, [])
  const capabilities: Capability[] = [{ type: 'extended-next-hop', families: [{ afi: 1, safi: 1, nextHopAfi: 1 }] }]
  const same = { ...open(), capabilities }
  t.same(negotiate({ ...US, extendedNextHop: [V4] }, same, 64_513).extendedNextHop, [], 'its own family says nothing')
})

t.test('RFC 4724 section 3, RFC 8538 section 2: graceful restart', async t => {
  const theirs = { gracefulRestart: { restartTime: 77, families: [V6] } }
  t.same(agreed({ gracefulRestart: {} }, theirs).gracefulRestart, {
    restarting: false,
    notification: true,
    restartTime: 77,
    families: [{ family: V6, forwardingPreserved: false }],
  })
  const back = open(theirs, { restarting: true, forwardingPreserved: true })
  t.match(negotiate({ ...US, gracefulRestart: {} }, back, 64_513).gracefulRestart, {
    restarting: true,
    families: [{ family: V6, forwardingPreserved: true }],
  })
  t.equal(agreed({}, theirs).gracefulRestart, undefined, 'not said by us')
  t.equal(agreed({ gracefulRestart: {} }, {}).gracefulRestart, undefined)
  t.equal(agreed({ gracefulRestart: { notification: false } }, theirs).gracefulRestart?.notification, false)
  t.same(agreed({ gracefulRestart: {}, families: [V4] }, theirs).gracefulRestart?.families, [], 'of this session only')
  const restart = { type: 'graceful-restart', restarting: false, notification: false, families: [] } as const
  const twice = [...open().capabilities, { ...restart, restartTime: 1 }, { ...restart, restartTime: 2 }]
  const last = negotiate({ ...US, gracefulRestart: {} }, { ...open(), capabilities: twice }, 64_513)
  t.equal(last.gracefulRestart?.restartTime, 2, 'the last one counts')
})

t.test('RFC 9494 sections 3.1, 4.1: long-lived graceful restart', async t => {
  const us = { gracefulRestart: {}, longLivedGracefulRestart: { staleTime: 1 } }
  const them = { gracefulRestart: {}, longLivedGracefulRestart: { staleTime: 500, families: [V4] } }
  const families = [{ family: V4, forwardingPreserved: false, staleTime: 500 }]
  t.same(agreed(us, them).longLivedGracefulRestart, families)
  t.equal(agreed({ gracefulRestart: {} }, them).longLivedGracefulRestart, undefined, 'not said by us')
  t.equal(agreed(us, { gracefulRestart: {} }).longLivedGracefulRestart, undefined)
  const alone = open(them).capabilities.filter(({ type }) => type !== 'graceful-restart')
  const negotiated = negotiate({ ...US, ...us }, { ...open(), capabilities: alone }, 64_513)
  t.equal(negotiated.longLivedGracefulRestart, undefined, 'without graceful restart it is disregarded')
})

t.test('RFC 9234 section 4.2: roles', async t => {
  const names: RoleName[] = ['provider', 'customer', 'rs', 'rs-client', 'peer']
  const pairs = names.flatMap(ours =>
    names
      .filter(theirs => {
        try {
          return agreed({ role: ours }, { role: theirs }).role === ours
        } catch (error) {
          t.same((error as WireError).notification, [2, 11], `${ours}, ${theirs}`)
          return false
        }
      })
      .map(theirs => `${ours} ${theirs}`),
  )
  t.same(pairs, ['provider customer', 'customer provider', 'rs rs-client', 'rs-client rs', 'peer peer'])
  t.equal(agreed({ role: 'provider' }, {}).role, 'provider', 'the peer need not say it')
  t.equal(
    code(() => agreed({ role: 'provider', strictRole: true }, {})),
    '2/11',
    'unless we insist',
  )
  t.equal(agreed({ role: 'provider', strictRole: true }, { role: 'customer' }).role, 'provider')
  t.equal(agreed({}, { role: 'rs' }).role, undefined, 'none of ours, nothing to check')
  const withRoles = (...roles: number[]): OpenMessage => {
    const { capabilities, ...rest } = open()
    return { ...rest, capabilities: [...capabilities, ...roles.map(role => ({ type: 'role' as const, role }))] }
  }
  const us: LocalSpeaker = { ...US, role: 'provider' }
  t.equal(negotiate(us, withRoles(3, 3), 64_513).role, 'provider', 'the same one twice')
  t.equal(
    code(() => negotiate(us, withRoles(3, 4), 64_513)),
    '2/11',
    'several',
  )
  t.equal(
    code(() => negotiate(us, withRoles(9), 64_513)),
    '2/11',
    'one that nobody knows',
  )
})

t.test('RFC 5065 section 4: AS numbers of a confederation', async t => {
  const confederation = { identifier: 100, members: [64_600, 64_601] }
  const us = { ...US, confederation }
  const asn = (remoteAs: RemoteAs): number => createOpen(us, { remoteAs }).asn
  t.equal(asn('internal'), 64_512)
  t.equal(asn(64_512), 64_512)
  t.equal(asn(64_600), 64_512, 'Member-AS Number to other members')
  t.equal(asn(64_513), 100, 'the identifier to everybody else')
  t.equal(asn('external'), 100)
  t.match(negotiate(us, open({ asn: 64_600 }), 64_600), { internal: false, confederation: true })
  t.match(negotiate(us, open({ asn: 64_512 }), 'internal'), { internal: true, confederation: false })
  t.match(negotiate(us, open(), 64_513), { internal: false, confederation: false })
  t.equal(
    code(() => negotiate(us, open({ asn: 100 }), 'external')),
    '2/2',
    'our own number outside',
  )
})

t.test('RFC 5492 section 3: capabilities that the peer must have', async t => {
  const us: Partial<LocalSpeaker> = { requireCapabilities: ['four-octet-as', 'route-refresh'] }
  t.ok(agreed(us, {}))
  const error = refusal(() => agreed(us, { fourOctetAs: false }))
  t.equal(error.notification.join('/'), '2/7')
  t.same([...error.data], [65, 4, 0, 0, 0xfc, 0x00], 'ours, as it should have been')
  t.equal(refusal(() => agreed(us, { fourOctetAs: false, routeRefresh: false })).data.length, 8, 'both')
})

t.test('what messages are read and written by', async t => {
  const us = { addPath: { receive: [V4] }, extendedNextHop: [V4] }
  const negotiated = agreed(us, { addPath: { send: [V4], receive: [V6] }, extendedNextHop: [V4] })
  const common = {
    fourOctetAs: true,
    internal: false,
    confederation: false,
    extendedMessage: true,
    extendedNextHop: [V4],
  }
  t.same(receiveContext(negotiated), { ...common, aigpSession: false, addPath: [V4] })
  t.same(sendContext(negotiated), { ...common, aigpSession: false, addPath: [] })
  t.equal(sendContext(agreed({}, { asn: 64_512 }, 'internal')).aigpSession, true, 'RFC 7311 section 3.2')
  t.equal(sendContext(agreed({ aigp: true }, {})).aigpSession, true)
})

t.test('RFC 5492 section 4: unknown capabilities are kept without the octets that they came in', async t => {
  const octets = encodeMessage({
    ...open(),
    capabilities: [{ type: 'unknown', code: 200, value: Uint8Array.of(1, 2) }],
  })
  const remote = decodeMessage(octets)
  if (remote.type !== 'open') throw new Error('no OPEN')
  const [capability] = negotiate({ ...US, families: [V4] }, remote, 64_513).peerCapabilities
  octets.fill(0)
  t.same(capability, { type: 'unknown', code: 200, value: Uint8Array.of(1, 2) })
})
