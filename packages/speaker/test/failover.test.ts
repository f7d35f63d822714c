/** The owner of a layer-2 address dies: why another one takes over, and that it serves. How fast is proved in virtual time. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { needsUserNamespace, until } from '@typemetal/lab'
import type { LabProcess } from '@typemetal/lab'
import { electionOrder } from '@typemetal/speaker'
import t from 'tap'
import type { Test } from 'tap'
import { judge as allAnswered, startLoads, wait } from './support/drain-load.js'
import type { Results } from './support/drain-load.js'
import { PATIENCE, VIP, VIP6, drainWorld, hostOf, untilRing } from './support/drain-world.js'
import type { World } from './support/drain-world.js'

const skip = needsUserNamespace() && 'wants root, to make network namespaces'
const NAMES = ['n1', 'n2', 'n3']
const ORDER = electionOrder(NAMES, VIP)
const [OWNER = '', HEIR = ''] = ORDER

/** The presets as they are, but for one thing: a suspicion lasts two minutes. Whoever is gone sooner is so for another reason. */
const SETTINGS = {
  lan: {
    TCPTimeout: '10s', PushPullInterval: '30s', ProbeTimeout: '500ms', ProbeInterval: '1s', GossipInterval: '200ms',
    GossipNodes: 3, SuspicionMult: 120,
  },
  fast: {
    TCPTimeout: '5s', PushPullInterval: '15s', ProbeTimeout: '50ms', ProbeInterval: '100ms', GossipInterval: '40ms',
    GossipNodes: 4, SuspicionMult: 1200,
  },
} // prettier-ignore
const COMMON = {
  IndirectChecks: 3, RetransmitMult: 4, SuspicionMaxTimeoutMult: 6, DisableTcpPings: false, AwarenessMaxMultiplier: 8,
  GossipToTheDeadTime: '30s', GossipVerifyIncoming: true, GossipVerifyOutgoing: true, EnableCompression: true,
  HandoffQueueDepth: 1024, UDPBufferSize: 1400, QueueCheckInterval: '30s',
} // prettier-ignore

t.setTimeout(1_200_000)

interface Site {
  readonly world: World
  readonly speakers: ReadonlyMap<string, LabProcess>
  /** What a speaker has said since the ring has come together. */
  readonly since: (name: string) => readonly string[]
}

/** Three speakers that have found each other, and looked at each other over TCP. */
async function ring(t: Test, preset: keyof typeof SETTINGS): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'typemetal-failover-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'gossip.json')
  await writeFile(file, JSON.stringify({ ...COMMON, ...SETTINGS[preset] }))
  const flags = ['--ml-preset', preset, '--ml-config-file', file, '--log-level', 'debug']
  const world = await drainWorld({ nodes: NAMES, flags })
  t.teardown(() => world.lab[Symbol.asyncDispose]())
  const speakers = new Map(NAMES.map(name => [name, world.start(name)]))
  await speakers.get(OWNER)?.waitForLine(line => line.includes('"serviceAnnounced"'), PATIENCE)
  await untilRing(speakers)
  for (const [name, { lines }] of speakers) {
    const proven = (other: string): boolean =>
      other === name || lines.some(line => line.includes('answersTcp') && line.includes(`"node":"${other}"`))
    await until(`${name} to reach all over TCP`, () => NAMES.every(proven) || undefined, { timeout: PATIENCE })
  }
  await wait(1_000)
  const before = new Map([...speakers].map(([name, { lines }]) => [name, lines.length]))
  return { world, speakers, since: name => speakers.get(name)?.lines.slice(before.get(name)) ?? [] }
}

/** Has clients ask all the time, does something, waits until the heir has served for a while, and holds that it does. */
async function handedOver(t: Test, { world, since }: Site, act: () => Promise<unknown>): Promise<void> {
  const stop = await startLoads(world, [
    ['udp', VIP, 200],
    ['udp', VIP6, 200],
    ['ask', VIP, 100],
    ['ask', VIP6, 100],
  ])
  await wait(1_000)
  await act()
  const announced = (): boolean => since(HEIR).some(line => line.includes('"serviceAnnounced"'))
  await until(`${HEIR} to announce`, () => announced() || undefined, { timeout: PATIENCE })
  const taken = Date.now()
  await wait(3_000)
  judge(t, await stop(), taken)
}

