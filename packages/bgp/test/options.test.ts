import t from 'tap'
import { checkPeerOptions, type PeerOptions } from '../dist/node/peer-options.js'
import type { SpeakerDefaults } from '../dist/node/protocol-options.js'

const SPEAKER: SpeakerDefaults = { asn: 64_512, bgpIdentifier: '10.0.0.1', random: () => 1 }
const PEER: PeerOptions = { address: '10.0.0.2', asn: 64_513 }

t.test('defaults', async t => {
  const { session, receivingSpeaker, ...rest } = checkPeerOptions(PEER, SPEAKER)
  t.match(rest, {
    name: '10.0.0.2',
    address: '10.0.0.2',
    dialAddress: '10.0.0.2',
    interface: undefined,
    port: 179,
    passive: false,
    connectTime: 10,
    ttl: undefined,
    minTtl: undefined,
    md5Key: undefined,
  })
  t.match(session, {
    asn: 64_512,
    bgpIdentifier: 0x0a000001,
    remoteAs: 64_513,
    families: ['ipv4-unicast', 'ipv6-unicast'],
    holdTime: 90,
    gracefulRestart: { families: [] },
  })
  t.equal(session.longLivedGracefulRestart, undefined)
  t.same(receivingSpeaker, {})
  t.equal('md5Key' in session, false, 'the session has nothing of the connection')
})

t.test('the session: identity, timers, capabilities', async t => {
  const { session } = checkPeerOptions(
    {
      ...PEER,
      localAsn: 65_000,
      bgpIdentifier: '10.9.9.9',
      holdTime: 9,
      sendHoldTime: 0,
      role: 'customer',
      passive: true,
    },
    SPEAKER,
  )
  t.match(session, {
    asn: 65_000,
    bgpIdentifier: 0x0a090909,
    holdTime: 9,
    sendHoldTime: 0,
    role: 'customer',
    passive: true,
  })
  const left = checkPeerOptions(
    { ...PEER, holdTime: undefined, localAsn: undefined } as unknown as PeerOptions,
    SPEAKER,
  )
  t.match(left.session, { asn: 64_512, holdTime: 90 }, 'undefined is as good as left out')
})

t.test('RFC 4724, RFC 9494: graceful restart', async t => {
  const check = (more: Partial<PeerOptions>): ReturnType<typeof checkPeerOptions> =>
    checkPeerOptions({ ...PEER, ...more }, SPEAKER)
  t.equal(check({ gracefulRestart: false }).session.gracefulRestart, undefined)
  t.same(check({ gracefulRestart: true }).session.gracefulRestart, {})
  const full = check({
    gracefulRestart: { restartTime: 60, staleTime: 30, maximumRestartTime: 90 },
    longLivedGracefulRestart: { staleTime: 3600, maximumStaleTime: 7200 },
  })
  t.match(full.session, { gracefulRestart: { restartTime: 60 }, longLivedGracefulRestart: { staleTime: 3600 } })
  t.same(full.receivingSpeaker, { staleTime: 30, maximumRestartTime: 90, maximumLongLivedStaleTime: 7200 })
})

t.test('RFC 5065: the confederation is the speaker’s, but for a peer with an AS number of its own for us', async t => {
  const confederation = { identifier: 100, members: [64_513] }
  const speaker = { ...SPEAKER, confederation }
  t.same(checkPeerOptions(PEER, speaker).session.confederation, confederation)
  t.equal(checkPeerOptions({ ...PEER, localAsn: 7 }, speaker).session.confederation, undefined)
})

t.test('RFC 5082: TTL', async t => {
  const ttl = (more: Partial<PeerOptions>): unknown[] => {
    const checked = checkPeerOptions({ ...PEER, ...more }, SPEAKER)
    return [checked.ttl, checked.minTtl]
  }
  t.same(ttl({ multihop: false }), [1, undefined])
  t.same(ttl({ multihop: true }), [255, undefined])
  t.same(ttl({ multihop: 5 }), [5, undefined])
  t.same(ttl({ multihop: 5, asn: 'internal' }), [undefined, undefined])
  t.same(ttl({ multihop: 5, asn: 64_512 }), [undefined, undefined])
  t.same(ttl({ ttlSecurity: 1 }), [255, 255])
  t.same(ttl({ ttlSecurity: 3, asn: 'internal' }), [255, 253])
  t.same(ttl({ ttlSecurity: 255, multihop: true }), [255, 1])
})

