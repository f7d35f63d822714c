/** Rings in virtual time. Sections are those of the protocol's description: 14 rules, 15 probing, 16 suspicion, … */
import {
  SimulatedNode,
  Simulator,
  type SimulatedNodeOptions,
  type SimulatorOptions,
} from '@typemetal/memberlist/simulator'
import t from 'tap'

t.setTimeout(1_200_000)

const PLAIN = { enableCompression: false } // compression changes nothing here, and costs most of the time

interface Death {
  readonly observer: string
  readonly node: string
  readonly at: number
}

/** A ring that has joined, and the deaths it sees from then on. */
function ringOf(
  count: number,
  options: SimulatorOptions,
  nodeOptions: Partial<SimulatedNodeOptions> = {},
): { ring: Simulator; nodes: SimulatedNode[]; deaths: Death[] } {
  const ring = new Simulator({ latency: [0.2, 1], ...options, loss: 0 })
  const nodes = ring.addRing(count, { ...PLAIN, ...nodeOptions })
  const deaths: Death[] = []
  if (ring.runUntil(() => ring.converged(), 30_000) === undefined) throw new Error('the ring did not come together')
  ring.onMember = (observer, event, member) => {
    if (event === 'leave') deaths.push({ observer: observer.name, node: member.name, at: ring.now })
  }
  ring.network.set(options)
  return { ring, nodes, deaths }
}

const seeds = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)

t.test('join: 50 nodes at once through one seed know one another within 3 s, in 100 of 100 trials', async t => {
  const took = seeds(100).map(seed => {
    const ring = new Simulator({ seed, latency: [0.2, 1] })
    ring.addRing(50, PLAIN)
    return ring.runUntil(() => ring.converged(), 30_000) ?? Infinity
  })
  t.ok(Math.max(...took) <= 3000, `took ${Math.max(...took).toFixed(0)} ms at most`)
})

t.test('join: 300 nodes at once through one seed, and 20 that do not probe', async t => {
  const took = seeds(3).map(seed => {
    const ring = new Simulator({ seed, latency: [0.2, 1] })
    ring.addRing(300, PLAIN)
    return ring.runUntil(() => ring.converged(), 30_000) ?? Infinity
  })
  t.ok(Math.max(...took) <= 4000, `300: ${Math.max(...took).toFixed(0)} ms at most`)
  const quiet = new Simulator({ latency: [0.2, 1] })
  quiet.addRing(20, { ...PLAIN, probeInterval: 0, probeTimeout: 0 })
  t.ok(quiet.runUntil(() => quiet.converged(), 30_000) !== undefined, 'probing off')
})

t.test('a settled ring of 1,000 says what probing costs, and nothing else', async t => {
  const ring = new Simulator({ latency: [0.2, 1] })
  const nodes = ring.addSettledRing(1000, { ...PLAIN, pushPullInterval: 0 })
  ring.run(5000) // each tells of itself, which all know
  const before = ring.packets
  ring.run(5000)
  t.ok(ring.converged())
  t.notOk(nodes.some(node => node.notes.has('suspected') || node.notes.has('probeFailed')))
  // A second: one probe and 2.5 looks at the neighbour, a ping and an ack each.
  const each = (ring.packets - before) / 1000 / 5
  t.ok(each > 6 && each < 7.5, `${each} packets a node and second`)
})

t.test('the same seed gives the same run', async t => {
  const run = (seed: number): readonly number[] => {
    const { ring } = ringOf(5, { seed, loss: 0.1 })
    ring.run(20_000)
    return [ring.packets, ring.octets, ring.network.lost]
  }
  t.same(run(3), run(3))
  t.notSame(run(3), run(4))
})

t.test('a killed process is found within 1.5 s by all, with LAN timing', async t => {
  for (const [count, runs] of [
    [2, 6],
    [3, 10],
    [10, 6],
    [30, 2],
  ] as const) {
    const took = seeds(runs).map(seed => {
      const { ring, nodes, deaths } = ringOf(count, { seed })
      ring.run(3000 * Math.min(count, 10) + ring.random() * 2000)
      const victim = nodes[Math.floor(ring.random() * count)]!
      victim.kill()
      const time = ring.runUntil(() => ring.converged(), 30_000) ?? Infinity
      ring.run(10_000)
      t.ok(
        deaths.every(death => death.node === victim.name),
        'and nobody else',
      )
      return time
    })
    t.ok(Math.max(...took) <= 1500, `${count} nodes: ${Math.max(...took).toFixed(0)} ms at most`)
  }
})

