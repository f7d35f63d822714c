import { parseAddress } from '../wire/address.js'
import { viewOf } from '../wire/endian.js'
import { assemble, bpf, type BpfInstruction, type BpfStatement, type LoadSize } from './assembler.js'

// Offsets in an untagged Ethernet frame.
const ETHERTYPE = 12
const ARP_HARDWARE_TYPE = 14
const ARP_PROTOCOL_TYPE = 16
const ARP_LENGTHS = 18
const ARP_OPERATION = 20
const ARP_TARGET_PROTOCOL_ADDRESS = 38
const IPV6_NEXT_HEADER = 20
const IPV6_HOP_LIMIT = 21
const ICMPV6_TYPE_AND_CODE = 54
const NS_TARGET_ADDRESS = 62

const PACKET_OTHERHOST = 3
const DROP = 'drop'
const TABLE = 'table'

/**
 * Only ARP requests for IPv4 over Ethernet (RFC 826), which are for this host or everybody and carry no VLAN tag.
 *
 * @param targets lets through only requests for these IPv4 addresses; all requests when left out. At most 2000.
 * @throws {TypeError} when a target is no IPv4 address
 * @throws {RangeError} when there are too many of them for a BPF program
 */
export function arpRequests(targets?: readonly string[]): readonly BpfInstruction[] {
  return assemble([
    ...onlyForUs(),
    ...expect('half', ETHERTYPE, 0x0806),
    ...expect('half', ARP_HARDWARE_TYPE, 1),
    ...expect('half', ARP_PROTOCOL_TYPE, 0x0800),
    ...expect('half', ARP_LENGTHS, 0x0604),
    ...expect('half', ARP_OPERATION, 1),
    ...acceptTargets(ARP_TARGET_PROTOCOL_ADDRESS, 4, targets),
  ])
}

/**
 * Only neighbour solicitations (RFC 4861 section 4.3) with hop limit 255 and code 0, which are for this host or a group and
 * carry no VLAN tag. Solicitations behind IPv6 extension headers are dropped: no neighbour sends them.
 *
 * @param targets lets through only solicitations for these IPv6 addresses; all when left out. At most 450.
 * @throws {TypeError} when a target is no IPv6 address
 * @throws {RangeError} when there are too many of them for a BPF program
 */
export function neighborSolicitations(targets?: readonly string[]): readonly BpfInstruction[] {
  return assemble([
    ...onlyForUs(),
    ...expect('half', ETHERTYPE, 0x86dd),
    ...expect('byte', IPV6_NEXT_HEADER, 58),
    ...expect('byte', IPV6_HOP_LIMIT, 255),
    ...expect('half', ICMPV6_TYPE_AND_CODE, 135 << 8),
    ...acceptTargets(NS_TARGET_ADDRESS, 16, targets),
  ])
}

/** Drops frames for other hosts (promiscuous mode, foreign VLANs, whose tag the kernel has already taken off) and tagged ones. */
const onlyForUs = (): BpfStatement[] => [
  bpf.loadAncillary('packetType'),
  bpf.jump('equal', PACKET_OTHERHOST, { ifTrue: DROP }),
  bpf.loadAncillary('vlanTagPresent'),
  bpf.jump('equal', 1, { ifTrue: DROP }),
]

const expect = (size: LoadSize, offset: number, value: number): BpfStatement[] => [
  bpf.load(size, offset),
  bpf.jump('equal', value, { ifFalse: DROP }),
]

/** The drop stands before the table, in reach of the checks above it however long the table is. */
function acceptTargets(offset: number, length: 4 | 16, targets: readonly string[] | undefined): BpfStatement[] {
  const table = targets === undefined ? [bpf.accept()] : tableOf(offset, length, targets)
  return [bpf.goto(TABLE), bpf.label(DROP), bpf.drop(), bpf.label(TABLE), ...table]
}

function tableOf(offset: number, length: 4 | 16, targets: readonly string[]): BpfStatement[] {
  // From the end: the last word tells addresses of one network apart, so that most mismatches take one comparison.
  const last = offset + length - 4
  const lines: BpfStatement[] = []
  targets.forEach((target, index) => {
    const next = `after ${index}`
    const view = viewOf(octetsOf(target, length))
    for (let at = length - 4; at >= 0; at -= 4)
      lines.push(bpf.load('word', offset + at), bpf.jump('equal', view.getUint32(at), { ifFalse: next }))
    lines.push(bpf.accept(), bpf.label(next))
  })
  // One word for the whole address stays in the accumulator: once is enough.
  const isReload = (line: BpfStatement): boolean => length === 4 && line.op === 'load'
  return [bpf.load('word', last), ...lines.filter(line => !isReload(line)), bpf.drop()]
}

function octetsOf(target: string, length: 4 | 16): Uint8Array {
  const { octets } = parseAddress(target)
  if (octets.length !== length) throw new TypeError(`not an IPv${length === 4 ? 4 : 6} address: ${target}`)
  return octets
}
