/** What happens to a node's interfaces while it answers, and what the client's kernel sees of it. */
import { until } from '@typemetal/lab'
import t, { type Test } from 'tap'
import { linkLocalOf } from './interop-frames.js'
import { noNamespaces } from './interop-tools.js'
import { faultless } from './interop-wire.js'
import { Segment } from './segment.js'

const V4 = '10.10.0.200'
const V6 = 'fd00:10::200'
const BOTH = [V4, V6]

t.setTimeout(900_000)

t.test('an interface that changes', { skip: noNamespaces }, async t => {
  const segment = await Segment.create()
  t.teardown(() => segment[Symbol.asyncDispose]())
  // Nothing is looked at again by itself: what changes is known because the kernel has told it.
  const node = await segment.node('node-1', 11, { layer2: { scanInterval: 3_600_000 } })
  const { namespace } = node.host
  const macs = [node.mac]
  await node.own(BOTH)
  const reachable = async (t: Test, mac: string): Promise<void> => {
    await segment.learn(BOTH, mac)
    for (const address of BOTH) t.same(await segment.owners(address), [mac], address)
  }
  await reachable(t, node.mac)

  await t.test('its MAC address: announced, and in every answer', async t => {
    const changed = '02:74:6d:ff:00:01'
    macs.push(changed)
    for (const mac of [changed, node.mac]) {
      const began = performance.now()
      await namespace.ip([`link set eth0 address ${mac}`])
      for (const address of BOTH) {
        await segment.moved(address, mac)
        t.comment(`${address} at ${mac} ${(performance.now() - began).toFixed(0)} ms after the command was given`)
      }
      await reachable(t, mac)
    }
  })

  await t.test('down and up: groups are joined again, everything is announced', async t => {
    let mark = node.mark
    await namespace.ip(['link set eth0 down'])
    await node.responder('delete', 'arp', 'eth0', mark)
    await node.responder('delete', 'ndp', 'eth0', mark)
    for (const address of BOTH) t.same(await segment.resolve(address), [])
    mark = node.mark
    const before = await node.count()
    await namespace.ip(['link set eth0 up'])
    await node.responder('create', 'arp', 'eth0', mark)
    await node.responder('create', 'ndp', 'eth0', mark)
    await reachable(t, node.mac)
    for (const address of BOTH) await node.announced(address, Number(before.counters.get(address)?.gratuitousSent) + 1)
  })

  await t.test('removed and added again, with a new index', async t => {
    const index = async (): Promise<number | undefined> =>
      (await namespace.ipJson<readonly { ifindex: number }[]>('link show dev eth0'))[0]?.ifindex
    const before = await index()
    let mark = node.mark
    await namespace.ip(['link delete eth0'])
    await node.responder('delete', 'arp', 'eth0', mark)
    await node.responder('delete', 'ndp', 'eth0', mark)
    mark = node.mark
    const mac = '02:74:6d:ff:00:02'
    macs.push(mac)
    await segment.lan.plug(namespace, 'eth0', mac)
    await namespace.ip(['link set eth0 up'])
    t.not(await index(), before)
    for (const address of BOTH) t.comment(`${address} after ${(await segment.moved(address, mac)).toFixed(0)} ms`)
    await reachable(t, mac)
  })
  const [mac = ''] = macs.slice(-1)

  await t.test('renamed: selected by its new name, and no longer by the old one', async t => {
    await node.own(BOTH, ['lan0'])
    for (const address of BOTH) t.same(await segment.resolve(address), [])
    let mark = node.mark
    // Kernels before 6.2 want it down for that.
    await namespace.ip(['link set eth0 down', 'link set eth0 name lan0', 'link set lan0 up'])
    await node.responder('create', 'arp', 'lan0', mark)
    await node.responder('create', 'ndp', 'lan0', mark)
    await reachable(t, mac)
    await node.own(BOTH, ['eth0'])
    for (const address of BOTH) t.same(await segment.resolve(address), [])
    mark = node.mark
    await namespace.ip(['link set lan0 down', 'link set lan0 name eth0', 'link set eth0 up'])
    await node.responder('create', 'arp', 'eth0', mark)
    await node.responder('create', 'ndp', 'eth0', mark)
    await reachable(t, mac)
    await node.own(BOTH)
  })

  await t.test('without its link-local address: ARP goes on alone, until there is one again', async t => {
    const linkLocal = linkLocalOf(mac)
    let mark = node.mark
    await namespace.ip([`address delete ${linkLocal}/64 dev eth0`])
    await node.responder('delete', 'ndp', 'eth0', mark)
    t.same(await segment.resolve(V6), [])
    t.same(await segment.owners(V4), [mac])
    mark = node.mark
    await namespace.ip([`address add ${linkLocal}/64 dev eth0 nodad`])
    await node.responder('create', 'ndp', 'eth0', mark)
    t.notOk(
      node.agent.lines.slice(mark).some(line => line.includes('"arp"')),
      'ARP was left alone',
    )
    await reachable(t, mac)
    t.same((await node.count()).statistics.map(({ protocol }) => protocol).toSorted(), ['arp', 'ndp'])
  })

  await t.test('a member of a bridge: the bridge answers in its place; released, it answers again', async t => {
    let mark = node.mark
    await namespace.ip([
      'link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
      `link set br0 address ${mac}`,
      'link set eth0 master br0',
    ])
    await node.responder('delete', 'arp', 'eth0', mark)
    await node.responder('delete', 'ndp', 'eth0', mark)
    for (const address of BOTH) t.same(await segment.resolve(address), [], 'the bridge is down')
    await namespace.ip(['link set br0 up'])
    await node.responder('create', 'arp', 'br0', mark)
    await node.responder('create', 'ndp', 'br0', mark)
    await reachable(t, mac)
    mark = node.mark
    await namespace.ip(['link set eth0 nomaster', 'link delete br0'])
    await node.responder('create', 'arp', 'eth0', mark)
    await node.responder('create', 'ndp', 'eth0', mark)
    await reachable(t, mac)
  })

  await faultless(t, { segment, macs, owned: BOTH })
})

