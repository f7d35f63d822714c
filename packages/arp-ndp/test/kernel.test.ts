/** The responder against the Linux kernel as a client, in network namespaces of its own. */
import { join } from 'node:path'
import { run, until } from '@typemetal/lab'
import t from 'tap'
import { Segment } from './segment.js'

const has = async (command: string): Promise<boolean> =>
  (await run(['sh', '-c', `command -v ${command}`], { check: false })).code === 0
const NOT_ROOT = process.geteuid?.() !== 0 && 'needs root for network namespaces'
const NO_IP = !(await has('ip')) && 'needs the package iproute2'
const skip = NOT_ROOT || NO_IP
const V4 = '10.10.0.200'
const V6 = 'fd00:10::200'
const ALL = 'all' as const

t.setTimeout(150_000)

t.test('the kernel as a client', { skip, timeout: 120_000 }, async t => {
  const segment = await Segment.create()
  t.teardown(() => segment[Symbol.asyncDispose]())
  const [one, two] = await Promise.all([
    segment.node('node-1', 11, { excludeInterfaces: ['^lo$'] }).then(node => node.ready()),
    segment.node('node-2', 12, { excludeInterfaces: ['^lo$'] }).then(node => node.ready()),
  ])
  const file = join(segment.lab.directory, 'layer2.pcap')
  const capture = await segment.lan.capture(file)

  await t.test('an owned address becomes REACHABLE, another one does not', async t => {
    one.send({ set: [V4, V6].map(address => ({ address, interfaces: ALL })) })
    await one.count()
    for (const address of [V4, V6]) {
      segment.poke(address)
      t.comment(`${address} after ${(await segment.settled(address, 'REACHABLE', one.mac)).toFixed(0)} ms`)
    }
    const others = ['10.10.0.201', 'fd00:10::201']
    for (const address of others) segment.poke(address)
    await Promise.all(others.map(address => segment.settled(address, 'FAILED')))
    const { counters } = await one.count()
    t.match(counters.get(V4), { requestsReceived: 1, responsesSent: 1 })
    t.match(counters.get(V6), { requestsReceived: 1, responsesSent: 1 })
    t.equal(counters.size, 2)
  })

  await t.test('RFC 4861 §7.3.3: the unicast probe of a neighbour that has us is answered', async t => {
    for (const address of [V4, V6]) {
      await segment.client.namespace.ip([`neighbour replace ${address} dev eth0 lladdr ${one.mac} nud probe`])
      await segment.settled(address, 'REACHABLE', one.mac)
    }
    const { counters } = await one.count()
    t.ok(Number(counters.get(V6)?.responsesSent) >= 2)
    t.ok(Number(counters.get(V4)?.responsesSent) >= 2)
  })

  await t.test('resolve: who has it, nobody, and two in conflict', async t => {
    t.same(await segment.owners(V4), [one.mac])
    t.same(await segment.owners(V6), [one.mac])
    t.same(await segment.owners('10.10.0.12'), [two.mac], 'a kernel answers too')
    t.same(await segment.owners('fd00:10::12'), [two.mac])
    t.same(await segment.resolve('10.10.0.201'), [])
    t.same(await segment.resolve('fd00:10::201'), [])
    two.send({
      set: [
        { address: V4, interfaces: ALL },
        { address: V6, interfaces: ['eth0'] },
      ],
    })
    await two.count()
    t.same(await segment.owners(V4, 2), [one.mac, two.mac].toSorted())
    t.same(await segment.owners(V6, 2), [one.mac, two.mac].toSorted())
    two.send({ set: [] })
    await two.count()
    t.same(await segment.owners(V4), [one.mac], 'withdrawn')
    t.same(await segment.owners(V6), [one.mac])
  })

  await t.test('failover: gratuitous frames move the client’s entry without a question of its own', async t => {
    await segment.learn([V4, V6], one.mac)
    one.send({ set: [] })
    two.send({ set: [V4, V6].map(address => ({ address, interfaces: ALL })) })
    for (const address of [V4, V6]) {
      t.comment(`${address} moved after ${(await segment.moved(address, two.mac)).toFixed(0)} ms`)
      await segment.client.namespace.ip([`neighbour change ${address} dev eth0 nud probe`])
      await segment.settled(address, 'REACHABLE', two.mac)
    }
  })

  await t.test('not on other interfaces, not on excluded ones', async t => {
    two.send({ set: [{ address: V4, interfaces: ['eth1'] }] })
    await two.count()
    t.same(await segment.resolve(V4), [])
    two.send({ set: [] })
    const excluded = await (await segment.node('node-3', 13, { excludeInterfaces: ['^eth'] })).ready()
    excluded.send({ set: [{ address: '10.10.0.203', interfaces: ALL }] })
    t.same((await excluded.count()).statistics, [])
    t.same(await segment.resolve('10.10.0.203'), [])
    excluded.send({ close: true })
    t.same(await excluded.agent.exited, { code: 0, signal: null }, 'closing leaves nothing that holds the process')
  })

  await t.test('a MAC change is followed and announced', async t => {
    one.send({ set: [V4, V6].map(address => ({ address, interfaces: ALL })) })
    await one.count()
    await segment.learn([V4, V6], one.mac)
    const mac = '02:74:6d:ff:00:01'
    await one.host.namespace.ip([`link set eth0 address ${mac}`])
    for (const address of [V4, V6]) {
      const took = await segment.moved(address, mac)
      t.comment(`${address} at its new MAC after ${took.toFixed(0)} ms`)
      t.ok(took < 2000, 'far below the 10 s of the poll')
      t.same(await segment.owners(address), [mac])
    }
    await one.host.namespace.ip([`link set eth0 address ${one.mac}`])
    await segment.moved(V4, one.mac)
  })

  await t.test('down and up again: IPv6 groups are joined again, everything is announced', async t => {
    await one.host.namespace.ip(['link set eth0 down'])
    await one.responder('delete', 'arp')
    t.same(await segment.resolve(V4), [])
    const seen = one.agent.lines.length
    await one.host.namespace.ip(['link set eth0 up'])
    await until('both responders', () => (one.agent.lines.length >= seen + 2 ? true : undefined))
    await segment.learn([V4, V6], one.mac)
  })

  await t.test('an interface that is removed and added again', async t => {
    await one.host.namespace.ip(['link delete eth0'])
    const mac = '02:74:6d:ff:00:02'
    await segment.lan.plug(one.host.namespace, 'eth0', mac)
    await one.host.namespace.ip(['link set eth0 up'])
    for (const address of [V4, V6]) {
      t.comment(`${address} after ${(await segment.moved(address, mac)).toFixed(0)} ms`)
      t.same(await segment.owners(address), [mac])
    }
  })

  await t.test('answers while the main thread is busy', async t => {
    two.send({ set: [{ address: '10.10.0.204', interfaces: ALL }] })
    await two.count()
    two.send({ block: 1000 })
    t.same(await segment.owners('10.10.0.204'), [two.mac])
    await two.count()
  })

  await t.test('1,000 IPv6 addresses: all groups joined, any address answered', async t => {
    const set = Array.from({ length: 1000 }, (_, i) => ({ address: `fd00:10::1:${i.toString(16)}`, interfaces: ALL }))
    two.send({ set })
    t.match((await two.count()).statistics, [{ sendDrops: 0 }, { sendDrops: 0 }])
    const { stdout } = await two.host.exec(['ip', '-6', 'maddress', 'show', 'dev', 'eth0'])
    t.equal(stdout.match(/ff02::1:ff01:/g)?.length, 1000)
    t.same(await segment.owners('fd00:10::1:3e7'), [two.mac])
    t.same(await segment.resolve('fd00:10::1:3e8'), [])
  })

  await t.test('arping', { skip: !(await has('arping')) && 'needs the package arping' }, async t => {
    const { stdout } = await segment.client.exec(['arping', '-c', '2', '-i', 'eth0', V4], { check: false })
    t.match(stdout.toLowerCase(), '02:74:6d:ff:00:02')
  })

  await t.test('ndisc6', { skip: !(await has('ndisc6')) && 'needs the package ndisc6' }, async t => {
    // It prints only answers sent from the address it asked for; ours come from the link-local one, as the reference's do.
    const answers = async (): Promise<number> => Number((await one.count()).counters.get(V6)?.responsesSent)
    const before = await answers()
    await segment.client.exec(['ndisc6', '-1', '-r', '1', V6, 'eth0'], { check: false })
    t.equal(await answers(), before + 1)
  })

  await t.test(
    'tshark finds no malformed frame among ours',
    { skip: !(await has('tshark')) && 'needs the package tshark' },
    async t => {
      await capture.stop()
      const tshark = async (filter: string): Promise<string[]> => {
        const { stdout } = await run([
          'tshark',
          '-r',
          file,
          '-Y',
          filter,
          '-T',
          'fields',
          '-e',
          'frame.number',
          '-e',
          '_ws.col.Info',
        ])
        return stdout.split('\n').filter(Boolean)
      }
      const ours = `eth.src == ${one.mac} || eth.src == ${two.mac} || eth.src[0:4] == 02:74:6d:ff`
      t.same(await tshark(`(${ours}) && (_ws.malformed || icmpv6.checksum.status == 0)`), [])
      t.ok((await tshark('arp.opcode == 2 && arp.isgratuitous')).length > 0, 'it saw gratuitous replies')
      t.ok((await tshark('arp.opcode == 1 && arp.isgratuitous')).length > 0, 'and requests')
      t.ok(
        (await tshark(`icmpv6.type == 136 && icmpv6.nd.na.flag.s == 0 && ipv6.dst == ff02::1`)).length > 0,
        'unsolicited',
      )
      t.ok(
        (await tshark(`icmpv6.type == 136 && icmpv6.nd.na.target_address == ${V6} && icmpv6.nd.na.flag.s == 1`))
          .length > 0,
      )
    },
  )
})

t.test(
  'without CAP_NET_RAW',
  { skip: skip || (!(await has('setpriv')) && 'needs setpriv of the package util-linux') },
  async t => {
    await using segment = await Segment.create()
    const node = await segment.node('node-1', 11, {}, ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw'])
    const line = await node.agent.waitForLine(line => line.startsWith('{"failed"'))
    t.match(JSON.parse(line), { failed: 'EPERM', message: /CAP_NET_RAW/ })
    t.match(await node.agent.exited, { code: 1 })
  },
)
