/** How long TCP tries on under a session: as a number, and with the kernel. */
import t from 'tap'
import { Peering, userTimeout } from '@typemetal/bgp/fsm'
import { encodeMessage } from '@typemetal/bgp/wire'
import { missingSockets } from '@typemetal/bgp'
import { untilTrue } from './fuzz/witness.js'
import { HOSTILE, hostileOpen, openScene, pause } from './hostile-load.js'
import { Pair, seeded } from './pair.js'

t.setTimeout(900_000)

t.test('RFC 9687 section 4.4: twice the Hold Time, and never before the SendHoldTimer that was asked for', async t => {
  t.equal(userTimeout(90, {}), 180)
  t.equal(userTimeout(3, {}), 6)
  t.equal(userTimeout(9, { sendHoldTime: 20 }), 80)
  t.equal(userTimeout(0, {}), 180, 'RFC 4271 section 4.2: without a Hold Time no timer of ours runs')
  t.equal(userTimeout(90, { sendHoldTime: 0 }), 0, 'a stalled peer is to be kept')
})

t.test('RFC 9293 section 3.8.3: a session goes by what was agreed on, and by its options as they are now', async t => {
  const session = { holdTime: 90, connectRetryTime: 30 }
  const a = { asn: 64_512, bgpIdentifier: 1, remoteAs: 64_513, ...session }
  const b = { asn: 64_513, bgpIdentifier: 2, remoteAs: 64_512, ...session, holdTime: 30, passive: true }
  const pair = new Pair(a, b, seeded(1))
  pair.start(pair.b)
  pair.start(pair.a)
  pair.runUntil(1000)
  t.ok(pair.isEstablished)
  t.equal(pair.a.peering.userTimeout, 60)
  pair.a.peering.change({ ...a, sendHoldTime: 300 }, 1000)
  t.equal(pair.a.peering.userTimeout, 360)
  t.equal(new Peering(a).userTimeout, 180)
})

t.test(
  'RFC 9293 section 3.8.3: a peer that talks and never reads is given up by TCP, long before the SendHoldTimer',
  { skip: process.platform === 'linux' ? (missingSockets() ?? false) : 'needs Linux' },
  async t => {
    await using scene = await openScene({}, { holdTime: 6 })
    const socket = await scene.establish(hostileOpen({ holdTime: 6 }))
    socket.pause()
    const alive = setInterval(() => socket.write(encodeMessage({ type: 'keepalive' })), 500)
    t.teardown(() => clearInterval(alive))
    const causes: string[] = []
    const peer = scene.speaker.peers.find(({ address }) => address === HOSTILE)
    peer?.on('state', (_to, _from, cause) => causes.push(cause))
    const started = performance.now()
    const low = Array.from({ length: 100 }, (_, i) => i)
    // More than both ends have room for.
    for (let round = 0; round < 30; round++) {
      for (let i = 0; i < 1000; i++) {
        const communities = low.map(value => `${1 + i}:${100 * round + value}`)
        scene.speaker.announce({ prefix: `10.${i >> 8}.${i & 255}.0/24`, nextHop: '192.0.2.9', communities })
      }
      await pause(10)
    }
    await untilTrue(() => causes.length > 0, 120_000)
    t.equal(causes[0], 'TcpConnectionFails: ETIMEDOUT')
    t.ok(performance.now() - started > 10_000, `${Math.round(performance.now() - started)} ms`)
  },
)
