/** Two hosts answer for one address: who gives way, in virtual time and over every way in which nodes may know each other. */
import * as fc from 'fast-check'
import t from 'tap'
import { LanSegment, conflictEvents, electionWinner, interfaceTowards, resolveConflict } from '@typemetal/speaker'
import { FakeLan, firstOf } from './support/segment.js'

const ADDRESS = '192.0.2.1'
const all = new Set(['n1', 'n2', 'n3', 'n4'])
const nobody: ReadonlySet<string> = new Set()

const name = fc.constantFrom('n1', 'n2', 'n3', 'node-a', 'node-b', 'worker.example')
const pair = fc.tuple(name, name).filter(([a, b]) => a !== b)
const address = fc.oneof(fc.ipV4(), fc.constantFrom('2001:db8::1', 'fd00:10::200'))
const scoresOf = fc.dictionary(name, fc.nat({ max: 3 })).map(entries => new Map(Object.entries(entries)))

t.test('the rule: the winner of the election between the two keeps the address, a stranger never gets it', async t => {
  fc.assert(
    fc.property(pair, address, scoresOf, ([a, b], key, scores) => {
      const election = { key, scores }
      const [ofA, ofB] = [[a, b] as const, [b, a] as const].map(([node, other]) =>
        resolveConflict(node, other, election, { stands: true }),
      )
      const winner = electionWinner([a, b], key, scores)
      return (ofA === 'yield') !== (ofB === 'yield') && (ofA === 'defend' ? a : b) === winner
    }),
  )
  fc.assert(
    fc.property(pair, address, scoresOf, fc.boolean(), fc.boolean(), ([a, b], key, scores, aKnows, bKnows) => {
      const election = { key, scores }
      const ofA = resolveConflict(a, aKnows ? b : undefined, election)
      const ofB = resolveConflict(b, bKnows ? a : undefined, election)
      return !(ofA === 'yield' && ofB === 'yield')
    }),
  )
  t.equal(resolveConflict('n1', undefined, { key: ADDRESS, scores: new Map() }), 'defend')
  t.equal(resolveConflict('n1', 'n1', { key: ADDRESS, scores: new Map() }), 'defend', 'a MAC address of our own')
})

t.test('property: of two that both claim and know each other, one answers within a second; never none', async t => {
  fc.assert(
    fc.property(
      fc.constantFrom('10.0.0.1', '10.0.0.2', '192.0.2.1', '2001:db8::1', '203.0.113.9'),
      fc.nat({ max: 3000 }),
      fc.boolean(),
      fc.tuple(fc.boolean(), fc.boolean()),
      (ip, pause, firstIsOwner, [aKnows, bKnows]) => {
        const lan = new FakeLan()
        const a = lan.add({ name: 'n1', knows: aKnows ? all : nobody })
        const b = lan.add({ name: 'n2', knows: bKnows ? all : nobody })
        const [before, after] = firstIsOwner ? [a, b] : [b, a]
        before.take(ip)
        lan.run(pause)
        after.take(ip)
        let dark = false
        lan.onStep = () => (dark ||= lan.owners(ip).length === 0)
        lan.run(1_000)
        const winner = firstOf(['n1', 'n2'], ip)
        const loserKnows = winner === 'n1' ? bKnows : aKnows
        const settled = lan.owners(ip).length === (loserKnows ? 1 : 2) && lan.owners(ip).includes(winner)
        lan.run(30_000)
        return settled && !dark && lan.owners(ip).includes(winner)
      },
    ),
    { numRuns: 300 },
  )
  t.pass()
})

t.test('a split ring: told once on each side, the loser silent until the end of it, healing costs nothing', async t => {
  const lan = new FakeLan()
  const speakers = ['n1', 'n2'].map(of => lan.add({ name: of, knows: all }))
  const winner = speakers.find(speaker => speaker.name === firstOf(['n1', 'n2'], ADDRESS))
  const loser = speakers.find(speaker => speaker !== winner)
  if (!winner || !loser) return
  winner.take(ADDRESS)
  lan.run(10_000)
  loser.take(ADDRESS)
  lan.run(500)
  t.strictSame(lan.owners(ADDRESS), [winner.name])
  lan.run(60_000)
  t.match(loser.told, [{ state: 'begun', conflict: { address: ADDRESS, node: winner.name, resolution: 'yield' } }])
  t.strictSame(winner.told, [], 'the other gave way before it was worth a word')
  t.ok(winner.frames.length <= 4, `${winner.frames.length} frames, not a war`)
  loser.drop(ADDRESS)
  t.equal(loser.told.at(-1)?.state, 'over')
  lan.run(60_000)
  t.strictSame(lan.owners(ADDRESS), [winner.name])
  t.equal(loser.machine.nextTimeout, undefined, 'nothing is left to do')
})

