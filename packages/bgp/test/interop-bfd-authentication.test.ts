/** Authentication of BFD with BIRD; FRR has none. */
import type tap from 'tap'
import { AUTHENTICATION_TYPES, type AuthenticationOptions } from '@typemetal/bgp/bfd'
import { bfdInterop, eachBfdPeer, theyAre, up, weAre, withBfd } from './interop/bfd-scene.js'
import { Capture, missingCapture } from './interop/capture.js'
import { until } from './interop/namespace.js'

const LACKS = { FRR: 'FRR 8.4 has no authentication of BFD' }
const CAPTURE = missingCapture()
const LACKS_CAPTURE = CAPTURE ? { ...LACKS, BIRD: CAPTURE } : LACKS
/** So many packets of 100 ms that no pause of a busy machine is a Detection Time. */
const DETECT_MULT = 40
const TIMES = { transmitInterval: 100, receiveInterval: 100, detectMultiplier: DETECT_MULT }
/** More packets than the window of sequence numbers has (RFC 5880 section 6.7.3): the numbers must go on as the other end wants it. */
const LASTING = 3 * DETECT_MULT + 5
/** Auth Type of RFC 5880 section 4.1, and octets of a packet with its section. */
const ON_THE_WIRE = {
  'simple-password': { type: 1, length: 33 },
  'keyed-md5': { type: 2, length: 48 },
  'meticulous-keyed-md5': { type: 3, length: 48 },
  'keyed-sha1': { type: 4, length: 52 },
  'meticulous-keyed-sha1': { type: 5, length: 52 },
} as const

const authenticationOf = (type: AuthenticationOptions['type'], key = 'secret', keyId = 7): AuthenticationOptions => ({
  type,
  keyId,
  key,
})

await bfdInterop(() => {
  for (const type of AUTHENTICATION_TYPES) {
    eachBfdPeer(`RFC 5880 section 6.7: ${type}, up and lasting`, LACKS_CAPTURE, async (t, kind) => {
      const authentication = authenticationOf(type)
      const options = { ...TIMES, authentication }
      await withBfd(kind, { session: options, peer: options }, async scene => {
        const { host, session, sessionOptions } = scene
        await up(scene)
        await using capture = await Capture.start(host.link, 'udp port 3784')
        const fields = ['bfd.auth.type', 'bfd.message_length', 'bfd.auth.key', 'bfd.auth.seq_num', 'bfd.sta'] as const
        const { packetsSent, packetsReceived } = session.snapshot()
        await until('packets both ways', () => {
          const now = session.snapshot()
          return now.packetsSent - packetsSent > LASTING && now.packetsReceived - packetsReceived > LASTING
        })
        const ours = await capture.wait(LASTING, `bfd && ip.src == ${sessionOptions.localAddress}`, ...fields)
        const theirs = await capture.wait(LASTING, `bfd && ip.src == ${sessionOptions.address}`, ...fields)
        const wanted = ON_THE_WIRE[type]
        for (const [who, packets] of Object.entries({ ours, theirs })) {
          t.same([...new Set(packets.map(packet => Number(packet['bfd.auth.type'])))], [wanted.type], who)
          t.same([...new Set(packets.map(packet => Number(packet['bfd.auth.key'])))], [7], who)
        }
        t.same([...new Set(ours.map(packet => Number(packet['bfd.message_length'])))], [wanted.length])
        const numbers = new Set(ours.map(packet => packet['bfd.auth.seq_num']))
        if (type.startsWith('meticulous')) t.equal(numbers.size, ours.length, 'each packet has a number of its own')
        t.same(await capture.faults(), [], 'no packet is malformed')
        t.match(session.snapshot(), { upTransitions: 1, downTransitions: 0 })
        t.same(session.snapshot().discards, {})
      })
    })

    eachBfdPeer(`RFC 5880 section 6.7: ${type}, another key, and no session`, LACKS, async (t, kind) => {
      const ours = { ...TIMES, authentication: authenticationOf(type) }
      const theirs = { ...TIMES, authentication: authenticationOf(type, 'guess?') }
      await withBfd(kind, { session: ours, peer: theirs }, async scene => {
        const { peer, peerOptions, session } = scene
        const reason = type === 'simple-password' ? 'authentication-password' : 'authentication-digest'
        await until(`${reason} is counted`, () => (session.snapshot().discards[reason] ?? 0) >= 2)
        await until('BIRD refuses ours', () => /bfd1: .*(authentication|password|digest|key)/i.test(peer.daemon.output))
        await theyAre(scene, 'Down')
        t.match(session.snapshot(), { state: 'Down', upTransitions: 0, yourDiscriminator: 0 })
        session.change(theirs)
        await up(scene)
        t.ok(peerOptions.authentication, 'with its key there is one')
      })
    })
  }

  eachBfdPeer('RFC 5880 section 6.7.1: another key ID is another key', LACKS, async (t, kind) => {
    const ours = { ...TIMES, authentication: authenticationOf('keyed-sha1') }
    const theirs = { ...TIMES, authentication: authenticationOf('keyed-sha1', 'secret', 8) }
    await noSession(t, kind, ours, theirs, 'authentication-key-id')
  })

  eachBfdPeer('RFC 5880 section 6.8.6: theirs only, ours only, another type', LACKS, async (t, kind) => {
    const sha1 = { ...TIMES, authentication: authenticationOf('keyed-sha1') }
    const md5 = { ...TIMES, authentication: authenticationOf('keyed-md5') }
    await noSession(t, kind, TIMES, sha1, 'authentication-unexpected')
    await noSession(t, kind, sha1, TIMES, 'authentication-missing')
    await noSession(t, kind, sha1, md5, 'authentication-type')
  })

  eachBfdPeer('RFC 5880 section 6.7: killed and started again, its sequence begins anew', LACKS, async (t, kind) => {
    const options = { ...TIMES, authentication: authenticationOf('meticulous-keyed-sha1') }
    await withBfd(kind, { session: options, peer: options }, async scene => {
      await up(scene)
      await scene.peer.daemon.kill()
      await weAre(scene, 'Down')
      await scene.peer.daemon.startAgain()
      await up(scene)
      t.match(scene.session.snapshot(), { upTransitions: 2, downTransitions: 1 })
    })
  })
})

type Kind = Parameters<Parameters<typeof eachBfdPeer>[2]>[1]
type Options = typeof TIMES & { readonly authentication?: AuthenticationOptions }

/** We count why we do not listen to the other end, and there is no session. */
async function noSession(t: typeof tap, kind: Kind, ours: Options, theirs: Options, reason: string): Promise<void> {
  await withBfd(kind, { session: ours, peer: theirs }, async scene => {
    const count = (): number => new Map(Object.entries(scene.session.snapshot().discards)).get(reason) ?? 0
    await until(`${reason} is counted`, () => count() >= 2)
    await theyAre(scene, 'Down')
    t.match(scene.session.snapshot(), { state: 'Down', upTransitions: 0 }, reason)
  })
}
