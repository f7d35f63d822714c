import { assemble, bpf, type BpfInstruction, type BpfStatement } from '@typemetal/sockets/bpf'
import { parseAddress } from '../../address.js'

/** Destination port of echo packets, RFC 5881 section 4. */
export const ECHO_PORT = 3785

const UDP = 17
const PACKET_OTHERHOST = 3
const ETHERNET_HEADER = 14
const LEAST_HOPS = 254
const DROP = 'drop'
// Offsets in the frame. Options and extension headers are not expected: neither we nor anybody known sends them.
const Layout = {
  4: { version: 14, value: 0x45, protocol: 23, hops: 22, fragment: 20, source: 26, port: 36 },
  6: { version: 14, value: 0x60, protocol: 20, hops: 21, fragment: undefined, source: 22, port: 56 },
} as const
/** First octet of the header: IPv4 without options, any IPv6. */
const VERSION_MASK = { 4: 0xff, 6: 0xf0 } as const

/** Where the IP packet begins in a frame. */
export const ECHO_PACKET_OFFSET = ETHERNET_HEADER

/** A program for a packet socket that takes only echo packets with these source addresses that came over one hop, or none. */
export function compileEchoFilter(family: 4 | 6, sources: readonly string[]): readonly BpfInstruction[] {
  const { version, value, protocol, hops, fragment, source, port } = Layout[family]
  const table = [...new Set(sources)].flatMap((text, index) =>
    sourceLines(parseAddress(text), source, `source ${index}`),
  )
  return assemble([
    bpf.loadAncillary('packetType'),
    bpf.jump('equal', PACKET_OTHERHOST, { ifTrue: DROP }),
    bpf.load('byte', version),
    bpf.and(VERSION_MASK[family]),
    bpf.jump('equal', value, { ifFalse: DROP }),
    bpf.load('byte', protocol),
    bpf.jump('equal', UDP, { ifFalse: DROP }),
    ...(fragment === undefined ? [] : [bpf.load('half', fragment), bpf.jump('set', 0x3fff, { ifTrue: DROP })]),
    bpf.load('half', port),
    bpf.jump('equal', ECHO_PORT, { ifFalse: DROP }),
    bpf.load('byte', hops),
    bpf.jump('greaterOrEqual', LEAST_HOPS, { ifFalse: DROP }),
    bpf.goto('table'),
    bpf.label(DROP),
    bpf.drop(),
    bpf.label('table'),
    ...table,
    bpf.drop(),
  ])
}

function sourceLines(octets: Uint8Array, at: number, other: string): BpfStatement[] {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length)
  const lines: BpfStatement[] = []
  for (let word = octets.length - 4; word >= 0; word -= 4) {
    lines.push(bpf.load('word', at + word), bpf.jump('equal', view.getUint32(word), { ifFalse: other }))
  }
  return [...lines, bpf.accept(), bpf.label(other)]
}
