/** Which interface answers: two on one LAN, macvlan, selection by name; and what comes in VLANs is not for us. */
import { until } from '@typemetal/lab'
import t from 'tap'
import { EtherType } from '@typemetal/arp-ndp/wire'
import { questionFor, sentTo, tagged, type AnswerSeen } from './interop-frames.js'
import { noNamespaces } from './interop-tools.js'
import { faultless } from './interop-wire.js'
import { Segment } from './segment.js'

const V4 = '10.10.0.200'
const V6 = 'fd00:10::200'
const BOTH = [V4, V6]
const MARKERS = ['10.10.0.250', 'fd00:10::250'] as const

t.setTimeout(900_000)

/** By what an answer shows of the interface that it left by. */
const senders = (answers: readonly AnswerSeen[]): readonly string[] =>
  answers.map(({ address, mac, source }) => `${address} ${mac} ${source}`).toSorted()
const from = (address: string, ...macs: readonly string[]): readonly string[] =>
  macs.map(mac => `${address} ${mac} ${mac}`).toSorted()

t.test('two interfaces on one LAN', { skip: noNamespaces }, async t => {
  const segment = await Segment.create()
  t.teardown(() => segment[Symbol.asyncDispose]())
  const node = await segment.node('node-1', 11, { interfaces: 2 })
  const macs = [node.macOf('eth0'), node.macOf('eth1')]
  const [first = '', second = ''] = macs
  await Promise.all(
    ['eth0', 'eth1'].flatMap(name => [node.responder('create', 'arp', name), node.responder('create', 'ndp', name)]),
  )

  await t.test('each answers what it has heard, with its own MAC address', async t => {
    await node.own(BOTH)
    for (const address of BOTH) {
      const question = questionFor(address, segment.self)
      t.same(senders(await segment.exchange([question], 2)), from(address, first, second), 'asked of all: both')
      for (const mac of macs) {
        const answers = await segment.exchange([sentTo(question, mac)], 1)
        t.same(senders(answers), from(address, mac), 'asked of one: that one')
      }
    }
    segment.poke(...BOTH)
    for (const address of BOTH) {
      const kept = await until(`an entry for ${address}`, async () => (await segment.neighbor(address))?.mac)
      t.ok(macs.includes(kept), 'a client keeps one of them')
    }
  })

  await t.test('only the selected one answers and announces', async t => {
    for (const [name, mac] of [
      ['eth0', first],
      ['eth1', second],
    ] as const) {
      await node.own([])
      await node.own(BOTH, [name])
      for (const address of BOTH) {
        t.same(await segment.owners(address), [mac], `${address} on ${name}`)
        await segment.learn([address], mac)
      }
    }
    const { statistics, conflicts } = await node.count()
    t.equal(statistics.length, 4)
    t.same(conflicts, [], 'RFC 5227 section 2.4: what another interface of the host says is no conflict')
    t.same(node.conflicts(), [])
    t.match(
      statistics,
      Array.from({ length: 4 }, () => ({ sendDrops: 0, receiveDrops: 0 })),
    )
  })

  await faultless(t, { segment, nodes: [node], macs, owned: BOTH })
})

t.test('a macvlan interface announces', { skip: noNamespaces }, async t => {
  const segment = await Segment.create()
  t.teardown(() => segment[Symbol.asyncDispose]())
  const node = await segment.node('node-1', 11)
  const mac = '02:74:6d:ff:00:03'
  await node.own(BOTH)
  await segment.learn(BOTH, node.mac)
  const mark = node.mark
  await node.host.namespace.ip([
    `link add link eth0 name mac0 address ${mac} type macvlan mode bridge`,
    'link set mac0 up',
  ])
  await node.responder('create', 'arp', 'mac0', mark)
  await node.responder('create', 'ndp', 'mac0', mark)
  await node.own(BOTH, ['mac0'])
  for (const address of BOTH) {
    t.comment(`${address} moved after ${(await segment.moved(address, mac)).toFixed(0)} ms`)
    t.same(await segment.owners(address), [mac], 'not its parent')
  }
  await segment.learn(BOTH, mac)
  t.same(node.conflicts(), [], 'its parent hears it, and knows it')
  await faultless(t, { segment, nodes: [node], macs: [node.mac, mac], owned: BOTH })
})

t.test('IEEE 802.1Q: frames of other VLANs are not ours to answer', { skip: noNamespaces }, async t => {
  const segment = await Segment.create()
  t.teardown(() => segment[Symbol.asyncDispose]())
  const node = await segment.node('node-1', 11)
  await node.own([...BOTH, ...MARKERS])
  const { VLAN, ServiceVLAN, OldQinQ } = EtherType
  const questions = BOTH.flatMap(address => {
    const question = questionFor(address, segment.self)
    return [question, sentTo(question, node.mac)]
  })

  for (const [name, tags] of [
    ['a VLAN', [{ tpid: VLAN, vlanId: 5 }]],
    ['the highest VLAN', [{ tpid: VLAN, vlanId: 4094 }]],
    ['a service VLAN', [{ tpid: ServiceVLAN, vlanId: 5 }]],
    [
      'QinQ',
      [
        { tpid: ServiceVLAN, vlanId: 5 },
        { tpid: VLAN, vlanId: 6 },
      ],
    ],
    [
      'a VLAN in a priority tag',
      [
        { tpid: VLAN, vlanId: 0 },
        { tpid: VLAN, vlanId: 6 },
      ],
    ],
    [
      'a priority tag in a VLAN',
      [
        { tpid: VLAN, vlanId: 6 },
        { tpid: VLAN, vlanId: 0 },
      ],
    ],
    ['the old tag of QinQ', [{ tpid: OldQinQ, vlanId: 5 }]],
    ['many tags', Array.from({ length: 8 }, () => ({ tpid: VLAN, vlanId: 7 }))],
  ] as const) {
    await t.test(name, async t => {
      const frames = questions.map(question => tagged(question, ...tags))
      for (const marker of MARKERS) t.same(await segment.unanswered(frames, marker), [])
    })
  }

  await t.test('a priority tag alone names no VLAN: the network is ours', async t => {
    const frames = questions.map(question => tagged(question, { tpid: VLAN, vlanId: 0 }))
    const answers = await segment.exchange(frames, frames.length)
    t.same(senders(answers), [...from(V4, node.mac, node.mac), ...from(V6, node.mac, node.mac)])
  })

  await faultless(t, { segment, nodes: [node], macs: [node.mac], owned: [...BOTH, ...MARKERS] })
})