t.test('the winner dies while the ring is split: the loser takes the address within two seconds', async t => {
  const lan = new FakeLan()
  const speakers = ['n1', 'n2'].map(of => lan.add({ name: of, knows: all }))
  for (const speaker of speakers) speaker.take(ADDRESS)
  lan.run(5_000)
  const [owner = ''] = lan.owners(ADDRESS)
  const winner = speakers.find(speaker => speaker.name === owner)
  if (winner) winner.running = false
  lan.run(2_000)
  t.strictSame(
    lan.owners(ADDRESS),
    ['n1', 'n2'].filter(of => of !== owner),
  )
  if (winner) winner.running = true
  winner?.take(ADDRESS)
  lan.run(1_000)
  t.strictSame(lan.owners(ADDRESS), [owner], 'and gives it back when it returns, the ring still split')
})

t.test('three that all claim: one answers', async t => {
  const lan = new FakeLan()
  const names = ['n1', 'n2', 'n3']
  for (const of of names) lan.add({ name: of, knows: all }).take(ADDRESS)
  lan.run(3_000)
  t.strictSame(lan.owners(ADDRESS), [firstOf(names, ADDRESS)])
})

t.test(
  'a foreign host that keeps the address: told, and defended against no more than every 10 s (RFC 5227 §2.4)',
  async t => {
    const lan = new FakeLan()
    const ours = lan.add({ name: 'n1', knows: nobody })
    const stranger = lan.add({ name: 'n9', knows: nobody })
    ours.take(ADDRESS)
    lan.run(10_000)
    ours.frames.length = 0
    stranger.take(ADDRESS)
    for (let second = 0; second < 60; second++) {
      lan.run(1_000)
      ours.hear(ADDRESS, stranger.mac)
    }
    t.ok(ours.answers(ADDRESS), 'it is answered all the time')
    t.match(ours.told, [{ state: 'begun', conflict: { mac: stranger.mac, resolution: 'defend' } }])
    t.equal(ours.told[0]?.conflict.node, undefined)
    t.equal(ours.told.length, 1)
    t.equal(ours.frames.length, 6, 'when it is sure, and then every 10 s')
    stranger.running = false
    lan.run(3_000)
    t.equal(ours.told.at(-1)?.state, 'over')
  },
)

t.test('the last words of an owner that gives way, and a node that has just joined, are worth no word', async t => {
  const lan = new FakeLan()
  const ours = lan.add({ name: firstOf(['n1', 'n2'], ADDRESS), knows: all })
  const other = lan.add({ name: ours.name === 'n1' ? 'n2' : 'n1', knows: all })
  other.take(ADDRESS)
  ours.take(ADDRESS)
  lan.run(5)
  other.drop(ADDRESS)
  lan.run(10_000)
  t.strictSame([ours.told, other.told], [[], []])
  t.ok(ours.answers(ADDRESS))
  t.strictSame(ours.machine.conflicts, [])
})

t.test('weights that change while a conflict lasts turn it round', async t => {
  const scores = new Map<string, number>()
  const lan = new FakeLan()
  for (const of of ['n1', 'n2']) lan.add({ name: of, knows: all, scores }).take(ADDRESS)
  lan.run(2_000)
  const [owner = ''] = lan.owners(ADDRESS)
  const other = owner === 'n1' ? 'n2' : 'n1'
  scores.set(other, 10)
  lan.run(6_000)
  t.strictSame(lan.owners(ADDRESS), [other])
})

