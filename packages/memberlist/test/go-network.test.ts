/** Mixed rings on networks that break: cut in two and healed, and losing every fifth packet. */
import { filterPackets, type Host, Lab, nftablesInstalled, type RingProcess, run, until } from '@typemetal/lab'
import t, { type Test } from 'tap'
import { agree, assertNoFaults, listen, type MixedRingOptions, namesOf, noGo, startMixed } from './mixed-ring.js'

const NOT_ROOT = process.geteuid?.() !== 0 && 'needs root for network namespaces'
const NO_IP = (await run(['sh', '-c', 'command -v ip'], { check: false })).code !== 0 && 'wants the package iproute2'
const NO_NFT = !nftablesInstalled() && 'wants the Debian package nftables'
const skip = NOT_ROOT || NO_IP || NO_NFT || noGo

t.setTimeout(1_200_000)
t.jobs = 4 // they wait for timers most of the time

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** A mixed ring with a host for each node, whose LAN can be cut between one side and the other. */
class SplitRing {
  private constructor(
    readonly nodes: readonly RingProcess[],
    /** Two of ours and one of Go's. */
    readonly one: readonly RingProcess[],
    /** One of ours and two of Go's. */
    readonly other: readonly RingProcess[],
    readonly hosts: ReadonlyMap<string, Host>,
  ) {}

  static async start(t: Test, options: MixedRingOptions): Promise<SplitRing> {
    const lab = await Lab.create()
    t.teardown(() => lab[Symbol.asyncDispose]())
    const lan = await lab.bridge('lan')
    const at = (number: number): string => `10.0.0.${number}`
    const hosts: Host[] = []
    for (let number = 1; number <= 6; number++)
      hosts.push(await lab.host(`host-${number}`, { links: [{ bridge: lan, addresses: [`${at(number)}/24`] }] }))
    const nodes = await startMixed(t, { ...options, at, host: number => hosts[number - 1]! })
    const one = nodes.filter(({ name }) => ['o1', 'o2', 'g1'].includes(name))
    const other = nodes.filter(node => !one.includes(node))
    return new SplitRing(nodes, one, other, new Map(nodes.map(({ name }, i) => [name, hosts[i]!])))
  }

  async cut(): Promise<void> {
    const from = (nodes: readonly RingProcess[]): readonly string[] => nodes.map(({ address }) => address)
    await Promise.all([
      ...this.one.map(({ name }) => filterPackets(this.hosts.get(name)!, { from: from(this.other) })),
      ...this.other.map(({ name }) => filterPackets(this.hosts.get(name)!, { from: from(this.one) })),
    ])
  }

  async heal(): Promise<void> {
    await Promise.all([...this.hosts.values()].map(host => filterPackets(host, {})))
  }

  /** Cuts, and waits until either side is a ring of its own. */
  async split(t: Test): Promise<void> {
    await this.cut()
    const took = await Promise.all([agree(this.one), agree(this.other)])
    t.comment(`${namesOf(this.one)} alone after ${took[0]} ms, ${namesOf(this.other)} after ${took[1]} ms`)
  }
}

/** Whether a node says in its log that it suspects somebody, or that somebody else does. */
const isSuspicious = ({ said }: RingProcess): boolean => said.some(({ line }) => /Suspect |suspected/.test(line ?? ''))
/** Whether a node says in its log that it has contradicted. */
const hasContradicted = ({ said }: RingProcess): boolean =>
  said.some(({ line }) => /Refuting a|refuted/.test(line ?? ''))

t.test('a partition that ends while it is a suspicion: nobody is lost', { skip, buffered: true }, async t => {
  // Of this preset, a suspicion lasts half a minute at least: the end of the partition comes first on any machine.
  const ring = await SplitRing.start(t, { preset: 'wan' })
  const heard = listen(ring.nodes)
  await ring.cut()
  const suspicious = (nodes: readonly RingProcess[]): true | undefined => nodes.some(isSuspicious) || undefined
  await until('suspicions on both sides', () => suspicious(ring.one) && suspicious(ring.other), { timeout: 60_000 })
  await ring.heal()
  await until('somebody to contradict', () => ring.nodes.some(hasContradicted) || undefined, { timeout: 60_000 })
  await sleep(2000)
  t.same(heard, [], 'no events')
  await assertNoFaults(t, ring.nodes)
})

