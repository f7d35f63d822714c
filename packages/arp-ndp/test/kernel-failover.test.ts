/** Failover with clients whose kernel learns of a move in other ways, or late. */
import { existsSync } from 'node:fs'
import { until } from '@typemetal/lab'
import t from 'tap'
import type { LabNode } from './interop-node.js'
import { noFilter, noNamespaces } from './interop-tools.js'
import { faultless } from './interop-wire.js'
import { Segment } from './segment.js'

const V4 = '10.10.0.200'
const V6 = 'fd00:10::200'
const BOTH = [V4, V6]
/** Counts hundredths of a second. */
const SETTING = 'net.ipv4.neigh.eth0.locktime'
/** Hundredths of a second: longer than anything here takes on a busy machine. */
const MINUTE = 6000
/** Milliseconds: three times the kernel's default, and less than the five rounds of a burst take. */
const LOCKTIME = 3000

t.setTimeout(900_000)

/** A segment with two nodes, the first of which owns both addresses and is known for it. */
async function scene(client: Record<string, number>): Promise<{ segment: Segment; one: LabNode; two: LabNode }> {
  const segment = await Segment.create({ client })
  const [one, two] = await Promise.all([segment.node('node-1', 11), segment.node('node-2', 12)])
  return { segment, one, two }
}

const OLD =
  !existsSync('/proc/sys/net/ipv6/conf/all/accept_untracked_na') && 'needs a kernel with accept_untracked_na (5.18)'

t.test('net.ipv4.conf.*.arp_accept, net.ipv6.conf.*.accept_untracked_na', { skip: noNamespaces || OLD }, async t => {
  const { segment, one, two } = await scene({ 'net.ipv6.conf.eth0.forwarding': 1 })
  t.teardown(() => segment[Symbol.asyncDispose]())
  const setting = (value: number): Promise<void> =>
    segment.client.namespace.setSysctls({
      'net.ipv4.conf.eth0.arp_accept': value,
      'net.ipv6.conf.eth0.accept_untracked_na': value,
    })

  await t.test('0: an announcement makes no entry for who never asked', async t => {
    await setting(0)
    await one.own(BOTH)
    await one.announced(V4, 2)
    await one.announced(V6, 1)
    // Its answer comes after the announcement, so the client has seen that.
    t.same(await segment.owners(V4), [one.mac])
    t.same(
      [...(await segment.neighbors()).keys()].filter(address => BOTH.includes(address)),
      [],
    )
    await one.own([])
  })

  await t.test('1: it does (RFC 9131 for IPv6)', async t => {
    await setting(1)
    await one.own(BOTH)
    for (const address of BOTH) {
      t.comment(`${address} known after ${(await segment.settled(address, 'STALE', one.mac)).toFixed(0)} ms`)
    }
    await one.own([])
    await two.own(BOTH)
    for (const address of BOTH) {
      t.comment(`${address} moved after ${(await segment.moved(address, two.mac)).toFixed(0)} ms`)
      segment.poke(address)
      await segment.settled(address, 'REACHABLE', two.mac)
    }
  })

  await faultless(t, { segment, nodes: [one, two], macs: [one.mac, two.mac], owned: BOTH })
})

t.test(
  'drop_gratuitous_arp, drop_unsolicited_na: such clients find out by themselves',
  { skip: noNamespaces },
  async t => {
    const neigh = { delay_first_probe_time: 1, retrans_time_ms: 200 }
    const { segment, one, two } = await scene({
      ...Object.fromEntries(Object.entries(neigh).map(([name, value]) => [`net.ipv4.neigh.eth0.${name}`, value])),
      ...Object.fromEntries(Object.entries(neigh).map(([name, value]) => [`net.ipv6.neigh.eth0.${name}`, value])),
      'net.ipv4.conf.eth0.drop_gratuitous_arp': 1,
      'net.ipv6.conf.eth0.drop_unsolicited_na': 1,
    })
    t.teardown(() => segment[Symbol.asyncDispose]())
    await one.own(BOTH)
    await segment.learn(BOTH, one.mac)
    await one.die()
    const begin = performance.now()
    await two.own(BOTH)
    await two.announced(V4, 10)
    await two.announced(V6, 5)
    for (const address of BOTH)
      t.equal((await segment.neighbor(address))?.mac, one.mac, `${address}: a whole burst changes nothing`)
    // Grown old, an entry is put to the test when it is used.
    await segment.client.namespace.ip(BOTH.map(address => `neighbour change ${address} dev eth0 nud stale`))
    for (const address of BOTH) {
      await until(
        `${address} to be given up and asked for again`,
        async () => {
          segment.poke(address)
          return (await segment.neighbor(address))?.mac === two.mac ? true : undefined
        },
        { timeout: 60_000, interval: 100 },
      )
      t.comment(`${address} at the new owner ${(performance.now() - begin).toFixed(0)} ms after the old one’s death`)
      await segment.settled(address, 'REACHABLE', two.mac)
    }
    await faultless(t, { segment, nodes: [two], macs: [two.mac], owned: BOTH })
  },
)

t.test(
  'locktime: an entry that has just changed is not changed again for a while',
  { skip: noNamespaces || noFilter },
  async t => {
    const { segment, one, two } = await scene({ [SETTING]: MINUTE })
    t.teardown(() => segment[Symbol.asyncDispose]())

    await t.test('a gratuitous request is believed all the same (Linux 4.12 and later)', async t => {
      await one.own([V4])
      await segment.learn([V4], one.mac)
      await one.own([])
      await two.own([V4])
      t.comment(`moved after ${(await segment.moved(V4, two.mac)).toFixed(0)} ms`)
      await two.own([])
    })

    // From here on the client is one that sees only the reply form, as those that ignore requests, and keeps to locktime in all of them.
    await segment.client.exec(['nft', '-f', '-'], {
      input: `table arp lab { chain input { type filter hook input priority 0; arp operation request arp saddr ip ${V4} drop; }; }`,
    })

    await t.test('the first round alone would be lost', async t => {
      await one.own([V4])
      await segment.learn([V4], one.mac)
      const before = await two.counted(V4)
      // One round, and no more of the burst.
      await two.own([V4])
      await two.announced(V4, before.gratuitousSent + 2)
      await two.own([])
      // Its answer comes after the announcement, so the client has seen that.
      await segment.owners(V4)
      t.equal((await segment.neighbor(V4))?.mac, one.mac, 'the client stays with the old owner')
    })

    await t.test('with a later round, when the locktime is over, it moves', async t => {
      await segment.client.namespace.setSysctls({ [SETTING]: LOCKTIME / 10 })
      await one.own([V4])
      const before = await two.counted(V4)
      const begin = performance.now()
      await segment.learn([V4], one.mac)
      await one.own([])
      await two.own([V4])
      await segment.moved(V4, two.mac)
      const elapsed = performance.now() - begin
      const rounds = ((await two.counted(V4)).gratuitousSent - before.gratuitousSent) / 2
      t.comment(`moved ${elapsed.toFixed(0)} ms after the client began to ask, by round ${rounds}`)
      t.ok(elapsed >= LOCKTIME - 10, 'not before the locktime was over')
    })

    await faultless(t, { segment, nodes: [one, two], macs: [one.mac, two.mac], owned: [V4] })
  },
)
