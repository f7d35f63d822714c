/** Sessions over unnumbered links, with FRR and between two of ours. */
import { listLinks } from '@typemetal/sockets'
import t from 'tap'
import { BgpSpeaker, type Peer, type PeerOptions } from '@typemetal/bgp'
import { createHost, isInside, missingPrivilege, run, until } from './interop/namespace.js'
import { RecordingLog } from './speakers.js'
import { missingZebra, UnnumberedFrr } from './unnumbered-frr.js'

const NETWORKS = ['192.0.2.0/24', '2001:db8:1::/48']
const OURS = ['198.51.100.0/24', '2001:db8:2::/48']

/** The usable link-local address of an interface. */
const linkLocal = (name: string): string | undefined =>
  listLinks()
    .find(link => link.name === name)
    ?.addresses.find(({ scope, family, tentative }) => scope === 'link' && family === 6 && !tentative)?.address

const speak = (log: RecordingLog): BgpSpeaker =>
  new BgpSpeaker({ asn: 64_512, bgpIdentifier: '10.1.0.1', listen: { port: 179 }, log })

/** Both prefixes of FRR here, by the link-local next hop; both of ours there. */
async function exchanged(speaker: BgpSpeaker, peer: Peer, frr: UnnumberedFrr, ours: string): Promise<void> {
  await until('Established', () => peer.state === 'Established')
  await until('FRR has told its prefixes', () => {
    const known = [...speaker.locRib()].filter(({ paths }) => paths[0]?.peer === peer)
    return known.length === 2 && known.every(({ paths }) => paths[0]?.nextHop === peer.address)
  })
  await until('FRR has ours', () => OURS.every(prefix => frr.routes().get(prefix)?.includes(ours)))
}

function suite(): void {
  const skip = missingZebra() ?? false
  t.test(
    'RFC 8950 section 3: FRR without addresses: IPv4 and IPv6 both ways, by link-local next hops',
    { skip },
    async t => {
      await using host = await createHost([], [])
      await using frr = await UnnumberedFrr.start(host, 64_513, NETWORKS)
      const log = new RecordingLog()
      await using speaker = speak(log)
      await speaker.start()
      await until('an address', () => linkLocal(host.link) !== undefined)
      const peer = speaker.addPeer({ interface: host.link, asn: 'external' })
      for (const prefix of OURS) speaker.announce({ prefix })
      await exchanged(speaker, peer, frr, linkLocal(host.link)!)
      t.match(peer, { name: host.link, interface: host.link, address: /^fe80::/ })
      t.match(peer.negotiated?.extendedNextHop, ['ipv4-unicast'])
      const heard = [...peer.adjRibIn()].map(({ prefix }) => prefix)
      t.ok(NETWORKS.every(prefix => heard.includes(prefix)))
      const told = [...peer.adjRibOut()]
      t.ok(told.every(({ nextHop }) => nextHop === linkLocal(host.link)))
      t.same(told.map(({ prefix }) => prefix).toSorted(), OURS)

      run('ip', 'link', 'set', host.link, 'down')
      await until('the neighbour is gone', () =>
        log.at('info').some(({ reason }) => reason === `interface ${host.link} is down`),
      )
      t.equal(peer.state, 'Established', 'TCP and the hold timer know better')
      run('ip', 'link', 'set', host.link, 'up')
      await until('an address again', () => linkLocal(host.link) !== undefined)
      await exchanged(speaker, peer, frr, linkLocal(host.link)!)
    },
  )

  t.test('RFC 8950 section 3: FRR dials: a connection is told by its interface', { skip }, async t => {
    await using host = await createHost([], [])
    await using frr = await UnnumberedFrr.start(host, 64_513, NETWORKS)
    await using speaker = speak(new RecordingLog())
    await speaker.start()
    const peer = speaker.addPeer({ interface: host.link, asn: 64_513, passive: true })
    for (const prefix of OURS) speaker.announce({ prefix })
    await until('an address', () => linkLocal(host.link) !== undefined)
    await exchanged(speaker, peer, frr, linkLocal(host.link)!)
    t.equal(peer.localPort, 179)
  })

  t.test('an unnumbered peer that is not there: the cause says why, and its coming ends the wait', async t => {
    const log = new RecordingLog()
    const options: PeerOptions = { interface: 'ua', asn: 64_513, idleHoldTime: 3600, port: 1790 }
    await using a = new BgpSpeaker({ asn: 64_512, bgpIdentifier: '10.1.0.1', log })
    const peer = a.addPeer(options)
    await until('said', () => log.at('warn').some(({ reason }) => reason === 'no interface ua'))
    t.match(peer, { state: 'Idle', address: '' })
    run('ip', 'link', 'add', 'ua', 'type', 'veth', 'peer', 'name', 'ub')
    for (const name of ['ua', 'ub']) run('ip', 'link', 'set', name, 'up')
    await using b = new BgpSpeaker({ asn: 64_513, bgpIdentifier: '10.1.0.2', listen: { port: 1790 } })
    await b.start()
    b.addPeer({ interface: 'ub', asn: 64_512, passive: true })
    await until('dialled', () => log.at('debug').filter(({ cause }) => cause === 'ManualStart').length === 2)
    t.equal(peer.address, linkLocal('ub'))
    run('ip', 'link', 'delete', 'ua')
  })
}

t.setTimeout(900_000)
const missing = missingPrivilege()
if (missing) t.test('unnumbered sessions', { skip: missing }, async () => {})
else if (isInside()) suite()
