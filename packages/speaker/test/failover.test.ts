/** The owner of a layer-2 address dies: how long a client is without an answer, with the real process. */
import { needsUserNamespace, until } from '@typemetal/lab'
import type { LabProcess } from '@typemetal/lab'
import { electionOrder } from '@typemetal/speaker'
import t from 'tap'
import type { Test } from 'tap'
import { judge as allAnswered, startLoads, wait } from './support/drain-load.js'
import type { Results } from './support/drain-load.js'
import { PATIENCE, VIP, VIP6, drainWorld, hostOf } from './support/drain-world.js'
import type { World } from './support/drain-world.js'

const skip = needsUserNamespace() && 'wants root, to make network namespaces'
const NAMES = ['n1', 'n2', 'n3']
const ORDER = electionOrder(NAMES, VIP)

t.setTimeout(300_000)

/** Three speakers that have found each other, and looked at each other over TCP. */
async function ring(t: Test, flags: readonly string[]): Promise<{ world: World; speakers: Map<string, LabProcess> }> {
  const world = await drainWorld({ nodes: NAMES, flags })
  t.teardown(() => world.lab[Symbol.asyncDispose]())
  const speakers = new Map(NAMES.map(name => [name, world.start(name)]))
  const [owner = ''] = ORDER
  await speakers.get(owner)?.waitForLine(line => line.includes('"serviceAnnounced"'), PATIENCE)
  for (const [name, speaker] of speakers) {
    const joined = (): boolean =>
      NAMES.filter(other => other !== name).every(other =>
        speaker.lines.some(line => line.includes('NodeJoin') && line.includes(`"node name":"${other}"`)),
      )
    await until(`${name} sees all`, () => joined() || undefined, { timeout: PATIENCE })
  }
  await wait(4_000)
  return { world, speakers }
}

/** Has a client ask every few milliseconds, does something, and waits until another node has served for a while. */
async function measured(world: World, act: () => Promise<unknown>, pause: number): Promise<Results> {
  const stop = await startLoads(world, [
    ['udp', VIP, 200],
    ['udp', VIP6, 200],
    ['ask', VIP, 100],
    ['ask', VIP6, 100],
  ])
  await wait(1_000)
  await act()
  await wait(pause)
  return stop()
}

/** @param limit milliseconds that a client may be without an answer */
function judge(t: Test, results: Results, limit: number): void {
  for (const [name, { longestGap, by, failures, sent }] of results) {
    const lost = `${failures.length} of ${sent} lost`
    t.comment(`${name}: ${Math.round(longestGap)} ms without an answer, ${lost}, by ${JSON.stringify(by)}`)
    t.ok(longestGap <= limit, `${name}: ${Math.round(longestGap)} ms, at most ${limit} ms`)
    t.ok(Object.keys(by).length >= 2, `${name}: two nodes have answered`)
  }
}

for (const { preset, limit } of [
  { preset: 'lan', limit: 2_000 },
  { preset: 'fast', limit: 1_000 },
]) {
  t.test(`all that runs on the owner is killed; preset ${preset}: at most ${limit} ms`, { skip }, async t => {
    const { world } = await ring(t, ['--ml-preset', preset])
    const results = await measured(world, () => hostOf(world.nodes, ORDER[0] ?? '').kill(), limit + 1_500)
    judge(t, results, limit)
  })
}

for (const { preset, limit } of [
  { preset: 'lan', limit: 2_000 },
  { preset: 'fast', limit: 1_500 },
]) {
  t.test(`the cable of the owner is pulled; preset ${preset}: at most ${limit} ms`, { skip }, async t => {
    const { world, speakers } = await ring(t, ['--ml-preset', preset])
    const [owner = '', heir = ''] = ORDER
    const pull = (): Promise<unknown> => hostOf(world.nodes, owner).namespace.ip(['link set eth0 down'])
    judge(t, await measured(world, pull, limit + 2_500), limit)
    await hostOf(world.nodes, owner).namespace.ip([
      'link set eth0 up',
      `address replace fd00:10::1${owner.slice(1)}/64 dev eth0 nodad`,
    ])
    await speakers
      .get(heir)
      ?.waitForLine(line => line.includes('serviceWithdrawn') && line.includes('notOwner'), PATIENCE)
    t.pass('back on the network it has its address again')
  })
}

t.test('a speaker that stands still for two seconds: its host answers, so nobody takes over', { skip }, async t => {
  const { speakers } = await ring(t, ['--ml-preset', 'lan'])
  const [owner = ''] = ORDER
  const before = new Map([...speakers].map(([name, { lines }]) => [name, lines.length]))
  speakers.get(owner)?.kill('SIGSTOP')
  await wait(2_000)
  speakers.get(owner)?.kill('SIGCONT')
  await wait(2_000)
  for (const [name, { lines }] of speakers) {
    const since = lines.slice(before.get(name))
    const flaps = /NodeLeave|serviceWithdrawn|serviceAnnounced|do not answer/
    t.strictSame(
      since.filter(line => flaps.test(line)),
      [],
      name,
    )
  }
})

t.test('a speaker that crashed is back while it is still held for dead: no request fails', { skip }, async t => {
  const { world, speakers } = await ring(t, [])
  const [owner = '', heir = ''] = ORDER
  speakers.get(owner)?.kill('SIGKILL')
  await speakers.get(heir)?.waitForLine(line => line.includes('"serviceAnnounced"'), PATIENCE)
  await wait(1_000)
  const stop = await startLoads(world, [
    ['udp', VIP, 200],
    ['ask', VIP, 50],
    ['ask', VIP6, 50],
  ])
  await wait(500)
  await world.start(owner).waitForLine(line => line.includes('"serviceAnnounced"'), PATIENCE)
  await wait(3_000)
  const results = await stop()
  allAnswered(t, results)
  for (const [name, { by }] of results) t.equal(Object.keys(by).length, 2, `${name}: first the heir, then the owner`)
})

t.test(
  'with all cores busy nobody is taken for dead, and every question is answered; preset fast',
  { skip },
  async t => {
    const { world, speakers } = await ring(t, ['--ml-preset', 'fast'])
    const before = new Map([...speakers].map(([name, { lines }]) => [name, lines.length]))
    const results = await measured(
      world,
      async () => {
        const busy = Array.from({ length: 4 }, () =>
          world.client.spawn([process.execPath, '-e', 'for(;;);'], { name: 'busy' }),
        )
        await wait(10_000)
        for (const process of busy) process.kill('SIGKILL')
      },
      500,
    )
    for (const [name, { lines }] of speakers) {
      const since = lines.slice(before.get(name))
      t.strictSame(
        since.filter(line => /NodeLeave|serviceWithdrawn|serviceAnnounced/.test(line)),
        [],
        `${name}: no flap`,
      )
    }
    for (const [name, { by, longestGap }] of results) {
      t.equal(Object.keys(by).length, 1, `${name}: one node all the time, ${Math.round(longestGap)} ms at most`)
    }
  },
)