t.test('a partition, plain: healed by a join', { skip, buffered: true }, async t => {
  const ring = await SplitRing.start(t, {})
  await ring.split(t)
  await ring.heal()
  await ring.other[1]!.command(`join ${ring.one[0]!.address}`)
  t.comment(`one join, and the ring is whole after ${await agree(ring.nodes)} ms`)
  await assertNoFaults(t, ring.nodes)
})

// This preset finds the silent faster than `lan`, and its gossipToTheDeadTime is 15 s.
const ENCRYPTED = { key: new Uint8Array(32).fill(9), preset: 'local' } as const

t.test('a partition, encrypted: healed by news for the dead, or by a join', { skip, buffered: true }, async t => {
  const ring = await SplitRing.start(t, ENCRYPTED)
  const [ours, theirs] = [ring.one[0]!, ring.other[1]!]
  await ring.split(t)
  await ring.heal()
  // News go to the dead too, to a few nodes drawn at random and only while the dead are remembered: how soon one gets
  // across is chance, and whether any does. What then remains is what MetalLB's speakers do every minute.
  const whole = agree(ring.nodes)
  whole.catch(() => {}) // it is awaited below
  for (let i = 0; i < 10 && !ring.nodes.every(({ size }) => size === ring.nodes.length); i++) {
    await ours.command(`meta news-${i}`)
    await sleep(500)
  }
  const byNews = ring.nodes.every(({ size }) => size === ring.nodes.length)
  if (!byNews) await ours.command(`join ${theirs.address}`)
  t.comment(`whole ${await whole} ms after the end of the partition, ${byNews ? 'by news' : 'by a join'}`)
  await ours.command('meta last')
  await until('the last news', () => theirs.metas.get(ours.name) === 'last' || undefined)
  await assertNoFaults(t, ring.nodes)
})

t.test(
  'a partition so long that the dead are forgotten, encrypted: healed by a join',
  { skip, buffered: true },
  async t => {
    const ring = await SplitRing.start(t, ENCRYPTED)
    await ring.split(t)
    await sleep(35_000) // they are kept for 15 s, and forgotten at the end of a round of probes
    const heard = listen(ring.nodes)
    await ring.heal()
    await sleep(1000)
    t.same(heard, [], 'nobody speaks to the forgotten')
    await ring.one[0]!.command(`join ${ring.other[1]!.address}`)
    t.comment(`one join, and the ring is whole after ${await agree(ring.nodes)} ms`)
    await assertNoFaults(t, ring.nodes)
  },
)

t.test('a fifth of all packets lost for half a minute', { skip, buffered: true }, async t => {
  const lab = await Lab.create()
  t.teardown(() => lab[Symbol.asyncDispose]())
  const host = await lab.host('ring')
  const nodes = await startMixed(t, { at: number => `127.0.0.${number}`, host: () => host })
  const heard = listen(nodes, ['leave'])
  await filterPackets(host, { percent: 20 })
  await sleep(30_000)
  await filterPackets(host, {})
  const accusers = nodes.filter(node => node.said.some(({ line }) => /Suspect|suspected/.test(line ?? '')))
  t.comment(`accused somebody: ${namesOf(accusers) || 'nobody'}`)
  t.same(
    heard.filter(line => line.startsWith('o')),
    [],
    'ours lose nobody',
  )
  t.comment(`theirs: ${heard.filter(line => line.startsWith('g')).join(', ') || 'lose nobody'}`)
  await agree(nodes)
  await assertNoFaults(t, nodes)
})
