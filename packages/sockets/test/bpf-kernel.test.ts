/** Named programs in the real kernel: what the interpreter lets through, the kernel lets through, and nothing else. */
import { accessSync, constants, writeFileSync } from 'node:fs'
import t from 'tap'
import { ETH_P_ALL, listLinks, PacketSocket } from '@typemetal/sockets'
import {
  arpRequests,
  arpRequestsOrClaims,
  neighborSolicitations,
  neighborSolicitationsOrAdvertisements,
  type BpfInstruction,
} from '@typemetal/sockets/bpf'
import { run } from './bpf-interpreter.js'
import { arpFrame, ipv4, ipv6, numbers, solicitationFrame } from './frame-samples.js'
import { enterNamespace, indexOf, makePair, until } from './namespace.js'

/** Marks the last frame of a trial: an EtherType for experiments (IEEE 802). */
const LAST = Uint8Array.from({ length: 60 }, (_, i) => [0xff, 0x88, 0xb5][[0, 12, 13].indexOf(i)] ?? 0xff)

/** The same program with a way in for the last frame of a trial, so that a test knows when all others have come. */
const withLast = (program: readonly BpfInstruction[]): BpfInstruction[] => [
  { code: 0x28, jt: 0, jf: 0, k: 12 },
  { code: 0x15, jt: 0, jf: 1, k: 0x88b5 },
  { code: 0x06, jt: 0, jf: 0, k: 0x40000 },
  ...program,
]

/** Nothing: a socket that only sends. */
const NOTHING: readonly BpfInstruction[] = [{ code: 0x06, jt: 0, jf: 0, k: 0 }]

/** An interface that sends frames, and one that gets them through a program. */
async function testPrograms(): Promise<void> {
  makePair('va', 'vb')
  const [va, vb] = [indexOf(listLinks(), 'va'), indexOf(listLinks(), 'vb')]

  /** What comes through the program. */
  async function passed(program: readonly BpfInstruction[], frames: readonly Uint8Array[]): Promise<string[]> {
    const received: string[] = []
    let over = false
    using receiver = new PacketSocket({
      interfaceIndex: vb,
      etherType: ETH_P_ALL,
      filter: withLast(program),
      receiveBuffer: 16_000_000,
      onFrames(batch) {
        for (const frame of batch) {
          if (frame[12] === 0x88) over = true
          else received.push(hex(frame))
        }
      },
    })
    using sender = new PacketSocket({ interfaceIndex: va, etherType: ETH_P_ALL, filter: NOTHING, onFrames: () => {} })
    for (let sent = 0; sent < frames.length;) {
      sent += sender.sendBatch(frames.slice(sent, sent + 256))
      await new Promise(resolve => setImmediate(resolve))
    }
    sender.send(LAST)
    await until(() => over)
    if (receiver.statistics().drops > 0) throw new Error('the receive buffer was too small')
    return received
  }

  const values = numbers(4000, 1)
  const arp = values.map((value, i) => {
    const [one, other] = [value, values[(7 * i) % values.length]!].map(word => ipv4(word).join('.'))
    return arpFrame(one!, 1 + (i % 3), i % 4 === 0 ? '0.0.0.0' : other)
  })
  const addresses = values.map((value, i) => ipv6(0x2001_0db8, i % 3, values[(5 * i) % values.length]!, value))
  const ndp = addresses.map((address, i) =>
    solicitationFrame(address, { type: 133 + (i % 5), hopLimit: 255 - (i % 7 ? 0 : 1) }),
  )
  const some = (count: number): readonly number[] => values.slice(0, count)

  await t.test(
    'net.core.optmem_max: the longest programs replace each other; short ones where Linux before 6.8 had less',
    async t => {
      using socket = new PacketSocket({ interfaceIndex: vb, etherType: ETH_P_ALL, filter: NOTHING, onFrames: () => {} })
      // Values with the highest bit set take the kernel one instruction more each.
      const high = values.map(value => ipv4((value | 0x8000_0000) >>> 0))
      for (const targets of [high, high.slice(1000), high.slice(500)]) socket.setFilter(arpRequestsOrClaims(targets))
      const setting = '/proc/sys/net/core/optmem_max'
      if (!accessible(setting)) return t.comment(`${setting} cannot be set in a namespace here`)
      writeFileSync(setting, '20480')
      t.teardown(() => writeFileSync(setting, '131072'))
      using small = new PacketSocket({ interfaceIndex: vb, etherType: ETH_P_ALL, filter: NOTHING, onFrames: () => {} })
      t.throws(() => small.setFilter(arpRequestsOrClaims(high)), { code: 'ENOMEM' })
      const short = { instructions: 400 }
      for (const targets of [high, high.slice(1000)]) small.setFilter(arpRequestsOrClaims(targets, short))
      for (const targets of [addresses, addresses.slice(1000)]) small.setFilter(neighborSolicitations(targets, short))
      return undefined
    },
  )

  for (const [name, program, frames] of [
    ['all requests', arpRequests(), arp],
    ['requests for 500', arpRequests(some(500).map(ipv4)), arp],
    ['requests for 1400, as many as are exact', arpRequests(some(1400).map(ipv4)), arp],
    ['requests in all the space there is', arpRequests(some(3000).map(ipv4), { instructions: 4000 }), arp],
    ['requests or claims', arpRequestsOrClaims(), [...arp, ...ndp]],
    ['requests or claims of 1', arpRequestsOrClaims(some(1).map(ipv4)), arp],
    ['requests or claims of 700, as many as are exact', arpRequestsOrClaims(some(700).map(ipv4)), arp],
    ['requests or claims of 3000', arpRequestsOrClaims(some(3000).map(ipv4)), arp],
    ['all solicitations', neighborSolicitations(), ndp],
    ['solicitations for 300', neighborSolicitations(addresses.slice(0, 300)), ndp],
    ['solicitations or advertisements', neighborSolicitationsOrAdvertisements(), ndp],
    ['solicitations or advertisements of 300', neighborSolicitationsOrAdvertisements(addresses.slice(0, 300)), ndp],
    ['solicitations or advertisements of 3000', neighborSolicitationsOrAdvertisements(addresses.slice(0, 3000)), ndp],
  ] as const) {
    await t.test(`the kernel: ${name}`, async t => {
      const wanted = frames.filter(frame => run(program, frame) > 0)
      t.ok(wanted.length > 0 && wanted.length < frames.length, `${wanted.length} of ${frames.length}`)
      t.same(await passed(program, frames), wanted.map(hex), `${program.length} instructions`)
    })
  }
}

function accessible(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex')

if (await enterNamespace(import.meta.url)) await testPrograms()