t.test('RFC 8950: a peer on an unnumbered link', async t => {
  const { address: _, ...rest } = PEER
  const checked = checkPeerOptions({ ...rest, interface: 'eth1' }, SPEAKER)
  t.match(checked, { name: 'eth1', interface: 'eth1', address: '', dialAddress: '' })
  t.same(checked.session.extendedNextHop, ['ipv4-unicast'])
  const v6 = checkPeerOptions({ ...rest, interface: 'eth1', families: ['ipv6-unicast'] }, SPEAKER)
  t.same(v6.session.extendedNextHop, [])
  const own = checkPeerOptions({ ...rest, interface: 'eth1', extendedNextHop: [] }, SPEAKER)
  t.same(own.session.extendedNextHop, [], 'unless it says otherwise')
})

t.test('what cannot work is a RangeError that names the option', async t => {
  const wrong: [Partial<PeerOptions> | { [name: string]: unknown }, RegExp][] = [
    [{ address: undefined }, /address or interface/],
    [{ interface: 'eth0' }, /address and interface/],
    [{ address: undefined, interface: 'a/b' }, /interface must/],
    [{ address: undefined, interface: 'longer-than-fifteen' }, /interface must/],
    [{ device: '' }, /device must/],
    [{ address: 'nowhere' }, /nowhere/],
    [{ sourceAddress: '1.2.3' }, /1\.2\.3/],
    [{ port: 0 }, /port/],
    [{ port: 65_536 }, /port/],
    [{ connectTime: 0 }, /connectTime/],
    [{ connectTime: 1e6 }, /connectTime/],
    [{ md5Key: '' }, /md5Key/],
    [{ md5Key: 'x'.repeat(81) }, /md5Key/],
    [{ multihop: 0 }, /multihop/],
    [{ multihop: 256 }, /multihop/],
    [{ ttlSecurity: 0 }, /ttlSecurity/],
    [{ ttlSecurity: 1, multihop: 3 }, /ttlSecurity and multihop/],
    [{ ttlSecurity: 1, multihop: false }, /ttlSecurity and multihop/],
    [{ asn: 0 }, /asn/],
    [{ asn: 'somebody' }, /asn/],
    [{ localAsn: 2 ** 32 }, /localAsn/],
    [{ bgpIdentifier: '10.0.0' }, /BGP Identifier/],
    [{ families: [] }, /families/],
    [{ holdTime: 2 }, /holdTime/],
    [{ keepaliveTime: -1 }, /keepaliveTime/],
    [{ sendHoldTime: 60 }, /sendHoldTime/],
    [{ connectRetryTime: 0 }, /connectRetryTime/],
    [{ delayOpenTime: -1 }, /delayOpenTime/],
    [{ idleHoldTime: -1 }, /idleHoldTime/],
    [{ gracefulRestart: { restartTime: 5000 } }, /gracefulRestart\.restartTime/],
    [{ gracefulRestart: { staleTime: -1 } }, /gracefulRestart\.staleTime/],
    [{ gracefulRestart: { maximumRestartTime: Infinity } }, /gracefulRestart\.maximumRestartTime/],
    [{ gracefulRestart: false, longLivedGracefulRestart: { staleTime: 1 } }, /longLivedGracefulRestart/],
    [
      { longLivedGracefulRestart: { staleTime: 1, maximumStaleTime: -1 } },
      /longLivedGracefulRestart\.maximumStaleTime/,
    ],
    [{ role: 'king' }, /role/],
    [{ role: 'peer', asn: 'internal' }, /role/],
    [{ strictRole: true }, /strictRole/],
    [{ addPath: { send: ['ipv6-unicast'] }, families: ['ipv4-unicast'] }, /addPath\.send/],
    [{ extendedNextHop: ['ipv6-unicast'], families: ['ipv4-unicast'] }, /extendedNextHop/],
    [{ requireCapabilities: ['role'] }, /requireCapabilities/],
    [{ extraCapabilities: [{ code: -1, value: new Uint8Array() }] }, /extraCapabilities/],
    [{ maximumPrefixes: 0 }, /maximumPrefixes/],
    [{ allowOwnAs: -1 }, /allowOwnAs/],
    [{ minRouteAdvertisementInterval: -1 }, /minRouteAdvertisementInterval/],
    [{ importPolicy: 'maybe' }, /importPolicy/],
  ]
  for (const [more, message] of wrong) {
    const what = (): unknown => checkPeerOptions({ ...PEER, ...more }, SPEAKER)
    t.throws(what, { name: 'RangeError', message }, JSON.stringify(more))
  }
})
