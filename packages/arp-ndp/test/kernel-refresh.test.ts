/** Neighbours that miss an announcement, or forget it: told alone, or again. */
import t from 'tap'
import type { AgentCommand } from './agent.js'
import { noFilter, noNamespaces, lacks } from './interop-tools.js'
import { dissect, faultless } from './interop-wire.js'
import { Segment } from './segment.js'

const V4 = '10.10.0.200'
const V6 = 'fd00:10::200'
const BOTH = [V4, V6]

t.setTimeout(900_000)

/** A client that hears nothing that is said to all nodes: gratuitous ARP is dropped by its kernel, advertisements by a filter. */
const DEAF = `table ip6 lab {
  chain input {
    type filter hook input priority 0
    ip6 daddr ff02::1 icmpv6 type nd-neighbor-advert drop
  }
}
`

t.test('RFC 4861 section 7.2.6: one neighbour is told alone', { skip: noNamespaces || noFilter }, async t => {
  const segment = await Segment.create({ client: { 'net.ipv4.conf.eth0.drop_gratuitous_arp': 1 } })
  t.teardown(() => segment[Symbol.asyncDispose]())
  const [one, two] = await Promise.all([segment.node('node-1', 11), segment.node('node-2', 12)])
  await segment.client.exec(['nft', '-f', '-'], { input: DEAF })
  await one.own(BOTH)
  await segment.learn(BOTH, one.mac)
  await one.die()
  await two.own(BOTH)
  await two.announced(V4, 10)
  await two.announced(V6, 5)
  for (const address of BOTH)
    t.equal((await segment.neighbor(address))?.mac, one.mac, `${address}: a whole burst changes nothing`)

  const { mac } = segment.self
  const refresh = (address: string): AgentCommand => ({
    refresh: { address, interface: 'eth0', mac, ip: address === V4 ? '10.10.0.100' : 'fd00:10::100' },
  })
  for (const address of BOTH) {
    two.send(refresh(address))
    t.comment(`${address} moved after ${(await segment.moved(address, two.mac)).toFixed(0)} ms`)
    const state = (await segment.neighbor(address))?.state
    t.equal(state, address === V4 ? 'REACHABLE' : 'STALE', 'a reply to it alone proves that we are there, S=0 does not')
    segment.poke(address)
  }
  await segment.learn(BOTH, two.mac)

  await t.test('not for what is not ours', async t => {
    await two.own([V4])
    const before = await two.counted(V4)
    two.send(refresh(V6))
    two.send({ refresh: { address: V4, interface: 'eth7', mac, ip: '10.10.0.100' } })
    t.same(await two.counted(V4), before)
    t.notOk(two.agent.lines.some(line => line.startsWith('{"error"')))
  })

  await faultless(t, { segment, macs: [two.mac], owned: BOTH })
  await t.test('to its MAC address', { skip: lacks('tshark') }, async t => {
    const alone = `eth.src == ${two.mac} && eth.dst == ${mac}`
    const { file } = segment.capture
    const arp = await dissect(file, `${alone} && arp.src.proto_ipv4 == ${V4}`, ['arp.opcode', 'arp.dst.proto_ipv4'])
    t.match(arp, [{ 'arp.opcode': '2', 'arp.dst.proto_ipv4': '10.10.0.100' }])
    const ndp = await dissect(file, `${alone} && icmpv6.nd.na.target_address == ${V6} && icmpv6.nd.na.flag.s == 0`, [
      'ipv6.dst',
      'icmpv6.nd.na.flag.o',
    ])
    t.match(ndp, [{ 'ipv6.dst': 'fd00:10::100' }])
    t.equal(ndp.length, 1)
  })
})

t.test('an address is announced again and again', { skip: noNamespaces }, async t => {
  const segment = await Segment.create({ client: { 'net.ipv4.conf.eth0.arp_accept': 1 } })
  t.teardown(() => segment[Symbol.asyncDispose]())
  const node = await segment.node('node-1', 11, { layer2: { refreshInterval: 1000 } })
  await node.own(BOTH)
  // More than the burst has.
  await node.announced(V4, 14)
  await node.announced(V6, 7)

  await t.test('a client that has been misled is put right without asking', async t => {
    const wrong = '02:74:6d:ff:00:09'
    await segment.client.namespace.ip(
      BOTH.map(address => `neighbour replace ${address} dev eth0 lladdr ${wrong} nud stale`),
    )
    for (const address of BOTH)
      t.comment(`${address} right after ${(await segment.moved(address, node.mac)).toFixed(0)} ms`)
  })

  await t.test('until it is withdrawn', async t => {
    await node.own([V6])
    const { gratuitousSent } = await node.counted(V4)
    const before = await node.counted(V6)
    await node.announced(V6, before.gratuitousSent + 2)
    t.equal((await node.counted(V4)).gratuitousSent, gratuitousSent)
  })

  await faultless(t, { segment, nodes: [node], macs: [node.mac], owned: BOTH })
})
