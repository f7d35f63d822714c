/** BGP and BFD over a link that is cut: our own speakers, each in a network namespace of its own. */
import t from 'tap'
import { BgpSpeaker, type BfdPeerOptions, type Peer, type PeerOptions } from '@typemetal/bgp'
import { Bfd } from '@typemetal/bgp/bfd'
import { spawnBfdSpeaker } from './bfd-speaker-process.js'
import { createHost, isInside, missingPrivilege, run, until, type Host } from './interop/namespace.js'
import { RecordingLog } from './speakers.js'

const OURS = '10.1.0.1'
const THEIRS = '10.1.0.2'
const PREFIX = '192.0.2.0/24'
/** Milliseconds; so many packets that no pause of a busy machine is a Detection Time, 3 s. The Hold Time is 90 s. */
const INTERVAL = 100
const DETECT_MULTIPLIER = 30

interface Scene {
  readonly host: Host
  readonly peer: Peer
  readonly log: RecordingLog
  /** `state: cause` of the peer. */
  readonly states: string[]
  /** Does something, until our route to the other side's prefix has gone. */
  readonly untilWithdrawn: (what: () => void) => Promise<void>
}

async function withLink(more: BfdPeerOptions, play: (scene: Scene) => Promise<void>): Promise<void> {
  const common = { transmitInterval: INTERVAL, receiveInterval: INTERVAL, detectMultiplier: DETECT_MULTIPLIER, ...more }
  await using host = await createHost([`${OURS}/24`], [`${THEIRS}/24`])
  const listen = { port: 1790 }
  const theirs: PeerOptions = { address: OURS, asn: 64_512, passive: true, bfd: common }
  spawnBfdSpeaker(host, {
    speaker: { asn: 64_513, bgpIdentifier: THEIRS, listen },
    peer: theirs,
    routes: [{ prefix: PREFIX }],
  })
  const log = new RecordingLog()
  await using bfd = await Bfd.start({ log })
  await using speaker = new BgpSpeaker({ asn: 64_512, bgpIdentifier: OURS, bfd, log })
  const states: string[] = []
  speaker.on('state', (_, to, _from, cause) => states.push(`${to}: ${cause}`))
  const peer = speaker.addPeer({ address: THEIRS, port: 1790, asn: 64_513, connectRetryTime: 2, bfd: common })
  const isThere = (): boolean => [...speaker.locRib()].some(({ prefix }) => prefix === PREFIX)
  await until('BGP and BFD', () => isThere() && peer.bfdState === 'Up')
  const untilWithdrawn = async (what: () => void): Promise<void> => {
    const gone = new Promise<void>(resolve => {
      speaker.on('route', ({ prefix, paths }) => {
        if (prefix === PREFIX && paths.length === 0) resolve()
      })
    })
    what()
    await gone
  }
  await play({ host, peer, log, states, untilWithdrawn })
}

/** Not a packet goes either way, and no interface says so. */
function cut(link: string): void {
  run('nft', 'add', 'table', 'netdev', 'cut')
  run(
    'nft',
    'add',
    'chain',
    'netdev',
    'cut',
    'in',
    `{ type filter hook ingress device ${link} priority 0; policy drop; }`,
  )
  run('nft', 'add', 'table', 'inet', 'cut')
  run('nft', 'add', 'chain', 'inet', 'cut', 'out', '{ type filter hook output priority 0; policy drop; }')
}
const mend = (): void => {
  for (const family of ['netdev', 'inet']) run('nft', 'delete', 'table', family, 'cut')
}

function suite(): void {
  t.test(
    'RFC 5882 section 3.2: the link is cut: the Detection Time withdraws the route, not the Hold Time',
    async t => {
      await withLink({}, async ({ host, peer, log, states, untilWithdrawn }) => {
        states.length = 0
        await untilWithdrawn(() => cut(host.link))
        t.equal(states[0], 'Idle: BfdDown: Control Detection Time Expired')
        t.ok(
          log.at('info').some(({ message, reason }) => message === 'notification sent' && reason === 'Cease: BFD Down'),
        )
        mend()
        await until('both again', () => peer.state === 'Established' && peer.bfdState === 'Up')
      })
    },
  )

  t.test('RFC 5882 section 3.2: the other side freezes', async t => {
    await withLink({}, async ({ host, states, untilWithdrawn }) => {
      states.length = 0
      await untilWithdrawn(() => host.signal('SIGSTOP'))
      t.equal(states[0], 'Idle: BfdDown: Control Detection Time Expired')
      host.signal('SIGCONT')
    })
  })

  t.test('RFC 5882 section 3.2: the other side takes leave: what it says counts, not that its BFD ends', async t => {
    await withLink({}, async ({ host, peer, states, untilWithdrawn }) => {
      states.length = 0
      await untilWithdrawn(() => host.signal('SIGTERM'))
      t.equal(states[0], 'Idle: NotifMsg 6/2')
      await until('told', () => peer.bfdState === 'Down')
      t.notOk(states.some(state => state.includes('BfdDown')))
    })
  })

  t.test('RFC 5881 section 3: an unnumbered peer, by its link-local address', async t => {
    await using host = await createHost([], [])
    const times = { transmitInterval: INTERVAL, receiveInterval: INTERVAL, detectMultiplier: DETECT_MULTIPLIER }
    const common: PeerOptions = { asn: 'external', bfd: times }
    spawnBfdSpeaker(host, {
      speaker: { asn: 64_513, bgpIdentifier: THEIRS, listen: { port: 1790 } },
      peer: { ...common, interface: 'eth0', passive: true },
      routes: [],
    })
    await using bfd = await Bfd.start()
    await using speaker = new BgpSpeaker({ asn: 64_512, bgpIdentifier: OURS, bfd })
    const peer = speaker.addPeer({ ...common, interface: host.link, port: 1790, connectRetryTime: 2 })
    t.equal(peer.bfdState, undefined, 'nobody is known yet')
    await until('BGP and BFD', () => peer.state === 'Established' && peer.bfdState === 'Up')
    t.match(bfd.sessions(), [{ interface: host.link, address: peer.address, multihop: false }])
    await peer.close()
    t.same(bfd.sessions(), [])
  })

  t.test('draft-ietf-idr-bgp-bfd-strict-mode section 8: BFD first, then BGP', async t => {
    await withLink({ strict: true }, async ({ host, peer, log, states, untilWithdrawn }) => {
      t.equal(peer.negotiated?.bfdStrictMode, true)
      const lines = log.lines.map(({ message, to }) => `${message} ${String(to)}`)
      t.ok(lines.indexOf('BFD session state Up') < lines.indexOf('session state Established'))
      states.length = 0
      await untilWithdrawn(() => cut(host.link))
      mend()
      await until('both again', () => peer.state === 'Established' && peer.bfdState === 'Up')
      t.equal(
        states.filter(state => state.startsWith('Established')).length,
        1,
        'at the first attempt that gets through',
      )
    })
  })
}

t.setTimeout(900_000)
const missing = missingPrivilege()
if (missing) t.test('BGP and BFD over a link', { skip: missing }, async () => {})
else if (isInside()) suite()
