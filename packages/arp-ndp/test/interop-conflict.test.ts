/** Another host claims an address that we answer for: another Layer2, a kernel, programs that announce. */
import { until } from '@typemetal/lab'
import t, { type Test } from 'tap'
import type { ConflictSeen, LabNode } from './interop-node.js'
import { lacks, noNamespaces, TOOLS } from './interop-tools.js'
import { dissect, faultless } from './interop-wire.js'
import { Segment } from './segment.js'

const V4 = '10.10.0.200'
const V6 = 'fd00:10::200'
const BOTH = [V4, V6]
/** Duplicate Address Detection as a host has it that is not of the lab. */
const DAD = {
  'net.ipv6.conf.eth0.accept_dad': 1,
  'net.ipv6.conf.eth0.dad_transmits': 1,
  'net.ipv6.conf.eth0.ndisc_notify': 1,
}
/** Makes the kernel ask for a neighbour. */
const ASK = `const s = require('dgram').createSocket('udp4'); s.send('x', 9, process.argv[1], () => s.close())`

t.setTimeout(900_000)

/** Waits until a node has told of a conflict. */
const told = (node: LabNode, address: string, mac: string, mark: number): Promise<ConflictSeen> =>
  until(
    `${node.host.name} to tell that ${mac} has ${address}`,
    () => node.conflicts(mark).find(conflict => conflict.address === address && conflict.mac === mac),
    { timeout: 60_000 },
  )

function checkConflict(t: Test, conflict: ConflictSeen): void {
  t.match(conflict, { interface: 'eth0', kind: /^(?:claim|probe)$/ })
  t.ok(conflict.count >= 1)
  t.ok(Math.abs(Date.now() - Date.parse(conflict.since)) < 300_000, `since ${conflict.since}`)
}

t.test('RFC 5227 section 2.4: two Layer2 with one address', { skip: noNamespaces }, async t => {
  const segment = await Segment.create()
  t.teardown(() => segment[Symbol.asyncDispose]())
  const [one, two] = await Promise.all([segment.node('node-1', 11), segment.node('node-2', 12)])

  await t.test('alone there is none, whoever asks', async t => {
    await one.own(BOTH)
    await segment.learn(BOTH, one.mac)
    for (const address of BOTH) t.same(await segment.owners(address), [one.mac])
    t.same((await one.count()).conflicts, [])
    t.same(one.conflicts(), [])
  })

  await t.test('the second one’s burst is told to the first, naming it', async t => {
    const began = performance.now()
    await two.own(BOTH)
    for (const address of BOTH) {
      checkConflict(t, await told(one, address, two.mac, 0))
      t.comment(`${address}: told ${(performance.now() - began).toFixed(0)} ms after it was set`)
    }
    const { conflicts } = await one.count()
    t.same(
      conflicts.map(({ address, mac }) => `${address} ${mac}`).toSorted(),
      BOTH.map(a => `${a} ${two.mac}`),
    )
  })

  await t.test('the first one’s next burst is told to the second', async t => {
    for (const address of BOTH) one.send({ announce: address })
    for (const address of BOTH) checkConflict(t, await told(two, address, one.mac, 0))
  })

  await t.test('not for each frame: both of a round come within a second', async t => {
    await two.announced(V4, 10)
    await two.announced(V6, 5)
    await until('all to be counted', async () => {
      const { conflicts } = await one.count()
      return Number(conflicts.find(({ address }) => address === V4)?.count) >= 10 || undefined
    })
    const seen = one.conflicts()
    for (const address of BOTH) {
      const counts = seen.filter(conflict => conflict.address === address).map(({ count }) => count)
      if (address === V4) t.ok(counts.length < 10, `${counts.length} events for 10 frames in 5 rounds`)
      t.same(
        counts,
        counts.toSorted((a, b) => a - b),
        'the count goes up',
      )
    }
  })

  await t.test('over when we give the address up', async t => {
    const mark = one.mark
    await one.own([V6])
    const over = await until('the end', () => one.conflictsOver(mark).find(({ address }) => address === V4))
    t.match(over, { mac: two.mac, interface: 'eth0' })
    t.same(
      (await one.count()).conflicts.map(({ address }) => address),
      [V6],
      'the other one goes on',
    )
    await one.host.namespace.ip(['link set eth0 down'])
    t.match(await until('the end', () => one.conflictsOver(mark).find(({ address }) => address === V6)), {
      mac: two.mac,
    })
  })

  await faultless(t, { segment, macs: [one.mac, two.mac], owned: BOTH })
})

