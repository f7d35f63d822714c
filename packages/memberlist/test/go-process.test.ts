/** What happens to processes of either kind in a mixed ring: killed, stopped, of one name, without the key, all at once. */
import { RingProcess, type RingKind, until } from '@typemetal/lab'
import type { Note } from '@typemetal/memberlist'
import t from 'tap'
import { agree, assertNoFaults, listen, loopback, namesOf, noGo as skip, start, startMixed } from './mixed-ring.js'

t.setTimeout(1_200_000)
t.jobs = 4 // they wait for timers most of the time

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0)
const base64 = (octets: Uint8Array): string => Buffer.from(octets).toString('base64')

t.test('twenty that start at once and join through one seed', { skip, buffered: true }, async t => {
  const at = loopback()
  const seed = await start(t, { kind: 'node', name: 'seed', address: at(1) })
  const others = await Promise.all(
    Array.from({ length: 19 }, async (_, i) => {
      const kind = i % 2 === 0 ? 'go' : 'node'
      const node = await start(t, { kind, name: `${kind}-${i}`, address: at(i + 2) })
      await node.command(`join ${seed.address}`)
      return node
    }),
  )
  const took = await agree([seed, ...others])
  t.comment(`all see all ${took} ms after the last has joined`)
  const states = (node: RingProcess): readonly unknown[] =>
    node.said.flatMap(({ event, payload }) => (event === 'remoteState' ? [payload] : []))
  t.ok(states(seed).includes('state of a Go node'), 'the state of theirs comes to ours')
  t.ok(
    others.filter(({ kind }) => kind === 'go').every(node => states(node).includes('state of a Node.js node')),
    'and that of ours to theirs',
  )
  await assertNoFaults(t, [seed, ...others])
})

t.test('a killed process of either kind is found by the reset of its host', { skip, buffered: true }, async t => {
  // The suspicion of a silent node lasts 30 s at least, a reset is believed after 2 to 6: the cause tells, not a clock.
  let nodes = await startMixed(t, { preset: 'wan' })
  const notes = async (name: Note): Promise<readonly number[]> => {
    const answers = nodes
      .filter(({ kind, running }) => kind === 'node' && running)
      .map(node => node.command('counters'))
    return (await Promise.all(answers)).map(({ notes }) => notes?.[name] ?? 0)
  }
  await until('each of ours has had an answer of all over TCP', async () =>
    (await notes('answersTcp')).every(count => count >= nodes.length - 1) ? true : undefined,
  )
  for (const name of ['g3', 'o3', 'g2', 'o2']) {
    const victim = nodes.find(node => node.name === name)!
    nodes = nodes.filter(node => node !== victim)
    const refusedBefore = sum(await notes('refusedDead'))
    victim.signal('SIGKILL')
    t.comment(`${name} gone from ${namesOf(nodes)} ${await agree(nodes)} ms after its end`)
    t.ok(sum(await notes('refusedDead')) > refusedBefore, `${name}: its host refused`)
    t.equal(sum(await notes('failed')), 0, 'no suspicion ran out')
  }
  await assertNoFaults(t, nodes)
})

for (const name of ['o2', 'g2']) {
  t.test(`${name} is not scheduled for twelve seconds, twice`, { skip, buffered: true }, async t => {
    // Suspected after some 5 s and given up after 30 more, so that a busy machine makes no death of a pause.
    const nodes = await startMixed(t, { preset: 'wan' })
    const stopped = nodes.find(node => node.name === name)!
    const before = stopped.kind === 'node' ? (await stopped.command('counters')).notes : undefined
    const heard = listen(nodes, ['leave'])
    for (let round = 1; round <= 2; round++) {
      await sleep(Math.random() * 5000) // at another point of everybody's probing
      stopped.signal('SIGSTOP')
      await sleep(12_000)
      stopped.signal('SIGCONT')
      await sleep(6000)
    }
    t.same(heard, [], 'nobody is taken for dead')
    await agree(nodes)
    const accusations = nodes.flatMap(({ kind, said }) =>
      kind === 'node' ? said.filter(({ line }) => line?.includes(`"from":"${stopped.name}"`)) : [],
    )
    t.same(accusations, [], 'it accuses nobody of its own silence')
    if (stopped.kind === 'node') {
      const { notes } = await stopped.command('counters')
      t.comment(JSON.stringify(notes))
      t.equal(notes?.['probeFailed'] ?? 0, before?.['probeFailed'] ?? 0, 'no probe failed')
      t.equal(notes?.['suspected'] ?? 0, before?.['suspected'] ?? 0, 'nobody is suspected')
    }
    await assertNoFaults(t, nodes)
  })
}

