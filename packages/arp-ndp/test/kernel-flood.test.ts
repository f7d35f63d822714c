/** Floods of frames: memory stays as it is, and who asks in the middle of one is answered. */
import { until } from '@typemetal/lab'
import t from 'tap'
import { hexOf, questionFor, sentTo, tagged } from './interop-frames.js'
import { noNamespaces } from './interop-tools.js'
import { faultless } from './interop-wire.js'
import { AGENT, Segment } from './segment.js'
import type { AgentCommand } from './agent.js'

const V4 = '10.10.0.200'
const V6 = 'fd00:10::200'
const BOTH = [V4, V6]
/** Not of the lab, so that the capture is spared. */
const STRANGER = { mac: '02:ff:ff:00:00:01', address: '10.10.0.66' }
const FRAMES = 150_000
/** Octets of growth that are a garbage collector's whim. A frame each would be more than this. */
const WHIM = 48 * 2 ** 20

/** Low octet of ar$op in a frame. */
const ARP_OPERATION = 21
const isEnd = (line: string): boolean => line.startsWith('{"flooded"')

/** ARP replies from ever other MAC addresses, sent to the node alone, so that no client believes them. */
function claims(address: string, to: string): readonly Uint8Array[] {
  return Array.from({ length: 5000 }, (_, i) => {
    const mac = `02:ff:fe:00:${[i >> 8, i & 255].map(octet => octet.toString(16).padStart(2, '0')).join(':')}`
    const frame = sentTo(questionFor('10.10.0.100', { mac, address }), to)
    frame[ARP_OPERATION] = 2
    return frame
  })
}

t.setTimeout(900_000)

t.test('floods', { skip: noNamespaces }, async t => {
  const segment = await Segment.create()
  t.teardown(() => segment[Symbol.asyncDispose]())
  const node = await segment.node('node-1', 11)
  await node.own(BOTH)
  const host = await segment.lab.host('flooder', { links: [{ bridge: segment.lan, mac: '02:ff:ff:00:00:02' }] })
  const flooder = host.spawn([process.execPath, AGENT, 'client'], { name: 'agent' })
  await flooder.waitForLine(line => line.startsWith('{"ready"'), 60_000)
  const flood = async (frames: readonly Uint8Array[], count: number): Promise<{ frames: number; took: number }> => {
    const seen = flooder.lines.length
    const command: AgentCommand = { flood: { interface: 'eth0', frames: frames.map(hexOf), count } }
    flooder.write(JSON.stringify(command))
    const line = await until('the end of the flood', () => flooder.lines.slice(seen).find(isEnd), { timeout: 120_000 })
    return (JSON.parse(line) as { flooded: { frames: number; took: number } }).flooded
  }
  const spoilt = (frame: Uint8Array, at: number): Uint8Array =>
    frame.map((octet, i) => (i === at ? octet ^ 0xff : octet))
  const questions = BOTH.map(address => questionFor(address, STRANGER))
  const others = ['10.10.9.9', 'fd00:10::9:9'].map(address => questionFor(address, STRANGER))
  const [arp = new Uint8Array(), ns = new Uint8Array()] = questions
  const broken = [
    spoilt(ns, 57),
    spoilt(ns, 21),
    spoilt(ns, 79),
    spoilt(arp, 18),
    arp.subarray(0, 30),
    ns.subarray(0, 60),
  ]
  const kinds: readonly (readonly [name: string, frames: readonly Uint8Array[], count: number])[] = [
    ['questions for others', others.map(frame => sentTo(frame, node.mac)), FRAMES],
    ['questions in a VLAN', questions.map(frame => tagged(frame, { tpid: 0x8100, vlanId: 9 })), FRAMES],
    ['wrong checksum, hop limit, option length, hardware type, cut off', broken, FRAMES],
    ['thousands of MAC addresses that claim ours', claims(V4, node.mac), FRAMES],
    // Each is answered, and each answer dissected.
    ['questions for us', questions, FRAMES / 10],
  ]
  // Once around, so that everything is compiled and every buffer made.
  for (const [, frames, count] of kinds) await flood(frames, count / 10)

  for (const [name, frames, count] of kinds) {
    await t.test(name, async t => {
      const before = node.memory
      const flooding = flood(frames, count)
      for (const address of BOTH) t.same(await segment.owners(address), [node.mac], `${address} is answered`)
      const { took } = await flooding
      const grown = node.memory - before
      t.comment(
        `${count} frames, ${Math.round(count / took)} a millisecond; memory ${(grown / 2 ** 20).toFixed(1)} MB more`,
      )
      t.ok(grown < WHIM, `grown by ${grown} octets`)
      await segment.learn(BOTH, node.mac)
    })
  }

  await t.test('RFC 5227 section 2.4: of thousands of claims some are told', async t => {
    const told = node.conflicts()
    t.comment(`${told.length} conflict events`)
    t.ok(told.length > 0)
    t.ok(told.length < 500, 'not each of them')
    t.ok((await node.count()).conflicts.length <= 100)
  })

  await t.test('what was wrong with them is counted, or was dropped by the kernel’s filter', async t => {
    const { counters, statistics } = await node.count()
    for (const address of BOTH) t.ok(Number(counters.get(address)?.requestsReceived) > 0)
    for (const { protocol, drops, receiveDrops, received } of statistics)
      t.comment(`${protocol}: ${received} received, ${receiveDrops} lost, dropped: ${JSON.stringify(drops)}`)
    t.equal(statistics.length, 2)
  })

  await faultless(t, { segment, macs: [node.mac], owned: BOTH })
})