/** @param taken when the heir had taken over, at the latest */
function judge(t: Test, results: Results, taken: number): void {
  for (const [name, { longestGap, by, failures, sent }] of results) {
    const lost = `${failures.length} of ${sent} lost`
    t.comment(`${name}: ${Math.round(longestGap)} ms without an answer, ${lost}, by ${JSON.stringify(by)}`)
    t.equal(Object.keys(by).length, 2, `${name}: two nodes have answered`)
    t.strictSame(
      failures.filter(({ started }) => started > taken + 1_000),
      [],
      `${name}: nothing is lost once the heir has announced`,
    )
  }
}

for (const preset of ['lan', 'fast'] as const) {
  t.test(`all that runs on the owner is killed; preset ${preset}: its host says so`, { skip }, async t => {
    const site = await ring(t, preset)
    await handedOver(t, site, () => hostOf(site.world.nodes, OWNER).kill())
    const survivors = NAMES.filter(name => name !== OWNER).flatMap(name => site.since(name))
    t.ok(
      survivors.some(line => line.includes('refusedDead') && line.includes(`"node":"${OWNER}"`)),
      'it refuses connections, so it is dead before its suspicion is over',
    )
  })

  t.test(`the cable of the owner is pulled; preset ${preset}: its host is silent`, { skip }, async t => {
    const site = await ring(t, preset)
    const { namespace } = hostOf(site.world.nodes, OWNER)
    await handedOver(t, site, () => namespace.ip(['link set eth0 down']))
    const survivors = NAMES.filter(name => name !== OWNER).flatMap(name => site.since(name))
    t.notOk(
      survivors.some(line => line.includes('NodeLeave') && line.includes(`"node name":"${OWNER}"`)),
      'it has not been declared dead: nobody on the segment answers for it',
    )
    await namespace.ip(['link set eth0 up', `address replace fd00:10::1${OWNER.slice(1)}/64 dev eth0 nodad`])
    const handsBack = (): boolean =>
      site.since(HEIR).some(line => line.includes('serviceWithdrawn') && line.includes('notOwner'))
    await until('it to have its address again', () => handsBack() || undefined, { timeout: PATIENCE })
    t.pass('back on the network it has its address again')
  })
}

t.test('a speaker that stands still for two seconds: its host answers, so nobody takes over', { skip }, async t => {
  const { speakers, since } = await ring(t, 'lan')
  speakers.get(OWNER)?.kill('SIGSTOP')
  await wait(2_000)
  speakers.get(OWNER)?.kill('SIGCONT')
  await wait(2_000)
  for (const name of NAMES) {
    const flaps = /NodeLeave|serviceWithdrawn|serviceAnnounced|do not answer/
    t.strictSame(
      since(name).filter(line => flaps.test(line)),
      [],
      name,
    )
  }
})

t.test('a speaker that crashed is back while it is still held for dead: no request fails', { skip }, async t => {
  const { world, speakers, since } = await ring(t, 'lan')
  speakers.get(OWNER)?.kill('SIGKILL')
  const announced = (): boolean => since(HEIR).some(line => line.includes('"serviceAnnounced"'))
  await until(`${HEIR} to announce`, () => announced() || undefined, { timeout: PATIENCE })
  await wait(1_000)
  const stop = await startLoads(world, [
    ['udp', VIP, 200],
    ['ask', VIP, 50],
    ['ask', VIP6, 50],
  ])
  await wait(500)
  await world.start(OWNER).waitForLine(line => line.includes('"serviceAnnounced"'), PATIENCE)
  await wait(3_000)
  const results = await stop()
  allAnswered(t, results)
  for (const [name, { by }] of results) t.equal(Object.keys(by).length, 2, `${name}: first the heir, then the owner`)
})

t.test('with all cores busy nobody is taken for dead, and every question is answered', { skip }, async t => {
  const { world, since } = await ring(t, 'lan')
  const stop = await startLoads(world, [
    ['udp', VIP, 200],
    ['ask', VIP, 100],
    ['ask', VIP6, 100],
  ])
  const busy = Array.from({ length: 4 }, () =>
    world.client.spawn([process.execPath, '-e', 'for(;;);'], { name: 'busy' }),
  )
  await wait(10_000)
  for (const process of busy) process.kill('SIGKILL')
  await wait(500)
  const results = await stop()
  for (const name of NAMES) {
    t.strictSame(
      since(name).filter(line => /NodeLeave|serviceWithdrawn|serviceAnnounced/.test(line)),
      [],
      `${name}: no flap`,
    )
  }
  allAnswered(t, results)
  for (const [name, { by, longestGap }] of results)
    t.equal(Object.keys(by).length, 1, `${name}: one node all the time, ${Math.round(longestGap)} ms at most`)
})
