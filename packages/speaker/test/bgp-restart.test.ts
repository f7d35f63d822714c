/** Graceful restart of the real speaker process with routers as helpers, and how it takes leave without one. */
import { until } from '@typemetal/lab'
import t from 'tap'
import { Bird, missingBird } from './support/bird.js'
import { NODE, ROUTER, bgpWorld, missingRoot, object, pool, said, service } from './support/bgp-world.js'
import type { BgpWorld } from './support/bgp-world.js'
import { Frr, missingFrr } from './support/frr.js'

const skip = missingRoot() ?? missingFrr() ?? false
const PREFIXES = ['203.0.113.1/32', '203.0.113.2/32']
const [FIRST = '', SECOND = ''] = PREFIXES

const FRR = `router bgp 64513
 bgp router-id 10.10.0.1
 no bgp ebgp-requires-policy
 bgp graceful-restart
 bgp graceful-restart stalepath-time 60
 neighbor ${NODE} remote-as 64512
 neighbor ${NODE} passive
`

const SERVICES = [pool(), service('one', '203.0.113.1'), service('two', '203.0.113.2')]
const peer = (more: string): string =>
  object('BGPPeer', 'r', `{ myASN: 64512, peerASN: 64513, peerAddress: ${ROUTER}, ${more} }`)

/** Looks at the routes all the time. @returns ends it, and says which were ever missing */
function watch(frr: Frr, prefixes: readonly string[]): () => Promise<readonly string[]> {
  const missing = new Set<string>()
  const stop = new AbortController()
  const watching = until(
    'the end of the watch',
    async () => {
      for (const prefix of prefixes) if ((await frr.paths(prefix)).length === 0) missing.add(prefix)
      return stop.signal.aborted || undefined
    },
    { timeout: 600_000, interval: 5 },
  )
  return async () => {
    stop.abort()
    await watching
    return [...missing]
  }
}

async function meet(world: BgpWorld, fields: string): Promise<Frr> {
  const frr = await Frr.start(world.router, world.directory, FRR)
  await world.write('r', peer(fields))
  await world.write('all', SERVICES.join('---\n'))
  return frr
}

t.setTimeout(1_200_000)

t.test(
  'RFC 4724: killed and started again, no route is ever gone, and what is no longer wanted goes at the end',
  { skip },
  async t => {
    await using world = await bgpWorld()
    const frr = await meet(world, 'enableGracefulRestart: true')
    const first = world.speaker()
    for (const prefix of PREFIXES) await frr.path(prefix)
    const ends = watch(frr, [FIRST])
    first.kill('SIGKILL')
    await first.exited
    await frr.path(FIRST, ({ stale }) => stale)
    t.equal((await frr.paths(SECOND)).length, 1)
    await world.write('all', SERVICES.slice(0, 2).join('---\n'))
    world.speaker()
    await frr.established(NODE)
    await frr.path(FIRST, ({ stale }) => !stale)
    await frr.gone(SECOND)
    t.strictSame(await ends(), [], 'forwarding went on')
    const { gracefulRestartInfo } = await frr.neighbor(NODE)
    t.match(gracefulRestartInfo, { rBit: true, endOfRibRecv: { ipv4Unicast: true } }, 'Restart State bit, End-of-RIB')
  },
)

t.test('RFC 4724: a stop for an upgrade closes without a NOTIFICATION', { skip }, async t => {
  await using world = await bgpWorld()
  const frr = await meet(world, 'enableGracefulRestart: true')
  const first = world.speaker(['--drain-exit', 'restart'])
  for (const prefix of PREFIXES) await frr.path(prefix)
  const ends = watch(frr, PREFIXES)
  t.strictSame(await first.stop('SIGTERM', 60_000), { code: 0, signal: null })
  t.equal((await frr.neighbor(NODE)).messageStats.notificationsRecv, 0)
  await frr.path(FIRST, ({ stale }) => stale)
  world.speaker()
  for (const prefix of PREFIXES) await frr.path(prefix, ({ stale }) => !stale)
  t.strictSame(await ends(), [])
})

t.test('RFC 5882 section 4.3: BFD that ends with the process takes no route away', { skip }, async t => {
  await using world = await bgpWorld()
  const bfd = `${FRR} neighbor ${NODE} bfd\n`
  const frr = await Frr.start(world.router, world.directory, bfd)
  await world.write('fast', object('BFDProfile', 'fast', '{ receiveInterval: 1000, transmitInterval: 1000 }'))
  await world.write('r', peer('enableGracefulRestart: true, bfdProfile: fast'))
  await world.write('all', SERVICES.join('---\n'))
  const isUp = (): Promise<unknown> =>
    until('BFD to be up', async () => ((await frr.bfd(NODE))?.status === 'up' ? true : undefined), { timeout: 60_000 })
  const first = world.speaker(['--drain-exit', 'restart'])
  for (const prefix of PREFIXES) await frr.path(prefix)
  await isUp()
  const ends = watch(frr, PREFIXES)
  await first.stop('SIGTERM', 60_000)
  const second = world.speaker()
  for (const prefix of PREFIXES) await frr.path(prefix, ({ stale }) => !stale)
  await isUp()
  t.strictSame(await ends(), [], 'told AdminDown')
  const endsAgain = watch(frr, PREFIXES)
  second.kill('SIGKILL')
  await until('BFD to notice', async () => ((await frr.bfd(NODE))?.status === 'down' ? true : undefined), {
    timeout: 60_000,
  })
  world.speaker()
  for (const prefix of PREFIXES) await frr.path(prefix, ({ stale }) => !stale)
  t.strictSame(await endsAgain(), [], 'told nothing')
})

t.test(
  'RFC 4486, RFC 9003: without graceful restart Cease, Administrative Shutdown, takes the routes at once',
  { skip },
  async t => {
    await using world = await bgpWorld()
    const frr = await meet(world, 'holdTime: 90s')
    const speaker = world.speaker()
    await frr.path(FIRST)
    t.strictSame(await speaker.stop('SIGTERM', 60_000), { code: 0, signal: null })
    for (const prefix of PREFIXES) await frr.gone(prefix)
    const told = await frr.neighbor(NODE)
    t.match(
      told,
      { lastNotificationReason: /Administrative Shutdown/, lastShutdownDescription: /\w/ },
      'with words for its operator',
    )
  },
)

t.test(
  'killed without graceful restart: TCP tells, and the routes go',
  { skip: missingRoot() ?? missingBird() ?? false },
  async t => {
    await using world = await bgpWorld()
    const bird = await Bird.start(
      world,
      `protocol bgp node { local as 64513; neighbor ${NODE} as 64512; passive; graceful restart aware; ipv4 { import all; export none; }; }`,
    )
    await world.write('r', peer('connectTime: 1s'))
    await world.write('all', SERVICES.join('---\n'))
    const speaker = world.speaker()
    await bird.learned(FIRST)
    speaker.kill('SIGKILL')
    await speaker.exited
    await until('no route', async () => ((await bird.route(FIRST)) ? undefined : true), { timeout: 60_000 })
    const again = world.speaker()
    await again.waitForLine(said('sessionUp'), 60_000)
    t.ok(await bird.learned(FIRST))
  },
)
