/** Rings mixed of our nodes and hashicorp/memberlist v0.5.1, the version that MetalLB's speakers run. */
import { claimLoopback, goPeer, RingProcess, type RingProcessOptions } from '@typemetal/lab'
import { Memberlist, type MemberlistOptions } from '@typemetal/memberlist'
import t, { type Test } from 'tap'

t.setTimeout(1_200_000)
t.jobs = 4 // they wait for timers most of the time

const peer = await goPeer()
const skip = 'missing' in peer && peer.missing

/** Loopback addresses of this run. */
const net = await claimLoopback()
let subnet = 0

/** Starts a Go node that ends with the test. */
async function startGo(
  t: Test,
  name: string,
  address: string,
  options: Partial<RingProcessOptions>,
): Promise<RingProcess> {
  const node = await RingProcess.start({ kind: 'go', name, address, ...options })
  t.teardown(() => node[Symbol.asyncDispose]())
  return node
}

async function until(condition: () => boolean, what: string, limit = 60_000): Promise<number> {
  const start = Date.now()
  for (; !condition();) {
    if (Date.now() > start + limit) throw new Error(`not in time: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  return Date.now() - start
}

const view = (node: Memberlist): string =>
  node
    .members()
    .map(({ name }) => name)
    .toSorted()
    .join(' ')

interface Mixed {
  readonly ours: readonly [Memberlist, Memberlist, Memberlist]
  readonly theirs: readonly [RingProcess, RingProcess, RingProcess]
  readonly all: readonly { readonly name: string; readonly view: () => string }[]
}

/** Three of ours, three of theirs, joined both ways. */
async function mixed(t: Test, options: Partial<MemberlistOptions>): Promise<Mixed> {
  const base = `${net}.${++subnet}`
  const starting = ['o1', 'o2', 'o3'].map(async (name, i) => {
    const node = new Memberlist({ name, bindAddress: `${base}.${i + 1}`, ...options })
    t.teardown(() => node.close())
    await node.start()
    return node
  })
  const ours = (await Promise.all(starting)) as unknown as Mixed['ours']
  const theirs = (await Promise.all(
    ['g1', 'g2', 'g3'].map((name, i) =>
      startGo(t, name, `${base}.${i + 11}`, { key: options.secretKeys?.[0], label: options.label }),
    ),
  )) as unknown as Mixed['theirs']
  t.equal(await ours[0].join([theirs[0].address]), 1, 'ours joins theirs')
  t.equal((await theirs[1].command(`join ${base}.2`)).contacted, 1, 'theirs joins ours')
  t.equal(await ours[2].join([theirs[2].address, `${base}.1`]), 2)
  t.equal((await theirs[1].command(`join ${base}.1`)).contacted, 1)
  const all = [
    ...ours.map(node => ({ name: node.localMember().name, view: () => view(node) })),
    ...theirs.map(node => ({ name: node.name, view: () => node.view })),
  ]
  await agree(all, 'g1 g2 g3 o1 o2 o3')
  return { ours, theirs, all }
}

/** Waits until all of `names` see just each other. */
const agree = (all: Mixed['all'], names: string): Promise<number> =>
  until(() => all.every(node => !names.split(' ').includes(node.name) || node.view() === names), names)

function assertNoFaults(t: Test, { ours, theirs }: Mixed): void {
  t.same(
    theirs.flatMap(node => node.complaints),
    [],
    'theirs read all that ours sent',
  )
  t.same(
    ours.map(node => [node.counters.packetFaults, node.counters.streamFaults]),
    [
      [{}, 0],
      [{}, 0],
      [{}, 0],
    ],
    'and ours what theirs sent',
  )
}

const key = new Uint8Array(32).fill(5)
const base64 = (octets: Uint8Array): string => Buffer.from(octets).toString('base64')

for (const [label, options] of [
  ['plain', {}],
  ['plain, labelled', { label: 'dc1' }],
  ['encrypted', { secretKeys: [key] }],
  ['encrypted, labelled', { secretKeys: [key], label: 'dc1' }],
] as const) {
  t.test(
    `${label}: join both ways, messages, meta, kill and leave of either kind`,
    { skip, buffered: true },
    async t => {
      const ring = await mixed(t, options)
      const { ours, theirs, all } = ring
      const heard: string[] = []
      ours[1].on('message', payload => void heard.push(Buffer.from(payload).toString()))
      await theirs[0].command('send o2 best effort')
      await theirs[0].command('reliable o2 reliable')
      ours[1].sendBestEffort({ address: theirs[1].address, port: 7946 }, Buffer.from('to a Go node'))
      await ours[1].sendReliable({ address: theirs[1].address, port: 7946 }, Buffer.from('reliably'))
      await until(() => heard.length === 2, 'messages to ours')
      await until(() => theirs[1].said.filter(({ event }) => event === 'message').length === 2, 'messages to theirs')

      await ours[0].updateMeta(Buffer.from('zone=b'))
      await until(
        () => theirs.every(({ said }) => said.some(({ event, meta }) => event === 'update' && meta === 'zone=b')),
        'our meta at theirs',
      )
      await theirs[0].command('meta rack=7')
      await until(
        () =>
          ours.every(node =>
            node.members().some(({ name, meta }) => name === 'g1' && Buffer.from(meta ?? []).toString() === 'rack=7'),
          ),
        'their meta at ours',
      )

      theirs[2].signal('SIGKILL')
      t.comment(`killed Go node gone from all after ${await agree(all, 'g1 g2 o1 o2 o3')} ms`)
      await ours[2].close()
      t.comment(`killed node of ours gone from all after ${await agree(all, 'g1 g2 o1 o2')} ms`)
      await ours[1].leave()
      t.comment(`leave of ours known to all after ${await agree(all, 'g1 g2 o1')} ms`)
      await ours[1].rejoin()
      t.comment(`ours is back after ${await agree(all, 'g1 g2 o1 o2')} ms`)
      await ours[1].leave()
      await agree(all, 'g1 g2 o1')
      const left: string[] = []
      ours[0].on('leave', ({ name, state }) => void left.push(`${name} ${state}`))
      await theirs[1].command('leave')
      t.comment(`leave of theirs known to all after ${await agree(all, 'g1 o1')} ms`)
      t.same(left, ['g2 left'])
      assertNoFaults(t, ring)
    },
  )
}

/** Waits until each node has heard from each other: so what they said before, with another key, has arrived. */
async function tellAll({ ours, theirs }: Mixed, text: string): Promise<void> {
  const heard: string[] = []
  const names = [...ours.map(node => node.localMember().name), ...theirs.map(({ name }) => name)]
  const stops = [
    ...ours.map(node => {
      const keep = (payload: Uint8Array): void => void heard.push(Buffer.from(payload).toString())
      node.on('message', keep)
      return () => void node.off('message', keep)
    }),
    ...theirs.map(node =>
      node.listen(({ event, payload }) => {
        if (event === 'message') heard.push(payload ?? '')
      }),
    ),
  ]
  for (const to of names) {
    for (const node of ours) {
      const [member] = node.members().filter(({ name }) => name === to)
      if (member && to !== node.localMember().name) node.sendBestEffort(member, Buffer.from(`${text} for ${to}`))
    }
    for (const node of theirs) if (to !== node.name) await node.command(`send ${to} ${text} for ${to}`)
  }
  await until(() => names.every(name => heard.filter(line => line === `${text} for ${name}`).length === 5), text)
  for (const stop of stops) stop()
}

t.test('keys rotate in a mixed ring', { skip, buffered: true }, async t => {
  const ring = await mixed(t, { secretKeys: [key] })
  const { ours, theirs, all } = ring
  const next = new Uint8Array(16).fill(6)
  const lost: string[] = []
  for (const node of ours) node.on('leave', ({ name }) => lost.push(name))
  for (const [step, command] of [
    ['add', 'addkey'],
    ['use', 'usekey'],
    ['remove', 'removekey'],
  ] as const) {
    const which = step === 'remove' ? key : next
    for (const node of ours) node.keyring[step](which)
    for (const node of theirs) await node.command(`${command} ${base64(which)}`)
    await tellAll(ring, step)
  }
  await agree(all, 'g1 g2 g3 o1 o2 o3')
  t.same(lost, [], 'nobody was lost on the way')
  assertNoFaults(t, ring)
})

t.test('a restarted node of either kind is taken back', { skip, buffered: true }, async t => {
  const ring = await mixed(t, {})
  const { ours, theirs, all } = ring
  const address = ours[2].localMember().address
  await ours[2].close()
  await agree(all, 'g1 g2 g3 o1 o2')
  const again = new Memberlist({ name: 'o3', bindAddress: address })
  t.teardown(() => again.close())
  await again.start()
  await again.join([theirs[0].address])
  const without = all.filter(({ name }) => name !== 'o3')
  await until(
    () => without.every(node => node.view() === 'g1 g2 g3 o1 o2 o3') && view(again) === 'g1 g2 g3 o1 o2 o3',
    'o3 is back',
  )
  theirs[2].signal('SIGKILL')
  await until(() => !view(again).includes('g3'), 'g3 is gone')
  const back = await startGo(t, 'g3', theirs[2].address, {})
  await back.command(`join ${ours[0].localMember().address}`)
  await until(
    () =>
      without.every(node => node.name === 'g3' || node.view() === 'g1 g2 g3 o1 o2 o3') &&
      back.view === 'g1 g2 g3 o1 o2 o3',
    'g3 is back',
  )
  assertNoFaults(t, ring)
})
