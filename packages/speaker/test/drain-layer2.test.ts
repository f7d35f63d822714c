/** Layer 2 lets go under load: nobody is ever without an answer. */
import { needsUserNamespace, until } from '@typemetal/lab'
import { electionOrder } from '@typemetal/speaker'
import t from 'tap'
import { judge, startLoads, wait } from './support/drain-load.js'
import type { Load } from './support/drain-load.js'
import { PATIENCE, VIP, VIP6, drainState, drainWorld, untilRing } from './support/drain-world.js'

const skip = needsUserNamespace() && 'wants root, to make network namespaces'

t.setTimeout(1_200_000)

/** A successor that has much else to do is waited for; who is told to end at once does not wait as long. */
const PATIENT_DRAIN = ['--drain-successor-wait=60s', '--drain-timeout=90s']

/** 1,000 datagrams a second, clients that ask anew each time, and connections. */
const LOADS: readonly Load[] = [
  ['udp', VIP, 500],
  ['udp', VIP6, 500],
  ['ask', VIP, 50],
  ['ask', VIP6, 50],
  ['tcp', VIP, 100],
]

t.test('SIGTERM of the owner, and its return: no request fails, no question stays unanswered', { skip }, async t => {
  const names = ['n1', 'n2', 'n3']
  const world = await drainWorld({ nodes: names, flags: PATIENT_DRAIN })
  t.teardown(() => world.lab[Symbol.asyncDispose]())
  const [owner = '', heir = ''] = electionOrder(names, VIP)
  const speakers = new Map(names.map(name => [name, world.start(name)]))
  const announced = (name: string): Promise<string> | undefined =>
    speakers.get(name)?.waitForLine(line => line.includes('"serviceAnnounced"'), PATIENCE)
  await announced(owner)
  await untilRing(speakers)
  await wait(3_000)

  await t.test('SIGTERM', async t => {
    const stop = await startLoads(world, LOADS)
    await wait(1_500)
    speakers.get(owner)?.kill('SIGTERM')
    t.strictSame(await speakers.get(owner)?.exited, { code: 0, signal: null })
    const line = speakers.get(owner)?.lines.find(line => line.includes('"to":"withdrawing"'))
    t.match(line, /"reason":"successorsSeen"/, 'it has heard its successor')
    await wait(2_000)
    const results = await stop()
    judge(t, results)
    t.ok((results.get(`udp ${VIP}`)?.by[heir] ?? 0) > 0, 'the next elected node has taken over')
  })

  await t.test('it comes back, and takes its address again', async t => {
    const stop = await startLoads(world, LOADS)
    await wait(1_000)
    speakers.set(owner, world.start(owner))
    await announced(owner)
    await wait(3_000)
    const results = await stop()
    judge(t, results)
    t.ok((results.get(`udp ${VIP}`)?.by[owner] ?? 0) > 0, 'it serves again')
  })

  const lines = [...speakers.values()].flatMap(speaker => speaker.lines)
  t.notOk(
    lines.some(line => line.includes('layer2Conflict')),
    'to hand over is no split brain',
  )

  await t.test('a second SIGTERM ends at once', async t => {
    const last = speakers.get(owner)
    // The others cannot take over any more, and are still thought to be alive: it would wait for them.
    for (const name of names) if (name !== owner) speakers.get(name)?.kill('SIGKILL')
    last?.kill('SIGTERM')
    if (last) await drainState(last, 'handingOver')
    last?.kill('SIGTERM')
    t.match(await last?.exited, { code: 1 }, 'not 0, as after the minute that it would have waited')
  })
})

t.test(
  'a speaker that starts again on a cordoned node: the others never hear of it, no request fails',
  { skip },
  async t => {
    const names = ['n1', 'n2', 'n3']
    const flags = ['--drain-on=cordon', '--drain-peer-wait=200ms', ...PATIENT_DRAIN]
    const world = await drainWorld({ nodes: names, flags })
    t.teardown(() => world.lab[Symbol.asyncDispose]())
    const [owner = '', heir = ''] = electionOrder(names, VIP)
    const speakers = new Map(names.map(name => [name, world.start(name)]))
    const before = speakers.get(owner)
    await before?.waitForLine(line => line.includes('"serviceAnnounced"'), PATIENCE)
    await untilRing(speakers)
    await wait(3_000)
    await world.cordon(owner)
    if (before) await drainState(before, 'drained')
    await speakers.get(heir)?.waitForLine(line => line.includes('"serviceAnnounced"'), PATIENCE)
    speakers.delete(owner)
    const told = (event: string): number[] =>
      [...speakers.values()].map(
        ({ lines }) => lines.filter(line => line.includes(event) && line.includes(`"node name":"${owner}"`)).length,
      )
    const heard = (): number => told('NodeJoin').reduce((sum, times) => sum + times, 0)
    // Each has heard of it and of its end, on a slow machine maybe more than once.
    const hasLeft = (): true | undefined => (told('NodeJoin').join() === told('NodeLeave').join() ? true : undefined)
    await until('the others to hear that it has left', hasLeft, { timeout: PATIENCE })
    const joins = heard()
    const stop = await startLoads(world, LOADS)
    await wait(1_000)
    before?.kill('SIGTERM')
    t.strictSame(await before?.exited, { code: 0, signal: null })
    const after = world.start(owner)
    await drainState(after, 'drained')
    await wait(3_000)
    const results = await stop()
    judge(t, results)
    t.strictSame(Object.keys(results.get(`udp ${VIP}`)?.by ?? {}), [heir], 'the heir serves all the time')
    t.equal(heard(), joins, 'no other speaker has seen it join')
    t.notOk(after.lines.some(line => line.includes('"serviceAnnounced"')))
    await world.cordon()
    await after.waitForLine(line => line.includes('"serviceAnnounced"'), PATIENCE)
    t.pass('uncordoned, it has its address again')
  },
)
