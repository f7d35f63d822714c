import t from 'tap'
import { diffPeerOptions, type PeerOptions } from '@typemetal/bgp'

const PEER: PeerOptions = { address: '10.0.0.2', asn: 64_513 }
const diff = (from: Partial<PeerOptions>, to: Partial<PeerOptions>): string[] =>
  diffPeerOptions({ ...PEER, ...from }, { ...PEER, ...to }).map(({ field, effect }) => `${field} ${effect}`)

t.test('nothing changed', async t => {
  t.same(diff({}, {}), [])
  t.same(diff({ holdTime: 90, port: 179, importPolicy: 'accept' }, {}), [], 'a default is as good as left out')
  t.same(diff({ families: ['ipv4-unicast'] }, { families: ['ipv4-unicast'] }), [], 'by value')
  t.same(diff({ gracefulRestart: { families: [] } }, {}), [])
  t.same(
    diff(
      { extraCapabilities: [{ code: 200, value: Uint8Array.of(1) }] },
      { extraCapabilities: [{ code: 200, value: Uint8Array.of(1) }] },
    ),
    [],
  )
  const policy = (): boolean => true
  t.same(diff({ importPolicy: policy }, { importPolicy: policy }), [])
})

t.test('what the protocol carries on a running session is live', async t => {
  const live: Partial<PeerOptions>[] = [
    { name: 'other' },
    { md5Key: 'new' },
    { multihop: 3 },
    { ttlSecurity: 1 },
    { passive: true },
    { connectTime: 3 },
    { connectRetryTime: 30 },
    { keepaliveTime: 5 },
    { sendHoldTime: 300 },
    { idleHoldTime: 3 },
    { maximumPrefixes: 10 },
    { maximumPrefixesAction: 'warn' },
    { minRouteAdvertisementInterval: 5 },
    { importPolicy: 'reject' },
    { exportPolicy: () => false },
    { propagate: true },
    { nextHop: 'self' },
    { allowOwnAs: 1 },
    { gracefulShutdown: true },
  ]
  for (const change of live) {
    const [field] = Object.keys(change)
    t.same(diff({}, change), [`${field} live`])
    t.same(diff(change, {}), [`${field} live`], 'and back')
  }
  t.same(diff({ importPolicy: () => true }, { importPolicy: () => true }), ['importPolicy live'], 'another function')
})

t.test('what two speakers agree on in their OPENs, and what a connection is made with, is a reset', async t => {
  const reset: Partial<PeerOptions>[] = [
    { address: '10.0.0.3' },
    { port: 1790 },
    { sourceAddress: '10.0.0.1' },
    { device: 'eth0' },
    { asn: 64_514 },
    { localAsn: 7 },
    { bgpIdentifier: '1.1.1.1' },
    { families: ['ipv4-unicast'] },
    { holdTime: 30 },
    { fourOctetAs: false },
    { routeRefresh: false },
    { enhancedRouteRefresh: false },
    { extendedMessage: false },
    { extendedNextHop: ['ipv4-unicast'] },
    { addPath: { send: ['ipv4-unicast'] } },
    { gracefulRestart: true },
    { gracefulRestart: { restartTime: 60 } },
    { role: 'peer' },
    { fqdn: { hostName: 'a' } },
    { extraCapabilities: [{ code: 200, value: new Uint8Array() }] },
  ]
  for (const change of reset) {
    const [field] = Object.keys(change)
    t.same(diff({}, change), [`${field} reset`])
  }
  const longLived = { longLivedGracefulRestart: { staleTime: 5 } }
  t.same(diff(longLived, { longLivedGracefulRestart: { staleTime: 6 } }), ['longLivedGracefulRestart reset'])
})

t.test('RFC 4724, RFC 9494: our limits to the peer are ours alone', async t => {
  const restart = (staleTime: number, restartTime = 60): Partial<PeerOptions> => ({
    gracefulRestart: { restartTime, staleTime, maximumRestartTime: staleTime },
  })
  t.same(diff(restart(10), restart(20)), ['gracefulRestart live'])
  t.same(diff(restart(10), restart(20, 61)), ['gracefulRestart reset'])
  t.same(diff({ gracefulRestart: true }, { gracefulRestart: { staleTime: 5 } }), ['gracefulRestart live'])
  t.same(diff({ gracefulRestart: false }, { gracefulRestart: { staleTime: 5 } }), ['gracefulRestart reset'])
  const longLived = (maximumStaleTime: number): Partial<PeerOptions> => ({
    longLivedGracefulRestart: { staleTime: 100, maximumStaleTime },
  })
  t.same(diff(longLived(1), longLived(2)), ['longLivedGracefulRestart live'])
})

t.test('several changes at once, each with its reason', async t => {
  const changes = diffPeerOptions(PEER, { ...PEER, holdTime: 30, name: 'x', propagate: true })
  t.same(
    changes.map(({ field }) => field),
    ['name', 'holdTime', 'propagate'],
  )
  t.match(changes[1], { effect: 'reset', why: /OPEN/ })
  for (const { why } of changes) t.match(why, /^[a-z].*[^.]$/, 'half a sentence, to stand behind the name')
})
