/** A thousand addresses of each family on one node, and the groups that come with them. */
import { until } from '@typemetal/lab'
import t from 'tap'
import { questionFor } from './interop-frames.js'
import { lacks, noNamespaces } from './interop-tools.js'
import { dissect, faultless } from './interop-wire.js'
import { Segment } from './segment.js'

const COUNT = 1000
/** Entries that a client's table holds at a time: the kernel's limits are for all namespaces together. */
const CHUNK = 100
const V4 = Array.from({ length: COUNT }, (_, i) => `10.10.${4 + (i >> 8)}.${i & 255}`)
const V6 = Array.from({ length: COUNT }, (_, i) => `fd00:10::1:${i.toString(16)}`)
const GROUPS = V6.map((_, i) => `ff02::1:ff01:${i.toString(16)}`)

t.setTimeout(900_000)

t.test('a thousand addresses of each family', { skip: noNamespaces }, async t => {
  const segment = await Segment.create()
  t.teardown(() => segment[Symbol.asyncDispose]())
  const node = await segment.node('node-1', 11)
  const joined = async (): Promise<ReadonlySet<string>> => {
    const { stdout } = await node.host.exec(['ip', '-6', 'maddress', 'show', 'dev', 'eth0'])
    const groups = [...stdout.matchAll(/inet6\s+(ff02::1:ff\S+)/g)].map(([, group = '']) => group)
    return new Set(groups.filter(group => GROUPS.includes(group)))
  }
  const before = node.memory
  await node.own([...V4, ...V6])

  await t.test('RFC 4291 section 2.8: it is a member of every solicited-node group', async t => {
    t.equal((await joined()).size, COUNT)
    t.match((await node.count()).statistics, [{ sendDrops: 0 }, { sendDrops: 0 }])
  })

  for (const [family, addresses] of [
    ['IPv4', V4],
    ['IPv6', V6],
  ] as const) {
    await t.test(`${family}: every one becomes REACHABLE at a client`, async t => {
      const began = performance.now()
      for (let from = 0; from < COUNT; from += CHUNK) {
        const some = addresses.slice(from, from + CHUNK)
        await segment.client.namespace.ip(['neighbour flush dev eth0'])
        segment.poke(...some)
        await until(
          `${some[0]} and the ${CHUNK - 1} after it`,
          async () => {
            const entries = await segment.neighbors()
            const good = some.filter(address => {
              const entry = entries.get(address)
              return entry?.state === 'REACHABLE' && entry.mac === node.mac
            })
            segment.poke(...some.filter(address => entries.get(address)?.state === 'FAILED'))
            return good.length === CHUNK ? true : undefined
          },
          { timeout: 60_000 },
        )
      }
      t.comment(`${COUNT} addresses in ${(performance.now() - began).toFixed(0)} ms, ${CHUNK} at a time`)
      const { counters } = await node.count()
      t.same(
        addresses.filter(address => !counters.get(address)?.responsesSent),
        [],
      )
    })

    await t.test(`${family}: every one is answered when all are asked for at once, and none beside them`, async t => {
      const next = family === 'IPv4' ? '10.10.7.232' : 'fd00:10::1:3e8'
      const frames = [next, ...addresses].map(address => questionFor(address, segment.self))
      const answers = await segment.exchange(frames, COUNT, 60_000)
      t.same(answers.map(({ address }) => address).toSorted(), addresses.toSorted())
      t.ok(answers.every(({ mac }) => mac === node.mac))
    })
  }

  await t.test('a burst for all of them', async t => {
    await Promise.all([node.announced(V4.at(-1) ?? '', 10), node.announced(V6.at(-1) ?? '', 5)])
    const { counters, statistics } = await node.count()
    t.same([...new Set(V4.map(address => counters.get(address)?.gratuitousSent))], [10])
    t.same([...new Set(V6.map(address => counters.get(address)?.gratuitousSent))], [5])
    t.match(statistics, [
      { sendDrops: 0, receiveDrops: 0 },
      { sendDrops: 0, receiveDrops: 0 },
    ])
    t.comment(`memory: ${((node.memory - before) / 2 ** 20).toFixed(1)} MB more than without addresses`)
  })

  await t.test('RFC 3810: the kernel has reported every group to the switch', { skip: lacks('tshark') }, async t => {
    const reported = await until(
      'reports of all groups',
      async () => {
        const rows = await dissect(segment.capture.file, `eth.src == ${node.mac} && icmpv6.type == 143`, [
          'icmpv6.mldr.mar.multicast_address',
        ])
        const groups = new Set(rows.flatMap(row => row['icmpv6.mldr.mar.multicast_address'].split(',')))
        return GROUPS.every(group => groups.has(group)) ? groups : undefined
      },
      { timeout: 60_000, interval: 500 },
    )
    t.ok(reported.size >= COUNT)
  })

  await t.test('withdrawn: the groups are left, and nothing is answered', async t => {
    await node.own([V4[0] ?? '', V6[0] ?? ''])
    t.same([...(await joined())], [GROUPS[0]])
    for (const [own, others] of [
      [V4[0] ?? '', V4.slice(1)],
      [V6[0] ?? '', V6.slice(1)],
    ] as const) {
      t.same(
        await segment.unanswered(
          others.map(address => questionFor(address, segment.self)),
          own,
        ),
        [],
      )
    }
  })

  await faultless(t, { segment, nodes: [node], macs: [node.mac], owned: [...V4, ...V6] })
})
