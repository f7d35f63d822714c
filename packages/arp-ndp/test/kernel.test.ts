/** The responder against the Linux kernel as a client, in network namespaces of its own: reachability, probes, failover. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '@typemetal/lab'
import t from 'tap'
import { lacks, noNamespaces } from './interop-tools.js'
import { dissect, faultless } from './interop-wire.js'
import { Segment } from './segment.js'

const V4 = '10.10.0.200'
const V6 = 'fd00:10::200'
const BOTH = [V4, V6]
/**
 * Entries grow old within 2.5 to 7.5 seconds, and are probed two seconds after they are used again: that must be the shorter
 * time, for a probe counts as use.
 */
const IMPATIENT = {
  'net.ipv4.neigh.eth0.base_reachable_time_ms': 5000,
  'net.ipv4.neigh.eth0.delay_first_probe_time': 2,
  'net.ipv6.neigh.eth0.base_reachable_time_ms': 5000,
  'net.ipv6.neigh.eth0.delay_first_probe_time': 2,
}

t.setTimeout(900_000)

t.test('the kernel as a client', { skip: noNamespaces }, async t => {
  const segment = await Segment.create()
  t.teardown(() => segment[Symbol.asyncDispose]())
  const [one, two] = await Promise.all([segment.node('node-1', 11), segment.node('node-2', 12)])

  await t.test('RFC 826, RFC 4861 section 7.2: owned addresses become REACHABLE, others do not', async t => {
    await one.own(BOTH)
    for (const address of BOTH) {
      segment.poke(address)
      t.comment(`${address} after ${(await segment.settled(address, 'REACHABLE', one.mac)).toFixed(0)} ms`)
    }
    const others = ['10.10.0.201', 'fd00:10::201']
    segment.poke(...others)
    await Promise.all(others.map(address => segment.settled(address, 'FAILED')))
    const { counters } = await one.count()
    // A kernel that has to wait asks again.
    for (const address of BOTH) {
      const { requestsReceived, responsesSent } = await one.counted(address)
      t.ok(requestsReceived >= 1)
      t.equal(responsesSent, requestsReceived, 'each question is answered once')
    }
    t.equal(counters.size, 2)
  })

  await t.test('RFC 4861 section 7.3.3: the unicast probe of a neighbour that has us is answered', async t => {
    for (const address of BOTH) {
      const before = await one.counted(address)
      await segment.client.namespace.ip([`neighbour replace ${address} dev eth0 lladdr ${one.mac} nud probe`])
      await segment.settled(address, 'REACHABLE', one.mac)
      t.ok((await one.counted(address)).responsesSent > before.responsesSent, address)
    }
  })

  await t.test('resolve: who has it, nobody, and two in conflict', async t => {
    t.same(await segment.owners(V4), [one.mac])
    t.same(await segment.owners(V6), [one.mac])
    t.same(await segment.owners('10.10.0.12'), [two.mac], 'a kernel answers too')
    t.same(await segment.owners('fd00:10::12'), [two.mac])
    t.same(await segment.resolve('10.10.0.201'), [])
    t.same(await segment.resolve('fd00:10::201'), [])
    await two.own([V4])
    t.same(await segment.owners(V4, 2), [one.mac, two.mac].toSorted())
    await two.own([V6], ['eth0'])
    t.same(await segment.owners(V6, 2), [one.mac, two.mac].toSorted())
    await two.own([])
    t.same(await segment.owners(V4), [one.mac], 'withdrawn')
    t.same(await segment.owners(V6), [one.mac])
  })

  await t.test('failover: gratuitous frames move the client’s entry without a question of its own', async t => {
    await segment.learn(BOTH, one.mac)
    await one.own([])
    two.send({ set: BOTH.map(address => ({ address, interfaces: 'all' })) })
    for (const address of BOTH) {
      t.comment(`${address} moved after ${(await segment.moved(address, two.mac)).toFixed(0)} ms`)
      t.equal((await segment.neighbor(address))?.state, 'STALE', 'RFC 4861 section 7.2.5: not known to be reachable')
      await segment.client.namespace.ip([`neighbour change ${address} dev eth0 nud probe`])
      await segment.settled(address, 'REACHABLE', two.mac)
    }
  })

  await t.test('not on other interfaces, not on excluded ones', async t => {
    await two.own(BOTH, ['eth1'])
    for (const address of BOTH) t.same(await segment.resolve(address), [])
    await two.own([])
    const excluded = await segment.node('node-3', 13, { layer2: { excludeInterfaces: ['^eth'] } })
    await excluded.own(['10.10.0.203', 'fd00:10::203'])
    t.same((await excluded.count()).statistics, [])
    for (const address of ['10.10.0.203', 'fd00:10::203']) t.same(await segment.resolve(address), [])
    excluded.send({ close: true })
    t.same(await excluded.agent.exited, { code: 0, signal: null }, 'closing leaves nothing that holds the process')
  })

  await t.test('the worker answers while the main thread is busy', async t => {
    const addresses = ['10.10.0.204', 'fd00:10::204']
    await two.own(addresses)
    const mark = two.mark
    const file = join(segment.lab.directory, 'busy')
    writeFileSync(file, '')
    two.send({ blockBy: file })
    await two.said('that it is busy', line => line.startsWith('{"blocking"'), mark)
    for (const address of addresses) t.same(await segment.owners(address), [two.mac], address)
    segment.poke(...addresses)
    for (const address of addresses) await segment.settled(address, 'REACHABLE', two.mac)
    t.notOk(
      two.agent.lines.slice(mark).some(line => line.startsWith('{"blocked"')),
      'all that time it was',
    )
    rmSync(file)
    await two.said('that it is free', line => line.startsWith('{"blocked"'), mark)
  })

  await faultless(t, {
    segment,
    nodes: [one, two],
    macs: [one.mac, two.mac],
    owned: [...BOTH, '10.10.0.204', 'fd00:10::204'],
  })
})

