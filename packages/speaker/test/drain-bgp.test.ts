/** BGP lets go under load behind a real router with ECMP: what reaches a node is served, and then nothing reaches it. */
import { needsUserNamespace, routerInstalled } from '@typemetal/lab'
import { electionOrder } from '@typemetal/speaker'
import type { RouterKind } from '@typemetal/lab'
import t from 'tap'
import type { Test } from 'tap'
import { judge, startLoads, wait } from './support/drain-load.js'
import type { Load } from './support/drain-load.js'
import { PATIENCE, ROUTED, VIP, VIP6, drainState, drainWorld, untilNextHops } from './support/drain-world.js'
import type { World } from './support/drain-world.js'

const skipFor = (router: RouterKind): string | false =>
  (needsUserNamespace() && 'wants root, to make network namespaces') ||
  (!routerInstalled(router) && `${router} is not installed`)

t.setTimeout(1_200_000)

const ROUTED_LOADS: readonly Load[] = [
  ['udp', ROUTED, 1_000],
  ['tcp', ROUTED, 100],
]
const LAN_LOADS: readonly Load[] = [
  ['udp', VIP, 300],
  ['udp', VIP6, 300],
  ['ask', VIP, 50],
]

async function twoNodes(t: Test, router: RouterKind, flags: readonly string[] = []): Promise<World> {
  const world = await drainWorld({ nodes: ['n1', 'n2'], router, flags })
  t.teardown(() => world.lab[Symbol.asyncDispose]())
  return world
}

for (const router of ['frr', 'bird'] as const) {
  t.test(
    `RFC 8326: SIGTERM of one of two nodes behind ${router} fails no request`,
    { skip: skipFor(router) },
    async t => {
      // Long enough for us to see by what the traffic moves.
      const world = await twoNodes(t, router, ['--drain-peer-wait=10s', '--drain-timeout=60s'])
      const first = world.start('n1')
      world.start('n2')
      await untilNextHops(world, 'n1', 'n2')
      const stop = await startLoads(world, ROUTED_LOADS)
      await wait(1_500)
      first.kill('SIGTERM')
      await untilNextHops(world, 'n2')
      const withdrawn = first.lines.some(line => line.includes('"to":"withdrawing"'))
      // BIRD does with GRACEFUL_SHUTDOWN what its filters say, and here they say nothing.
      t.equal(withdrawn, router === 'bird', withdrawn ? 'moved by the withdrawal' : 'moved by GRACEFUL_SHUTDOWN')
      t.strictSame(await first.exited, { code: 0, signal: null })
      await wait(1_500)
      const results = await stop()
      judge(t, results)
      const { n1 = 0, n2 = 0 } = results.get(`udp ${ROUTED}`)?.by ?? {}
      t.ok(n1 > 100 && n2 > 100, 'both served')
    },
  )
}

t.test(
  'cordon and uncordon, one node and all: traffic goes and comes back, the process stays',
  { skip: skipFor('frr') },
  async t => {
    const world = await twoNodes(t, 'frr', ['--drain-on=cordon', '--drain-peer-wait=1s'])
    const speakers = new Map(['n1', 'n2'].map(name => [name, world.start(name)]))
    await untilNextHops(world, 'n1', 'n2')
    const [owner = '', other = ''] = electionOrder(['n1', 'n2'], VIP)
    const drained = speakers.get(owner)
    if (!drained) throw new RangeError(owner)
    await wait(2_000)
    const stop = await startLoads(world, [...ROUTED_LOADS, ...LAN_LOADS])
    await wait(1_000)
    await world.cordon(owner)
    await drainState(drained, 'drained')
    await untilNextHops(world, other)
    t.ok(drained.running, 'the process stays')
    await wait(1_500)
    await world.cordon(owner, other)
    const last = speakers.get(other)
    if (last) await drainState(last, 'drained')
    await wait(3_000)
    t.not((await world.nextHops()).length, 0, 'with every node cordoned somebody announces on')
    await world.cordon(other)
    await drained.waitForLine(line => line.includes('"to":"announcing"'), PATIENCE)
    await untilNextHops(world, owner)
    await wait(1_000)
    await world.cordon()
    await untilNextHops(world, 'n1', 'n2')
    await wait(3_000)
    const results = await stop()
    judge(t, results)
    const [by = {}, byRoute = {}] = [results.get(`udp ${VIP}`)?.by, results.get(`udp ${ROUTED}`)?.by]
    t.ok((by[owner] ?? 0) > 0 && (by[other] ?? 0) > 0, `layer 2 by both: ${JSON.stringify(by)}`)
    t.ok((byRoute[owner] ?? 0) > 0 && (byRoute[other] ?? 0) > 0, `BGP by both: ${JSON.stringify(byRoute)}`)
  },
)

t.test(
  'RFC 4724: an upgrade of the only node behind FRR with graceful restart fails no request',
  { skip: skipFor('frr') },
  async t => {
    const world = await drainWorld({ nodes: ['n1'], router: 'frr', peer: ', enableGracefulRestart: true' })
    t.teardown(() => world.lab[Symbol.asyncDispose]())
    const before = world.start('n1')
    await untilNextHops(world, 'n1')
    const stop = await startLoads(world, ROUTED_LOADS)
    await wait(1_500)
    before.kill('SIGTERM')
    t.strictSame(await before.exited, { code: 0, signal: null })
    await wait(1_000)
    t.strictSame(await world.nextHops(), ['10.10.0.11'], 'FRR forwards on')
    const after = world.start('n1')
    await after.waitForLine(line => line.includes('"event":"sessionUp"'), PATIENCE)
    await wait(3_000)
    t.strictSame(await world.nextHops(), ['10.10.0.11'], 'and has the route from the new process')
    judge(t, await stop())
  },
)