t.test('in a mixed ring, a killed process is found as fast behind nodes that do not watch', async t => {
  for (const victim of ['g1', 'g2', 'g3', 'o1', 'o2', 'o3']) {
    const took = seeds(5).map(seed => {
      const ring = new Simulator({ seed, latency: [0.2, 1] })
      const nodes = ['g1', 'g2', 'g3', 'o1', 'o2', 'o3'].map(name =>
        ring.add({ ...PLAIN, name, ...(name.startsWith('g') ? { watchInterval: 0, refusedGrace: 0 } : {}) }),
      )
      for (const node of nodes.slice(1)) node.join(nodes[0]!)
      ring.run(10_000 + ring.random() * 1000)
      nodes.find(({ name }) => name === victim)!.kill()
      const ours = nodes.filter(({ name, running }) => running && name.startsWith('o'))
      return ring.runUntil(() => ours.every(node => !node.memberNames().includes(victim)), 30_000) ?? Infinity
    })
    t.ok(Math.max(...took) <= 1000, `${victim}: ${took.map(Math.round).join(', ')} ms`)
  }
})

t.test('once the nodes know that all of them watch, each watches one', async t => {
  const packets = [{}, { preset: 'lan' as const, watchInterval: 0 }].map(options => {
    const { ring } = ringOf(6, { seed: 1 }, options)
    ring.run(20_000)
    const before = ring.packets
    ring.run(10_000)
    return (ring.packets - before) / 60
  })
  t.ok(packets[0]! - packets[1]! <= 5.1, `${packets.map(count => count.toFixed(1)).join(', ')} a second and node`)
})

t.test('section 16: a host that falls silent is found as the reference finds it', async t => {
  for (const [tuning, least, most] of [
    [{ preset: 'lan' }, 4000, 8500],
    [{ preset: 'local' }, 3000, 7500],
    [{ preset: 'wan' }, 30_000, 52_000],
    [{ preset: 'lan', refusedGrace: 0 }, 4000, 8500],
  ] as const) {
    const took = seeds(5).map(seed => {
      const { ring, nodes } = ringOf(3, { seed }, tuning)
      ring.run(20_000 + ring.random() * 5000)
      if ('refusedGrace' in tuning) nodes[1]!.kill()
      else nodes[1]!.disconnect()
      return ring.runUntil(() => ring.converged(), 120_000) ?? Infinity
    })
    const said = `${JSON.stringify(tuning)}: ${took.map(Math.round).join(', ')} ms`
    t.ok(Math.min(...took) >= least && Math.max(...took) <= most, said)
  }
})

t.test('loss of a fifth of all packets kills nobody', async t => {
  const { ring, deaths, nodes } = ringOf(10, { seed: 5, loss: 0.2 })
  ring.run(300_000)
  t.same(deaths, [])
  t.ok(
    nodes.some(node => node.notes.has('refuted')),
    'though many were suspected',
  )
  t.ok(ring.converged())
})

t.test('the fast preset finds a dead host among ten within a second, 99 times of 100', async t => {
  const took = seeds(200).map(seed => {
    const { ring, nodes } = ringOf(10, { seed }, { preset: 'fast' })
    ring.run(3000 + ring.random() * 500)
    nodes[seed % 10]!.disconnect()
    return ring.runUntil(() => ring.converged(), 30_000) ?? Infinity
  })
  const p99 = took.toSorted((a, b) => a - b)[Math.ceil(took.length * 0.99) - 1]!
  t.ok(p99 <= 1000, `${p99.toFixed(0)} ms; ${Math.max(...took).toFixed(0)} ms at most`)
})

t.test('the fast preset kills nobody in ten minutes at a fifth of loss', async t => {
  for (const count of [3, 10]) {
    const { ring, deaths, nodes } = ringOf(count, { seed: 4, loss: 0.2 }, { preset: 'fast' })
    ring.run(600_000)
    t.same(deaths, [], `${count} nodes`)
    t.ok(
      nodes.some(node => node.notes.has('refuted')),
      'though many were suspected',
    )
  }
})

t.test('a dead process is found under loss too', async t => {
  const took = seeds(6).map(seed => {
    const { ring, nodes } = ringOf(10, { seed, loss: 0.05 })
    ring.run(30_000)
    nodes[4]!.kill()
    return ring.runUntil(() => ring.converged(), 60_000) ?? Infinity
  })
  t.ok(Math.max(...took) <= 3000, `${took.map(Math.round).join(', ')} ms`)
})

t.test('a process that stands still for 4 s neither dies nor accuses', async t => {
  for (const [count, seed] of [
    [3, 1],
    [3, 2],
    [10, 3],
    [10, 4],
  ] as const) {
    const { ring, nodes, deaths } = ringOf(count, { seed })
    ring.run(15_000 + ring.random() * 3000)
    const sleeper = nodes[1]!
    sleeper.pause()
    ring.run(4000)
    sleeper.resume()
    ring.run(30_000)
    t.same(deaths, [], `${count} nodes`)
    t.notOk(sleeper.notes.has('probeFailed'), 'it blames nobody for its own absence')
    t.ok(ring.converged())
  }
})