for (const [first, second] of [
  ['node', 'go'],
  ['go', 'node'],
] as const satisfies [RingKind, RingKind][]) {
  t.test(`two of one name, first ${first}, then ${second}`, { skip, buffered: true }, async t => {
    const at = loopback()
    const [twin, ours, theirs] = await Promise.all([
      start(t, { kind: first, name: 'twin', address: at(1) }),
      start(t, { kind: 'node', name: 'o', address: at(2) }),
      start(t, { kind: 'go', name: 'g', address: at(3) }),
    ])
    const ring = [twin, ours, theirs]
    await Promise.all([ours.command(`join ${at(1)}`), theirs.command(`join ${at(1)}`)])
    await agree(ring)
    const heard = listen(ring)
    const late = await start(t, { kind: second, name: 'twin', address: at(4) })
    await late.command(`join ${at(2)} ${at(3)}`)
    // The first does not hear of it: nobody passes on what contradicts what he knows.
    const conflicting = (node: RingProcess): boolean =>
      node.said.some(({ event, node: name }) => event === 'conflict' && name === 'twin')
    await until('a conflict at each', () => ([ours, theirs, late].every(conflicting) ? true : undefined))
    await sleep(15_000)
    t.same(heard, [], 'nobody joins, leaves or changes')
    t.equal(namesOf(ring), ours.view)
    for (const sender of [ours, theirs]) await sender.command(`reliable twin for the first, from ${sender.name}`)
    const received = (node: RingProcess): number => node.said.filter(({ event }) => event === 'message').length
    await until('messages to the first', () => (received(twin) === 2 ? true : undefined))
    t.equal(received(late), 0, 'the name stays with the first')
    await assertNoFaults(t, [...ring, late])
  })
}

t.test('who misses a rotation of keys stays outside until it gets the key', { skip, buffered: true }, async t => {
  const [old, next] = [new Uint8Array(16).fill(1), new Uint8Array(32).fill(2)]
  const nodes = await startMixed(t, { key: old, preset: 'local' })
  const missed = nodes.filter(({ name }) => name.endsWith('3'))
  const told = nodes.filter(node => !missed.includes(node))
  const rotate = async (nodes: readonly RingProcess[]): Promise<void> => {
    for (const command of [`addkey ${base64(next)}`, `usekey ${base64(next)}`, `removekey ${base64(old)}`])
      await Promise.all(nodes.map(node => node.command(command)))
  }
  await rotate(told)
  t.comment(`those without the key are gone after ${await agree(told)} ms`)
  for (const node of [...told, ...missed].filter(({ kind }) => kind === 'node')) {
    const { faults } = await node.command('counters')
    t.ok((faults?.['decrypt'] ?? 0) > 0, `${node.name} counts them: ${JSON.stringify(faults)}`)
  }
  t.ok(
    nodes.every(({ kind, complaints }) => kind === 'node' || complaints.some(line => /decrypt/i.test(line))),
    'and theirs complain of them',
  )
  t.ok(missed.every(({ running }) => running))
  await rotate(missed)
  await Promise.all(missed.map(node => node.command(`join ${told[0]!.address}`)))
  t.comment(`back after ${await agree(nodes)} ms`)
})
