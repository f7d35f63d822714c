/** TCP-MD5 with real routers, and between two of ours. */
import { readMd5Counters } from '@typemetal/sockets'
import t from 'tap'
import { BgpSpeaker, type Clock, type Logger, type Peer } from '@typemetal/bgp'
import { TestClock } from './clock.js'
import { until } from './interop/namespace.js'
import { eachRouter, established, interop, seen, withScene } from './interop/scene.js'

const KEY = 's3cret'

/** TCP-MD5 between two of ours, on the loopback interface of the namespace. */
function suiteOfKeys(): void {
  t.test('TCP-MD5, RFC 2385: keys for peers and prefixes, set and taken away while we listen', async t => {
    await using router = new BgpSpeaker({
      asn: 1,
      bgpIdentifier: '10.0.0.254',
      listen: { address: '127.0.0.1', port: 1790 },
    })
    await router.start()
    const dial = (from: string, md5Key: string | undefined, clock?: Clock): { speaker: BgpSpeaker; peer: Peer } => {
      const speaker = new BgpSpeaker({ asn: 2, bgpIdentifier: '10.0.0.1', ...(clock && { clock }) })
      const options = { address: '127.0.0.1', port: 1790, asn: 1, sourceAddress: from }
      const peer = speaker.addPeer({ ...options, ...(md5Key !== undefined && { md5Key }) })
      return { speaker, peer }
    }
    const comesUp = async (from: string, md5Key: string | undefined, what: string): Promise<void> => {
      const { speaker, peer } = dial(from, md5Key)
      await until(what, () => peer.state === 'Established')
      t.pass(what)
      await speaker.close()
    }
    const keyed = router.addPeer({ address: '127.0.0.2', asn: 2, passive: true, md5Key: 'one' })
    router.addDynamicPeers({ prefix: '127.0.1.0/24', asn: 2, md5Key: 'three' })
    router.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 2 })
    await comesUp('127.0.0.2', 'one', 'a peer with its key')
    await comesUp('127.0.1.9', 'three', 'a peer with the key of its prefix')
    await comesUp('127.0.2.1', undefined, 'a peer without')

    const clock = new TestClock()
    const causes: string[] = []
    const failures = (): number => readMd5Counters()?.failure ?? 0
    const before = failures()
    const { speaker, peer } = dial('127.0.0.2', 'wrong', clock)
    peer.on('state', (_to, _from, cause) => causes.push(cause))
    await until('a segment with another key to be dropped', () => failures() > before)
    t.equal(peer.state, 'Connect', 'silence')
    clock.advance(10_000)
    await until('the attempt ends', () => causes.length > 0)
    t.match(causes[0], /no answer within 10 s: .*TCP-MD5 key/)
    await speaker.close()

    const warnings: string[] = []
    const log: Logger = {
      debug() {},
      info() {},
      warn: (_, text) => void warnings.push(text),
      error() {},
      child: () => log,
    }
    const impatient = new TestClock()
    const hasty = new BgpSpeaker({ asn: 2, bgpIdentifier: '10.0.0.1', clock: impatient, log })
    const options = { address: '127.0.0.1', port: 1790, asn: 1, sourceAddress: '127.0.0.2', md5Key: 'wrong' }
    hasty.addPeer({ ...options, connectRetryTime: 1 })
    impatient.advance(5000)
    t.same(warnings.length, 1, 'said once')
    t.match(warnings[0], /no answer before the next attempt: .*TCP-MD5 key/)
    await hasty.close()

    await keyed.close()
    await comesUp('127.0.0.2', undefined, 'without a key once the peer that had one is gone')
  })
}

interop(() => {
  suiteOfKeys()

  for (const dials of ['us', 'them'] as const) {
    const who = dials === 'us' ? 'we dial' : 'it dials'
    const keyless = { OpenBGPD: 'OpenBGPD 7.7 sets no key on its listening socket on Linux' }
    eachRouter(`RFC 2385: ${who} with the right key`, dials === 'us' ? keyless : {}, async (t, kind) => {
      await withScene(kind, { dials, neighbor: { password: KEY }, peer: { md5Key: KEY } }, async scene => {
        scene.peer.setRoutes([{ prefix: '192.0.2.0/24' }])
        await established(scene)
        await seen(scene.router, ['192.0.2.0/24'])
        t.pass('routes go over it')
      })
    })
  }

  eachRouter('RFC 2385: we dial with the wrong key; never up, and the log says why', {}, async (t, kind) => {
    await withScene(kind, { neighbor: { password: KEY }, peer: { md5Key: 'other' } }, async scene => {
      const { peer, router, warnings } = scene
      const states: string[] = []
      peer.on('state', to => states.push(to))
      await until('a warning', () => warnings.length > 0)
      t.match(warnings[0], /TCP-MD5 key/)
      t.equal(peer.counters.opensSent, 0)
      t.notOk(states.includes('OpenSent'), 'TCP does not stand')
      t.same(await router.established(), [])
    })
  })

  eachRouter('RFC 2385: it dials with the wrong key; its SYNs stay unanswered', {}, async (t, kind) => {
    const options = { dials: 'them', neighbor: { password: KEY }, peer: { md5Key: 'other' } } as const
    await withScene(kind, options, async ({ peer, router, host }) => {
      // Some give up after a second and start again from another port.
      const ports = new Set<string>()
      await until('a SYN sent again', async () => {
        const [dialling = ''] = (await host.ask('ss', '-Htno', 'state', 'syn-sent')).split('\n')
        const port = /:(\d+) /.exec(dialling)?.[1]
        if (port) ports.add(port)
        return ports.size > 1 || /timer:\(on,[^,]+,[1-9]/.test(dialling)
      })
      t.equal(peer.state, 'Active')
      t.same(await router.established(), [])
    })
  })
})