t.test('a host that refuses connections while its process lives is not declared dead', async t => {
  const { ring, nodes, deaths } = ringOf(5, { seed: 9, loss: 0.2 })
  ring.run(30_000) // everybody has reached everybody over TCP
  nodes[2]!.refusing = true
  ring.run(120_000)
  t.same(
    deaths.filter(death => death.node !== nodes[2]!.name),
    [],
  )
  t.ok(ring.runUntil(() => ring.converged(), 5000) !== undefined, 'and whoever thought so has taken it back')
  t.same(deaths, [])
})

t.test('a node that only one other cannot reach stays alive', async t => {
  const { ring, nodes, deaths } = ringOf(4, { seed: 11 })
  ring.run(30_000)
  ring.network.block(nodes[0]!, nodes[1]!)
  ring.network.block(nodes[1]!, nodes[0]!)
  ring.run(60_000)
  t.same(deaths, [])
})

t.test('restart with the same name', async t => {
  for (const down of [50, 700, 5000, 20_000, 45_000]) {
    const { ring, nodes } = ringOf(5, { seed: down })
    ring.run(20_000)
    nodes[3]!.kill()
    ring.run(down)
    nodes[3]!.start()
    nodes[3]!.join(nodes[0]!)
    const took = ring.runUntil(() => ring.converged(), 60_000)
    t.ok(took !== undefined && took <= 3000, `back ${took?.toFixed(0)} ms after being away for ${down} ms`)
    ring.run(10_000)
    t.ok(ring.converged(), 'and stays')
  }
})

t.test('a hundred nodes restart with the same names, nobody is stuck', async t => {
  const { ring, nodes } = ringOf(100, { seed: 21 })
  const together = (limit: number): void => {
    const took = ring.runUntil(() => ring.converged(), 60_000)
    t.ok(took !== undefined && took <= limit, `together again after ${took?.toFixed(0)} ms`)
    ring.run(5000)
    t.ok(ring.converged(), 'and stay so')
  }
  ring.run(10_000)
  // All at once: nobody is left who knows an older incarnation.
  for (const node of nodes) node.kill()
  ring.run(1000)
  for (const node of nodes) node.start()
  for (const node of nodes.slice(1)) node.join(nodes[0]!)
  together(3000)
  // A rolling restart: each is gone for a moment, and finds others that know an older incarnation of it.
  nodes.forEach((node, i) => {
    ring.after(i * 20, () => node.kill())
    ring.after(i * 20 + 400, () => {
      node.start()
      node.join(nodes[(i + 60) % nodes.length]!) // one that is up at that time
    })
  })
  ring.run(100 * 20 + 400)
  together(5000)
  // In no order. Each asks somebody whom it does not see, again and again, as MetalLB does.
  for (const node of nodes) {
    const join = (): void => {
      const seen = new Set(node.memberNames())
      const missing = nodes.filter(({ name }) => !seen.has(name))
      const other = missing[Math.floor(ring.random() * missing.length)]
      if (other) node.join(other)
      if (other) ring.after(1000, join)
    }
    ring.after(ring.random() * 3000, () => node.kill())
    ring.after(3500 + ring.random() * 2000, () => {
      node.start()
      join()
    })
  }
  ring.run(5500)
  together(5000)
})

t.test('section 19: leave', async t => {
  const { ring, nodes, deaths } = ringOf(5, { seed: 2 })
  ring.run(5000)
  nodes[2]!.leave()
  const took = ring.runUntil(() => nodes.every(node => node.stateOf('n002') === 'left'), 5000)
  t.ok(took !== undefined && took < 1000, `known to all after ${took?.toFixed(0)} ms`)
  ring.run(1000)
  nodes[2]!.kill()
  ring.run(60_000)
  t.equal(deaths.length, 5, 'one leave event each, ours included')
  t.notOk(
    nodes.some(node => node.notes.has('suspected')),
    'nobody suspects who has left',
  )
  t.equal(nodes[0]!.stateOf('n002'), undefined, 'and it is forgotten after gossipToTheDeadTime')
})