t.test('RFC 4861 section 7.3.2: the life of a neighbour’s entry', { skip: noNamespaces }, async t => {
  const segment = await Segment.create({ client: IMPATIENT })
  t.teardown(() => segment[Symbol.asyncDispose]())
  const node = await segment.node('node-1', 11)
  await node.own(BOTH)
  const monitor = segment.client.spawn(['ip', 'monitor', 'neigh'], { name: 'monitor' })
  const find = (address: string, state: string, from = 0): number =>
    monitor.lines.findIndex(
      (line, at) => at >= from && line.startsWith(`${address} `) && line.trimEnd().endsWith(state),
    )
  await until('the monitor to listen', async () => {
    await segment.client.namespace.ip([
      'neighbour replace 10.10.0.99 dev eth0 lladdr 02:00:00:00:00:99 nud permanent',
      'neighbour delete 10.10.0.99 dev eth0',
    ])
    return monitor.lines.length > 0 || undefined
  })
  const live = async (address: string): Promise<void> => {
    let from = 0
    // As the kernel tells it, for some states do not last until anybody has looked.
    const becomes = async (state: string): Promise<void> => {
      const at = await until(
        `${address} to become ${state}`,
        () => {
          const found = find(address, state, from)
          return found < 0 ? undefined : found
        },
        { timeout: 60_000, interval: 5 },
      )
      from = at + 1
    }
    segment.poke(address)
    await becomes('REACHABLE')
    await becomes('STALE')
    const before = await node.counted(address)
    segment.poke(address)
    await becomes('PROBE')
    await becomes('REACHABLE')
    t.ok(find(address, 'FAILED') < 0, `${address} was never in doubt`)
    t.ok((await node.counted(address)).responsesSent > before.responsesSent, `${address}: the probe was answered`)
  }
  await Promise.all(BOTH.map(live))
  await faultless(t, { segment, nodes: [node], macs: [node.mac], owned: BOTH })
  await t.test('what the client’s kernel asked', { skip: lacks('tshark') }, async t => {
    const unicast = `eth.src == ${segment.self.mac} && eth.dst == ${node.mac}`
    const { file } = segment.capture
    t.ok((await dissect(file, `${unicast} && arp.opcode == 1`, ['frame.number'])).length > 0, 'ARP, to the owner alone')
    const [solicitation] = await dissect(file, `${unicast} && icmpv6.type == 135`, ['ipv6.dst', 'icmpv6.opt.type'])
    t.same(solicitation, { 'ipv6.dst': V6, 'icmpv6.opt.type': '1' }, 'NDP, likewise')
  })
})