t.test('RFC 4862 section 5.4: link-local addresses that cannot be used', { skip: noNamespaces }, async t => {
  const segment = await Segment.create()
  t.teardown(() => segment[Symbol.asyncDispose]())
  const node = await segment.node('node-1', 11)
  const { namespace } = node.host
  await node.own(BOTH)
  await segment.learn(BOTH, node.mac)
  const flags = async (address: string): Promise<readonly string[]> => {
    type Shown = { addr_info: readonly ({ local: string } & Record<string, unknown>)[] }
    const [shown] = await namespace.ipJson<readonly Shown[]>('address show dev eth0')
    const found = shown?.addr_info.find(({ local }) => local === address)
    return Object.keys(found ?? {}).filter(key => ['tentative', 'dadfailed'].includes(key))
  }
  const arpAlone = async (t: Test): Promise<void> => {
    t.same(await segment.resolve(V6), [])
    t.same(await segment.owners(V4), [node.mac])
    t.same(
      (await node.count()).statistics.map(({ protocol }) => protocol),
      ['arp'],
    )
  }

  await t.test('tentative: not yet', async t => {
    await namespace.setSysctls({ 'net.ipv6.conf.eth0.accept_dad': 1, 'net.ipv6.conf.eth0.dad_transmits': 100 })
    const mark = node.mark
    await namespace.ip([`address delete ${linkLocalOf(node.mac)}/64 dev eth0`, 'address add fe80::1:1/64 dev eth0'])
    await node.responder('delete', 'ndp', 'eth0', mark)
    t.same(await flags('fe80::1:1'), ['tentative'])
    await arpAlone(t)
    await namespace.ip(['address delete fe80::1:1/64 dev eth0'])
  })

  await t.test('a duplicate: never', async t => {
    const twin = 'fe80::7:7'
    await segment.client.namespace.ip([`address add ${twin}/64 dev eth0 nodad`])
    await namespace.setSysctls({ 'net.ipv6.conf.eth0.dad_transmits': 1 })
    await namespace.ip([`address add ${twin}/64 dev eth0`])
    await until('the twin to be found', async () => ((await flags(twin)).includes('dadfailed') ? true : undefined))
    await arpAlone(t)
  })

  await t.test('another one, which has passed: at once', async () => {
    const mark = node.mark
    await namespace.ip(['address add fe80::9:9/64 dev eth0 nodad'])
    await node.responder('create', 'ndp', 'eth0', mark)
    await segment.learn(BOTH, node.mac)
  })

  await faultless(t, { segment, nodes: [node], macs: [node.mac], owned: BOTH })
})