t.test('a kernel that has the address', { skip: noNamespaces }, async t => {
  const segment = await Segment.create()
  t.teardown(() => segment[Symbol.asyncDispose]())
  const node = await segment.node('node-1', 11)
  const rival = await segment.lab.host('rival', {
    links: [{ bridge: segment.lan, addresses: ['10.10.0.66/16', 'fd00:10::66/64'] }],
    sysctls: DAD,
  })
  const mac = rival.links.get('eth0')?.mac ?? ''
  await node.own(BOTH)

  await t.test('ARP: its questions from that address are claims', async t => {
    await rival.namespace.ip([`address add ${V4}/32 dev eth0`, `route add 10.10.0.77/32 dev eth0 src ${V4}`])
    await rival.exec([process.execPath, '-e', ASK, '10.10.0.77'])
    const conflict = await told(node, V4, mac, 0)
    t.equal(conflict.kind, 'claim')
    checkConflict(t, conflict)
    await rival.namespace.ip([`address delete ${V4}/32 dev eth0`])
  })

  await t.test('RFC 4862 section 5.4.3: it asks, and has it when nobody defends it', async t => {
    // A round of the burst in the middle of its detection would tell the kernel that it is taken.
    await node.announced(V6, 5)
    await rival.namespace.ip([`address add ${V6}/64 dev eth0`])
    checkConflict(t, await told(node, V6, mac, 0))
    const claim = await until('the claim', () =>
      node.conflicts().find(conflict => conflict.address === V6 && conflict.kind === 'claim'),
    )
    checkConflict(t, claim)
    await rival.namespace.ip([`address delete ${V6}/64 dev eth0`])
  })

  await faultless(t, { segment, macs: [node.mac], owned: BOTH })
})

t.test('programs that announce, and ours that defends', { skip: noNamespaces }, async t => {
  const segment = await Segment.create()
  t.teardown(() => segment[Symbol.asyncDispose]())
  const node = await segment.node('node-1', 11, { layer2: { defend: 'always' } })
  const rival = await segment.lab.host('rival', {
    links: [{ bridge: segment.lan, addresses: ['10.10.0.66/16'] }],
    // It asks for ten seconds, so that we get to answer on a busy machine.
    sysctls: { ...DAD, 'net.ipv6.conf.eth0.dad_transmits': 10 },
  })
  const mac = rival.links.get('eth0')?.mac ?? ''
  await node.own(BOTH)
  await node.announced(V4, 10)
  await node.announced(V6, 5)

  for (const [name, tool, options] of [
    ['a gratuitous request', 'iputilsArping', ['-U']],
    ['a gratuitous reply', 'iputilsArping', ['-A']],
    ['busybox', 'busybox', ['arping', '-U']],
  ] as const) {
    await t.test(`RFC 5227 section 2.4: ${name} is a claim`, { skip: lacks(tool) }, async t => {
      const mark = node.mark
      await rival.namespace.ip([`address add ${V4}/32 dev eth0`])
      await rival.exec([TOOLS[tool] ?? '', ...options, '-I', 'eth0', '-c', '3', '-w', '4', '-s', V4, V4], {
        check: false,
      })
      const conflict = await told(node, V4, mac, mark)
      t.equal(conflict.kind, 'claim')
      await rival.namespace.ip([`address delete ${V4}/32 dev eth0`])
      await segment.learn([V4], node.mac)
    })
  }

  await t.test('RFC 4862 section 5.4.4: a kernel that wants the address learns that it is taken', async t => {
    const mark = node.mark
    await rival.namespace.ip([`address add ${V6}/64 dev eth0`])
    await until('dadfailed', async () => {
      const { stdout } = await rival.exec(['ip', '-6', 'address', 'show', 'dev', 'eth0'])
      return /fd00:10::200\/64 .*dadfailed/.test(stdout) ? true : undefined
    })
    t.equal((await told(node, V6, mac, mark)).kind, 'probe')
    await segment.learn([V6], node.mac)
  })

  await faultless(t, { segment, macs: [node.mac], owned: BOTH })
  await t.test(
    'RFC 5227 section 2.4 (c): announced at once, then not for 10 s',
    { skip: lacks('tshark') || lacks('iputilsArping') },
    async t => {
      const said = await dissect(
        segment.capture.file,
        `arp.isgratuitous && eth.dst == ff:ff:ff:ff:ff:ff && arp.src.proto_ipv4 == ${V4}`,
        ['eth.src', 'frame.time_relative'],
      )
      const first = said.findIndex(row => row['eth.src'] === mac)
      t.ok(first > 0)
      const defences = said.slice(first).filter(row => row['eth.src'] === node.mac)
      t.ok(defences.length >= 1, 'the burst was over: this is a defence')
      const times = defences.map(row => Number(row['frame.time_relative']))
      t.comment(`claimed at ${said[first]?.['frame.time_relative']} s, defended at ${times.join(', ')} s`)
      t.ok(
        times.every((time, i) => i === 0 || time - Number(times[i - 1]) > 5),
        'not more often',
      )
    },
  )
})