t.test('a stranger that turns out to be a node later gets the address if it comes first', async t => {
  const known = new Set(['n1', 'n2'])
  const lan = new FakeLan()
  const speakers = ['n1', 'n2'].map(of => lan.add({ name: of, knows: known }))
  const winner = speakers.find(speaker => speaker.name === firstOf(['n1', 'n2'], ADDRESS))
  const loser = speakers.find(speaker => speaker !== winner)
  if (!winner || !loser) return
  known.delete(winner.name)
  loser.take(ADDRESS)
  winner.take(ADDRESS)
  lan.run(60_000)
  t.equal(lan.owners(ADDRESS).length, 2, 'nobody leaves an address to a stranger')
  known.add(winner.name)
  lan.run(32_000)
  t.strictSame(lan.owners(ADDRESS), [winner.name])
  t.match(loser.told.at(-1), { conflict: { node: winner.name, resolution: 'yield' } })
})

t.test('a host that claims another address long after it was identified is known for that, too', async t => {
  const lan = new FakeLan()
  const [a, b] = ['n1', 'n2'].map(of => lan.add({ name: of, knows: all }))
  for (const address of ['10.1.0.1', '10.1.0.2', '10.1.0.3', '10.1.0.4']) {
    a?.take(address)
    b?.take(address)
    lan.run(40_000)
    t.strictSame(lan.owners(address), [firstOf(['n1', 'n2'], address)], address)
  }
})

