/** BFD between the real speaker process and routers: profiles, changes by Poll, a cut link, echo, multihop. */
import { filterPackets, nftablesInstalled, until } from '@typemetal/lab'
import t from 'tap'
import { Bird, missingBird } from './support/bird.js'
import { NODE, ROUTER, bgpWorld, missingRoot, object, pool, said, service } from './support/bgp-world.js'
import type { BgpWorld } from './support/bgp-world.js'
import { Frr, missingFrr } from './support/frr.js'

const skip = missingRoot() ?? missingFrr() ?? (nftablesInstalled() ? false : 'needs nftables')
const PREFIX = '203.0.113.1/32'

const frrOf = (...profileLines: readonly string[]): string => `bfd
 profile fast
${profileLines.map(line => `  ${line}\n`).join('')}  transmit-interval 100
  receive-interval 100
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

const profile = (fields: string): string => object('BFDProfile', 'fast', `{ ${fields} }`)
const peer = (more: string): string =>
  object('BGPPeer', 'r', `{ myASN: 64512, peerASN: 64513, peerAddress: ${ROUTER}, holdTime: 90s, ${more} }`)

async function meet(world: BgpWorld, bfd: string, configuration = frrOf()): Promise<Frr> {
  const frr = await Frr.start(world.router, world.directory, configuration)
  await world.write('profile', profile(bfd))
  await world.write('r', peer('bfdProfile: fast'))
  await world.write('all', [pool(), service('one', '203.0.113.1')].join('---\n'))
  return frr
}

const up = (frr: Frr): Promise<object> =>
  until(
    'BFD to be up',
    async () => {
      const seen = await frr.bfd(NODE)
      return seen?.status === 'up' ? seen : undefined
    },
    { timeout: 60_000 },
  )

t.setTimeout(1_200_000)

t.test(
  'FRR: a profile changes by Poll, without BGP; a cut link is noticed within the detection time',
  { skip },
  async t => {
    await using world = await bgpWorld()
    // No machine is so busy that it sends nothing for the three seconds of the detection time.
    const frr = await meet(world, 'receiveInterval: 1000, transmitInterval: 1000')
    const speaker = world.speaker()
    await frr.path(PREFIX)
    t.match(await up(frr), { multihop: false, 'remote-detect-multiplier': 3, 'remote-transmit-interval': 1000 })
    await world.metricsWith('metallb_bfd_session_up{peer="10.10.0.1",vrf="default"} 1')

    await t.test('other intervals, another multiplier: BFD stays up, BGP does not notice', async t => {
      await world.write('profile', profile('receiveInterval: 1200, transmitInterval: 1100, detectMultiplier: 4'))
      await until('the new times', async () => {
        const seen = await frr.bfd(NODE)
        const [sends, takes] = [seen?.['remote-transmit-interval'], seen?.['remote-receive-interval']]
        return sends === 1100 && takes === 1200 ? seen : undefined
      }, { timeout: 60_000 }) // prettier-ignore
      t.match(await frr.bfd(NODE), { status: 'up', 'remote-detect-multiplier': 4 })
      t.equal((await frr.neighbor(NODE)).connectionsEstablished, 1)
      const metrics = await world.metricsWith('metallb_bfd_session_up_events{peer="10.10.0.1",vrf="default"} 1')
      t.match(metrics, 'metallb_bfd_session_down_events{peer="10.10.0.1",vrf="default"} 0')
      t.match(metrics, /metallb_bfd_control_packet_input\{peer="10.10.0.1",vrf="default"\} [1-9]/)
      t.match(metrics, /metallb_bfd_zebra_notifications\{peer="10.10.0.1",vrf="default"\} [1-9]/)
    })

    await t.test('the link is cut: both ends know long before the hold timer', async t => {
      await world.write('profile', profile('receiveInterval: 1000, transmitInterval: 1000, detectMultiplier: 3'))
      await until('the times of before', async () =>
        (await frr.bfd(NODE))?.['remote-transmit-interval'] === 1000 ? true : undefined, { timeout: 60_000 }
      ) // prettier-ignore
      const cutAt = performance.now()
      await filterPackets(world.node, { silent: true })
      await speaker.waitForLine(said('sessionDown', 'BfdDown'), 60_000)
      t.comment(`${(performance.now() - cutAt).toFixed(0)} ms; the hold timer would have taken 90 s`)
      await frr.gone(PREFIX, 60_000)
      t.notOk(
        speaker.lines.some(line => line.includes('HoldTimer')),
        'BFD, and no timer of BGP',
      )
      await filterPackets(world.node, {})
      await frr.path(PREFIX)
      t.match(
        await world.metricsWith('metallb_bfd_session_up{peer="10.10.0.1",vrf="default"} 1'),
        /session_down_events\{peer="10.10.0.1",vrf="default"\} 1/,
      )
    })

    await t.test('without the profile nothing of BFD is left here', async t => {
      await world.write('r', peer(''))
      const metrics = await world.metricsWith(text => !text.includes('metallb_bfd_session_up{'))
      t.notMatch(metrics, 'metallb_bfd_control_packet_input{')
      await until('no BFD port', async () => {
        const { stdout } = await world.node.exec(['ss', '-Hlnu'])
        return /:3784\b/.test(stdout) ? undefined : true
      }, { timeout: 60_000 }) // prettier-ignore
      await frr.path(PREFIX)
      t.pass('and BGP goes on')
    })
  },
)

t.test('nobody asks for BFD: no worker, no port', { skip }, async t => {
  await using world = await bgpWorld()
  const frr = await Frr.start(world.router, world.directory, frrOf().replaceAll(/^ neighbor .* bfd.*\n/gm, ''))
  await world.write('r', peer(''))
  await world.write('profile', profile('receiveInterval: 100'))
  await world.write('all', [pool(), service('one', '203.0.113.1')].join('---\n'))
  const speaker = world.speaker()
  await frr.path(PREFIX)
  const { stdout } = await world.node.exec(['ss', '-Hlnu'])
  t.notMatch(stdout, /:3784\b/)
  const { stdout: threads } = await world.node.exec(['sh', '-c', `cat /proc/${speaker.pid}/task/*/comm`])
  t.notMatch(threads, /typemetal-bfd/)
})

t.test('FRR: echo packets go and come; passive mode waits for it', { skip }, async t => {
  await using world = await bgpWorld()
  const echo = ['echo-mode', 'echo transmit-interval 500', 'echo receive-interval 500']
  const frr = await meet(world, 'echoMode: true, echoInterval: 500, passiveMode: true', frrOf(...echo))
  // Echo is for IPv4: a pool that has IPv6, too, would be refused.
  await world.write('all', [pool().replace(/, "2001.*?"/, ''), service('one', '203.0.113.1')].join('---\n'))
  world.speaker()
  await frr.path(PREFIX)
  t.match(await up(frr), { status: 'up' })
  const counted = /metallb_bfd_echo_packet_output\{peer="10.10.0.1",vrf="default"\} [1-9]/
  t.match(await world.metricsWith(text => counted.test(text)), /metallb_bfd_echo_packet_input\{peer/)
})

t.test(
  'BIRD: a peer more than one hop away is watched by multihop BFD',
  { skip: missingRoot() ?? missingBird() ?? false },
  async t => {
    await using world = await bgpWorld()
    const bird = await Bird.start(
      world,
      `protocol bfd { multihop { min rx interval 1000 ms; min tx interval 1000 ms; }; }`,
      `protocol bgp node { local ${ROUTER} as 64513; neighbor ${NODE} as 64512; multihop; passive; bfd on; ipv4 { import all; export none; }; }`,
    )
    await world.write('profile', profile('receiveInterval: 1000, transmitInterval: 1000, minimumTtl: 1'))
    await world.write('r', peer('bfdProfile: fast, ebgpMultiHop: true'))
    await world.write('all', [pool(), service('one', '203.0.113.1')].join('---\n'))
    world.speaker()
    await bird.learned(PREFIX)
    await until('BFD to be up', async () => (/Up/.test(await bird.ask('show bfd sessions')) ? true : undefined), {
      timeout: 60_000,
    })
    await world.metricsWith('metallb_bfd_session_up{peer="10.10.0.1",vrf="default"} 1')
    const { stdout } = await world.node.exec(['ss', '-Hlnu'])
    t.match(stdout, /:4784\b/)
  },
)
