/** A drain towards a router that watches the node by BFD: FRR ends BGP when its BFD neighbour says AdminDown, so that comes last. */
import { until } from '@typemetal/lab'
import t from 'tap'
import { NODE, ROUTER, bgpWorld, missingRoot, object, pool, said, service } from './support/bgp-world.js'
import { Frr, missingFrr } from './support/frr.js'

const skip = missingRoot() ?? missingFrr() ?? false
const PREFIX = '203.0.113.1/32'
const CONFIGURATION = `bfd
 profile fast
  transmit-interval 1000
  receive-interval 1000
 !
!
router bgp 64513
 bgp router-id 10.10.0.1
 no bgp ebgp-requires-policy
 neighbor ${NODE} remote-as 64512
 neighbor ${NODE} passive
 neighbor ${NODE} timers 30 90
 neighbor ${NODE} bfd
 neighbor ${NODE} bfd profile fast
`

t.setTimeout(1_200_000)

t.test(
  'RFC 5882 section 4.2: BFD stays up through the drain, FRR has our Cease, and AdminDown comes after it',
  { skip },
  async t => {
    await using world = await bgpWorld()
    const frr = await Frr.start(world.router, world.directory, CONFIGURATION)
    const peer = `{ myASN: 64512, peerASN: 64513, peerAddress: ${ROUTER}, holdTime: 90s, bfdProfile: fast }`
    await world.write('profile', object('BFDProfile', 'fast', '{ receiveInterval: 1000, transmitInterval: 1000 }'))
    await world.write('r', object('BGPPeer', 'r', peer))
    await world.write('all', [pool(), service('one', '203.0.113.1')].join('---\n'))
    const speaker = world.speaker(['--drain-peer-wait=2s'])
    await frr.path(PREFIX)
    const isUp = async (): Promise<true | undefined> => ((await frr.bfd(NODE))?.status === 'up' ? true : undefined)
    await until('BFD to be up', isUp, { timeout: 60_000 })
    speaker.kill('SIGTERM')
    await frr.path(PREFIX, ({ communities }) => communities.includes('graceful-shutdown'))
    // The last node of all: what it announces stays to the end, under a session that BFD watches.
    t.ok(await isUp(), 'BFD is up while routers move traffic away')
    t.match(await frr.neighbor(NODE), { bgpState: 'Established' })
    t.strictSame(await speaker.exited, { code: 0, signal: null })
    await frr.gone(PREFIX)
    const { notificationsRecv, notificationsSent } = (await frr.neighbor(NODE)).messageStats
    t.ok(notificationsRecv > 0, 'it has heard our Cease')
    t.equal(notificationsSent, 0, 'and has not ended the session before, with its own Cease, BFD Down (RFC 9384)')
    t.notOk(speaker.lines.some(said('sessionDown', 'Bfd')))
    await until('FRR to see that BFD ended', async () => ((await isUp()) ? undefined : true), { timeout: 60_000 })
  },
)
