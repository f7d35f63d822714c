/** Connection collisions with real routers, RFC 4271 section 6.8: a hundred at once. */
import { BgpSpeaker, type Peer } from '@typemetal/bgp'
import { createHost, run, until, type Host } from './interop/namespace.js'
import { eachRouter, interop, OUR_AS, THEIR_AS } from './interop/scene.js'

const COUNT = 100
/** Seconds: FRR 8.4 can take a connection that it has broken itself for Established, and refuses others until this time has passed. */
const HOLD_TIME = 9

/** Nothing in the filter holds up what is not listed: connections that they open, those that we open, and what is said on them. */
type Stage = readonly ('their connections' | 'our connections' | 'messages')[]

const WITH_DATA = 'tcp flags & psh == psh'
const OPENING = 'tcp flags & (syn | ack) == syn'

/** Lets both sides connect before either OPEN gets through, so that connections collide for sure. */
function letThrough({ link }: Host, stage: Stage): void {
  const rules = [
    ...(stage.includes('our connections') ? [] : [`tcp dport 179 ${OPENING} drop`]),
    ...(stage.includes('messages') ? [] : [`tcp dport 179 ${WITH_DATA} drop`, `tcp sport 179 ${WITH_DATA} drop`]),
  ]
  const body = rules.map(rule => `oifname "${link}" ${rule}`)
  const chain = ['chain output {', 'type filter hook output priority 0', ...body, '}']
  const table = `table ip ${link}`
  run('nft', [`${table} {}`, `delete ${table}`, `${table} {`, ...chain, '}'].join('\n'))
}

interface Pair {
  readonly speaker: BgpSpeaker
  readonly peer: Peer
  readonly address: string
  /** What the peer went through: `to from cause`. */
  readonly history: readonly string[]
}

/** Ours are in turn below and above the router's BGP Identifier: of every other pair it is their connection that must stay. */
async function pairUp(address: string, index: number, theirs: string): Promise<Pair> {
  const bgpIdentifier = index % 2 === 0 ? `10.0.0.${index + 1}` : `10.255.0.${index + 1}`
  const speaker = new BgpSpeaker({ asn: OUR_AS, bgpIdentifier, listen: { address } })
  await speaker.start()
  const times = { connectRetryTime: 1, holdTime: HOLD_TIME }
  const peer = speaker.addPeer({ address: theirs, asn: THEIR_AS, sourceAddress: address, ...times })
  const history: string[] = []
  peer.on('state', (to, from, cause) => history.push(`${to} ${from} ${cause}`))
  return { speaker, peer, address, history }
}

/** Remote ends of the TCP connections on port 179 that stand in the host. */
async function connected(host: Host): Promise<readonly string[]> {
  const text = await host.ask('ss', '-Htn', 'state', 'established', '( sport = :179 or dport = :179 )')
  const remotes = text.split('\n').map(line => line.trim().split(/\s+/)[3] ?? '')
  return remotes.filter(Boolean).map(address => address.replace(/:\d+$/, ''))
}

let tests = 0

interop(() => {
  const lacks = { ExaBGP: 'ExaBGP 4.2 resets what it has accepted for as long as it dials itself' }
  eachRouter('RFC 4271 section 6.8: both sides dial at once, 100 times, one session each', lacks, async (t, kind) => {
    const net = `10.2.${++tests}`
    const theirs = { ipv4: `${net}.254`, ipv6: `2001:db8:b:${tests}::2` }
    const ours = Array.from({ length: COUNT }, (_, index) => `${net}.${index + 1}`)
    await using host = await createHost(
      ours.map(address => `${address}/24`),
      [`${theirs.ipv4}/24`, `${theirs.ipv6}/64`],
    )
    letThrough(host, ['their connections'])
    const pairs = await Promise.all(ours.map((address, index) => pairUp(address, index, theirs.ipv4)))
    const router = await kind.start(host, {
      asn: THEIR_AS,
      routerId: '10.128.0.1',
      nextHops: theirs,
      neighbors: ours.map(address => ({ address, localAddress: theirs.ipv4, asn: OUR_AS })),
    })
    await using daemon = router.daemon
    try {
      await until('their connections', () => pairs.every(({ peer }) => peer.counters.opensSent > 0))
      letThrough(host, ['their connections', 'our connections'])
      await until('our connections', () => pairs.every(({ peer }) => peer.counters.opensSent > 1))
      t.notOk(pairs.some(({ peer }) => peer.state === 'Established'))
      letThrough(host, ['their connections', 'our connections', 'messages'])
      await until('Established on our side', () => pairs.every(({ peer }) => peer.state === 'Established'))
      await until('Established on their side', async () => (await router.established()).length === COUNT)
      await until(
        'one connection each',
        async () => (await connected(host)).toSorted().join() === ours.toSorted().join(),
      )
      const ups = pairs.map(({ history }) => history.filter(text => text.startsWith('Established ')).length)
      // FRR 8.4: the stop that it has queued for the connection it gives up can hit the one that has taken its place.
      const lost = ups.filter(count => count > 1).length
      t.ok(lost === 0 || kind.name === 'FRR', `${lost} sessions were lost to a collision`)
    } catch (error) {
      for (const { peer, address, history } of pairs.filter(({ peer }) => peer.state !== 'Established').slice(0, 3)) {
        const said = daemon.output.split('\n').filter(line => new RegExp(`\\b${address}\\b`).test(line))
        console.error([kind.name, address, peer.counters.opensSent, ...history, ...said].join('\n'))
      }
      throw error
    } finally {
      await Promise.all(pairs.map(({ speaker }) => speaker.close()))
    }
  })
})