t.test(
  'a split over a thousand addresses: each has one owner within a second, and few questions are asked',
  async t => {
    const lan = new FakeLan()
    const [a, b] = ['n1', 'n2'].map(of => lan.add({ name: of, knows: all }))
    const many = Array.from({ length: 1_000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`)
    for (const address of many) a?.take(address)
    lan.run(5_000)
    for (const address of many) b?.take(address)
    lan.run(1_000)
    t.strictSame(
      many.filter(address => lan.owners(address).join() !== firstOf(['n1', 'n2'], address)),
      [],
    )
    const asked = lan.checks
    let doubled = 0
    for (let i = 0; i < 100; i++) {
      lan.run(100)
      doubled += many.filter(address => lan.owners(address).length !== 1).length
    }
    t.equal(doubled, 0, 'who has given way for some is not taken for dead')
    t.ok(lan.checks - asked <= 2 * 8 * 11, `${lan.checks - asked} questions in ten seconds`)
    t.strictSame(
      many.filter(address => lan.owners(address).length !== 1),
      [],
    )
    if (a) a.running = false
    lan.run(3_000)
    t.strictSame(
      many.filter(address => !lan.owners(address).includes('n2')),
      [],
      'the other one has them all when it dies',
    )
  },
)

t.test('a flood of claims is remembered in bounds and asks in bounds', async t => {
  const lan = new FakeLan()
  const ours = lan.add({ name: 'n1', knows: all })
  ours.take(ADDRESS)
  const asked: number[] = []
  for (let i = 0; i < 20_000; i++) {
    const mac = `02:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`
    ours.machine.handle({ type: 'sighting', address: ADDRESS, interface: 'eth0', mac }, 0)
  }
  asked.push(ours.machine.handleTimeout(1_000).filter(({ type }) => type === 'check').length)
  asked.push(ours.machine.handleTimeout(2_000).filter(({ type }) => type === 'check').length)
  t.strictSame(asked, [32, 0])
  t.strictSame(
    ours.machine.handle({ type: 'sighting', address: '192.0.2.9', interface: 'eth0', mac: '02:00:00:00:00:01' }, 0),
    [],
  )
})

t.test('whose a MAC address is: the neighbour table, or else the host itself', async t => {
  const asked: string[] = []
  const mac = '02:00:00:00:00:07'
  const segment = new LanSegment({
    nodes: () => new Map([['n1', ['10.0.0.1', 'fd00::1']], ['n2', ['10.0.0.2']], ['n3', ['10.0.0.3']]]),
    neighbors: () => [{ address: '10.0.0.3', mac: '02:00:00:00:00:03' }],
    ask: async ({ address: of, to }) => {
      asked.push(`${of} ${to}`)
      if (of === 'fd00::1') throw new Error('eth0 has no link-local address')
      return of === '10.0.0.2' && to === mac ? [{ mac }] : []
    },
  }) // prettier-ignore
  t.equal(await segment.identify('02:00:00:00:00:03', 'eth0'), 'n3')
  t.strictSame(asked, [])
  t.equal(await segment.identify(mac, 'eth0'), 'n2')
  t.strictSame(
    asked.splice(0),
    ['10.0.0.1', 'fd00::1', '10.0.0.2', '10.0.0.3'].map(of => `${of} ${mac}`),
  )
  t.equal(await segment.identify('02:00:00:00:00:08', 'eth0'), undefined)
  t.equal(await segment.answers({ address: '10.0.0.2', interface: 'eth0', mac }), true)
  const proxy = '02:00:00:00:00:0f'
  const behind = {
    nodes: () =>
      new Map([
        ['n1', ['10.0.0.1', 'fd00::1']],
        ['n2', ['10.0.0.2']],
      ]),
    neighbors: () => [],
  }
  const answering =
    (...of: readonly string[]) =>
    async ({ address }: { readonly address: string }) =>
      of.includes(address) ? [{ mac: proxy }] : []
  const both = new LanSegment({ ...behind, ask: answering('10.0.0.1', '10.0.0.2') })
  t.equal(await both.identify(proxy, 'eth0'), undefined, 'RFC 1027: who answers for several nodes is none of them')
  const twice = new LanSegment({ ...behind, ask: answering('10.0.0.1', 'fd00::1') })
  t.equal(await twice.identify(proxy, 'eth0'), 'n1', 'both addresses of one')
  const neighbors = () => ['10.0.0.1', '10.0.0.2'].map(address => ({ address, mac: proxy }))
  t.equal(await new LanSegment({ ...behind, neighbors, ask: answering('10.0.0.1') }).identify(proxy, 'eth0'), undefined)
  t.equal(await segment.answers({ address: 'fd00::1', interface: 'gone', mac }), false)
})

t.test('which interface leads to a host: the one in whose network it is, or none', async t => {
  const at = (address: string, prefixLength: number) => ({ address, prefixLength }) as never
  const links = [
    { name: 'lo', addresses: [at('127.0.0.1', 8), at('10.0.0.9', 32), at('::1', 128)] },
    { name: 'eth0', addresses: [at('10.0.0.1', 16), at('fe80::1', 64), at('fd00:1::1', 64)] },
    { name: 'eth1', addresses: [at('10.0.5.1', 24), at('0.0.0.0', 0)] },
  ]
  const towards = (address: string): string | undefined => interfaceTowards(address, links)
  t.strictSame(['10.0.0.2', '10.0.5.9', 'fd00:1::99', '10.1.0.1', 'fd00:2::1', '10.0.0.9', 'nonsense'].map(towards), [
    'eth0', 'eth1', 'eth0', undefined, undefined, 'eth0', undefined,
  ]) // prettier-ignore
  const answers = { '10.0.0.2': [{ mac: 'x' }], '10.0.0.3': [] } as Record<string, readonly { mac: string }[]>
  const segment = new LanSegment({
    nodes: () => new Map(),
    links: () => links,
    ask: async ({ address: of }) => answers[of] ?? Promise.reject(new Error('eth0 is down')),
  })
  t.strictSame(await Promise.all(['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.9.0.1'].map(of => segment.reaches(of))), [
    true,
    false,
    undefined,
    undefined,
  ])
})

t.test('the Event on each Service of the address says who, where and what is done about it', async t => {
  const conflict = { address: ADDRESS, interface: 'eth0', mac: '02:00:00:00:00:07', since: 0 }
  const messages = (extra: object): readonly string[] =>
    conflictEvents({ ...conflict, resolution: 'defend', ...extra } as never, ['default/a', 'x/b'], 'n1').map(
      ({ message }) => message,
    )
  t.strictSame(
    messages({ node: 'n2', resolution: 'yield' })[1],
    'node "n2" (02:00:00:00:00:07) answers for LB IP "192.0.2.1" on interface "eth0" too: node "n1" leaves it to that one',
  )
  t.match(messages({})[0], /^host 02:00:00:00:00:07 answers .* node "n1" keeps it/)
  t.match(conflictEvents({ ...conflict, resolution: 'defend' }, ['x/b'], 'n1'), [
    { regarding: { kind: 'Service', namespace: 'x', name: 'b' }, type: 'Warning', reason: 'addressConflict' },
  ])
})