t.test('a node that has left takes its place again: soon, and when the others have forgotten it', async t => {
  for (const pause of [500, 60_000]) {
    const { ring, nodes, deaths } = ringOf(5, { seed: 3 })
    ring.run(5000)
    const [, , third] = nodes
    third!.leave()
    ring.runUntil(() => nodes.every(node => !node.memberNames().includes('n002')), 5000)
    t.equal(deaths.length, 5, 'a leave is no death that is found out: each hears of it once')
    ring.run(pause)
    third!.rejoin()
    third!.rejoin()
    const took = ring.runUntil(() => ring.converged(), 5000)
    t.ok(took !== undefined && took < 1500, `all see it ${took?.toFixed(0)} ms after it is back`)
    ring.run(60_000)
    t.ok(ring.converged())
    t.equal(deaths.length, 5, 'and nobody takes it for dead later')
    third!.kill()
    const found = ring.runUntil(() => nodes.every(node => !node.running || node.stateOf('n002') === 'dead'), 30_000)
    t.ok(found !== undefined, 'its death is found out as anybody else')
  }
})

t.test('a partition and its end', async t => {
  const { ring, nodes } = ringOf(6, { seed: 4 })
  const [left, right] = [nodes.slice(0, 3), nodes.slice(3)]
  ring.network.partition([left, right])
  const sees = (node: SimulatedNode, names: string): boolean => node.memberNames().join(' ') === names
  const apart = ring.runUntil(
    () => left.every(node => sees(node, 'n000 n001 n002')) && right.every(node => sees(node, 'n003 n004 n005')),
    60_000,
  )
  t.ok(apart !== undefined, `two rings after ${apart?.toFixed(0)} ms`)
  ring.network.heal()
  right[0]!.join(left[0]!)
  const took = ring.runUntil(() => ring.converged(), 20_000)
  t.ok(took !== undefined && took < 5000, `whole again ${took?.toFixed(0)} ms after one join`)
})

t.test('section 14: two nodes of one name: the first stays, nothing flaps', async t => {
  const { ring, nodes, deaths } = ringOf(3, { seed: 8 })
  const joins: string[] = []
  ring.onMember = (observer, event, member) => void joins.push(`${observer.name} ${event} ${member.name}`)
  const impostor = ring.add({ name: 'n001', ...PLAIN })
  impostor.join(nodes[0]!)
  ring.run(60_000)
  for (const node of nodes) t.equal(node.swim.member('n001')?.address, nodes[1]!.endpoint.address)
  t.same(
    joins.filter(line => !line.startsWith('n001')),
    [],
    'no events at the others',
  )
  t.same(deaths, [])
})

t.test('section 13: delegates of other versions are refused', async t => {
  const ring = new Simulator()
  const a = ring.add({ name: 'a', ...PLAIN, delegateVersions: { min: 2, max: 5, current: 4 } })
  const b = ring.add({ name: 'b', ...PLAIN })
  let error: string | undefined
  b.join(a, reason => (error = reason))
  ring.run(1000)
  t.match(error, /^Node '[ab]' delegate protocol version \([04]\) is incompatible: \[2, 0\]$/)
  t.same([a.memberNames(), b.memberNames()], [['a'], ['b']])
  const c = ring.add({ name: 'c', ...PLAIN, delegateVersions: { min: 2, max: 5, current: 5 } })
  c.join(a, reason => (error = reason))
  ring.run(1000)
  t.equal(error, undefined)
  t.same(c.memberNames(), ['a', 'c'])
})

t.test('a merge veto refuses the whole state', async t => {
  const ring = new Simulator()
  const a = ring.add({ name: 'a', ...PLAIN })
  const b = ring.add({ name: 'b', ...PLAIN, delegate: { refuseMerge: members => `no ${members[0]!.name} here` } })
  let error: string | undefined
  b.join(a, reason => (error = reason))
  ring.run(50)
  t.equal(error, 'no a here')
  t.same(b.memberNames(), ['b'], 'until gossip tells; the veto is only asked on join, as in the reference')
})

t.test('an alive veto keeps one node out', async t => {
  const ring = new Simulator()
  const refuseAlive = ({ name }: { name: string }): string | undefined => (name === 'bad' ? 'bad' : undefined)
  const [a, b] = ['a', 'b'].map(name => ring.add({ name, ...PLAIN, delegate: { refuseAlive } }))
  const bad = ring.add({ name: 'bad', ...PLAIN })
  b!.join(a!)
  bad.join(a!)
  ring.run(3000)
  t.same(
    [a!.memberNames(), b!.memberNames()],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
  )
  t.ok((a!.notes.get('nodeRefused') ?? 0) > 0)
})

t.test('UDP that does not get through, where TCP does, is no death', async t => {
  const { ring, nodes, deaths } = ringOf(4, { seed: 6 })
  const send = ring.send.bind(ring)
  ring.send = (from, to, octets) => {
    if (to.address !== nodes[3]!.endpoint.address) send(from, to, octets)
  }
  ring.run(30_000)
  t.same(
    deaths.filter(death => death.observer !== 'n003'),
    [],
  )
  t.ok(nodes.slice(0, 3).some(node => node.notes.has('tcpOnly')))
})
