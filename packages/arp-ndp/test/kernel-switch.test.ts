/** Two responders that race for an address, and the switches between them and the client. */
import { join } from 'node:path'
import { until } from '@typemetal/lab'
import t from 'tap'
import { noNamespaces, lacks } from './interop-tools.js'
import { dissect, faultless } from './interop-wire.js'
import { Segment } from './segment.js'

const V4 = '10.10.0.200'
const V6 = 'fd00:10::200'
const BOTH = [V4, V6]

t.setTimeout(900_000)

t.test('two responders for one address', { skip: noNamespaces }, async t => {
  const segment = await Segment.create()
  t.teardown(() => segment[Symbol.asyncDispose]())
  const nodes = await Promise.all([segment.node('node-1', 11), segment.node('node-2', 12)])
  const macs = nodes.map(({ mac }) => mac)
  await Promise.all(nodes.map(node => node.own(BOTH)))
  await Promise.all(nodes.flatMap(node => [node.announced(V4, 10), node.announced(V6, 5)]))

  for (const address of BOTH) {
    await t.test(
      `${address}: both answer, the client keeps one; when that one lets go, the other’s burst wins`,
      async t => {
        await segment.client.namespace.ip(['neighbour flush dev eth0'])
        const before = await Promise.all(nodes.map(node => node.counted(address)))
        segment.poke(address)
        await until('both to answer', async () => {
          const now = await Promise.all(nodes.map(node => node.counted(address)))
          return now.every(({ responsesSent }, i) => responsesSent > (before[i]?.responsesSent ?? 0)) || undefined
        })
        const kept = await until('an entry', async () => (await segment.neighbor(address))?.mac)
        const winner = macs.indexOf(kept)
        t.ok(winner >= 0, `${kept} was first`)
        t.same(await segment.owners(address, 2), macs.toSorted(), 'both go on answering')
        t.equal((await segment.neighbor(address))?.mac, kept, 'the client stays with the first')
        const loser = nodes[1 - winner]
        await nodes[winner]?.own(BOTH.filter(other => other !== address))
        loser?.send({ announce: address })
        t.comment(`moved after ${(await segment.moved(address, loser?.mac ?? '')).toFixed(0)} ms`)
        segment.poke(address)
        await segment.settled(address, 'REACHABLE', loser?.mac)
        t.same(await segment.owners(address), [loser?.mac])
        await nodes[winner]?.own(BOTH)
        await nodes[winner]?.announced(address, (address === V4 ? 10 : 5) * 2)
        await segment.client.namespace.ip(['neighbour flush dev eth0'])
      },
    )
  }
  await faultless(t, { segment, nodes, macs, owned: BOTH })
})

t.test('IEEE 802.1D: a port moves with the gratuitous frames', { skip: noNamespaces }, async t => {
  const segment = await Segment.create()
  t.teardown(() => segment[Symbol.asyncDispose]())
  const { lab, lan, client } = segment
  const [left, right] = [await lab.bridge('left'), await lab.bridge('right')]
  const [portLeft, portRight] = [await lan.join(left), await lan.join(right)]
  // Without IPv6 the kernel says nothing of its own when an interface comes up, so that all the switch hears is ours.
  const mute = { 'net.ipv6.conf.all.disable_ipv6': 1, 'net.ipv6.conf.default.disable_ipv6': 1 }
  const node = await segment.node('node-1', 11, { interfaces: 0, sysctls: mute })
  const mac = '02:74:6d:ff:00:04'
  const { namespace } = node.host
  const port = async (): Promise<string | undefined> => (await lan.forwardingTable()).get(mac)

  await t.test('learned where the node is', async t => {
    const mark = node.mark
    await left.plug(namespace, 'eth0', mac)
    await namespace.ip(['link set eth0 up'])
    await node.responder('create', 'arp', 'eth0', mark)
    t.equal(await port(), undefined, 'nothing was sent yet')
    await node.own([V4])
    await until('an entry', async () => ((await port()) === portLeft ? true : undefined))
    await segment.learn([V4], mac)
  })

  await t.test('without a frame of ours it would stay: frames to the node are lost', async t => {
    await node.own([])
    let mark = node.mark
    await namespace.ip(['link delete eth0'])
    await node.responder('delete', 'arp', 'eth0', mark)
    mark = node.mark
    await right.plug(namespace, 'eth0', mac)
    await namespace.ip(['link set eth0 up'])
    await node.responder('create', 'arp', 'eth0', mark)
    t.equal(await port(), portLeft)
  })

  await t.test('the announcement moves it', async t => {
    await node.own([V4])
    await until('the other port', async () => ((await port()) === portRight ? true : undefined))
    await client.namespace.ip([`neighbour change ${V4} dev eth0 nud probe`])
    await segment.settled(V4, 'REACHABLE', mac)
    t.ok((await node.counted(V4)).responsesSent >= 2, 'its unicast probe has reached the node')
  })

  await t.test('likewise when the cable is moved while we own the address', async () => {
    const mark = node.mark
    await namespace.ip(['link delete eth0'])
    await left.plug(namespace, 'eth0', mac)
    await namespace.ip(['link set eth0 up'])
    await node.responder('create', 'arp', 'eth0', mark)
    await until('the first port', async () => ((await port()) === portLeft ? true : undefined))
    await client.namespace.ip([`neighbour change ${V4} dev eth0 nud probe`])
    await segment.settled(V4, 'REACHABLE', mac)
  })

  await faultless(t, { segment, macs: [mac], owned: [V4] })
})

t.test(
  'RFC 4541: a switch that snoops MLD brings solicitations to members only',
  { skip: noNamespaces || lacks('tshark') },
  async t => {
    const segment = await Segment.create({ multicastSnooping: true })
    t.teardown(() => segment[Symbol.asyncDispose]())
    const [node, bystander] = await Promise.all([segment.node('node-1', 11), segment.node('node-2', 12)])
    const file = join(segment.lab.directory, 'bystander.pcap')
    const heard = async (address: string): Promise<number> =>
      (await dissect(file, `icmpv6.type == 135 && icmpv6.nd.ns.target_address == ${address}`, ['frame.number'])).length
    const capture = await bystander.host.capture('eth0', file)
    /** Whether a question for somebody else comes to the bystander; one for itself, asked after it, is the proof that it listens. */
    const floods = async (other: string): Promise<boolean> => {
      const before = await heard('fd00:10::12')
      await segment.resolve(other)
      await segment.owners('fd00:10::12')
      await until('its own question', async () => ((await heard('fd00:10::12')) > before ? true : undefined))
      return (await heard(other)) > 0
    }
    let other = 0
    await until('the switch to filter', async () => ((await floods(`fd00:10::3:${++other}`)) ? undefined : true), {
      timeout: 60_000,
      interval: 100,
    })
    await node.own([V6])
    await segment.learn([V6], node.mac)
    t.same(await segment.owners(V6), [node.mac])
    await bystander.own(['fd00:10::300'])
    t.same(await segment.owners('fd00:10::300'), [bystander.mac], 'and to one that has joined later')
    await capture.stop()
    t.equal(await heard(V6), 0, 'who has not joined the group has not heard of it')
    t.ok((await heard('fd00:10::300')) > 0)
    await faultless(t, {
      segment,
      nodes: [node, bystander],
      macs: [node.mac, bystander.mac],
      owned: [V6, 'fd00:10::300'],
    })
  },
)
