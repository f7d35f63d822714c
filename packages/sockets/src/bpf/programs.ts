import { parseAddress } from '../wire/address.js'
import { viewOf } from '../wire/endian.js'
import { AddressSearch } from './address-search.js'
import { assemble, bpf, type BpfInstruction, type BpfStatement, type LoadSize } from './assembler.js'
import { closeGaps, runsOf, type Run } from './runs.js'

/** An address that a program lets through: text, or 4 or 16 octets. */
export type BpfTarget = string | Uint8Array

/** How a program looks its table of addresses up. */
export interface BpfTableOptions {
  /**
   * Instructions that the table may take, 100 to 4000; with fewer, a long table is looked up less exactly. 4096 is the most that
   * the kernel takes in all (BPF_MAXINSNS). What it makes of an instruction takes some 10 to 25 octets of the socket's
   * `net.core.optmem_max`, and for a moment an old filter and the new one take them together: the default leaves room for both in
   * 131,072 octets, the kernel's own default since Linux 6.8. Before it was 20,480: there 400 always fit, where a longer program may
   * fail with `ENOMEM`.
   * @default 3000
   */
  readonly instructions?: number
}

// Offsets in an untagged Ethernet frame.
const ETHERTYPE = 12
const ARP_HARDWARE_TYPE = 14
const ARP_PROTOCOL_TYPE = 16
const ARP_LENGTHS = 18
const ARP_OPERATION = 20
const ARP_SENDER_PROTOCOL_ADDRESS = 28
const ARP_TARGET_PROTOCOL_ADDRESS = 38
const IPV6_NEXT_HEADER = 20
const IPV6_HOP_LIMIT = 21
const ICMPV6_TYPE_AND_CODE = 54
const NDP_TARGET_ADDRESS = 62

const NEIGHBOR_SOLICITATION = 135 << 8
const NEIGHBOR_ADVERTISEMENT = 136 << 8
const PACKET_OTHERHOST = 3
const SPACE = 3000
const LEAST_SPACE = 100
const MOST_SPACE = 4000
/** Instructions a run of addresses takes, with what holds the halves together. */
const RUN = 2.1
const DROP = 'drop'

/**
 * Only ARP requests for IPv4 over Ethernet (RFC 826), which are for this host or everybody and carry no VLAN tag.
 *
 * @param targets lets through only requests for these IPv4 addresses; all requests when left out. Up to 1400 runs of consecutive
 * addresses it is exactly these; of more, those between the nearest of them pass too
 * @throws {TypeError} when a target is no IPv4 address
 * @throws {RangeError} when there are not 100 to 4000 instructions for the table
 */
export function arpRequests(targets?: readonly BpfTarget[], options: BpfTableOptions = {}): readonly BpfInstruction[] {
  const runs = targets && ipv4Runs(targets, spaceOf(options))
  return assemble([
    ...arp(),
    ...expect('half', ARP_OPERATION, 1),
    ...afterChecks(runs ? new AddressSearch('target').word(ARP_TARGET_PROTOCOL_ADDRESS, runs).lines : [bpf.accept()]),
  ])
}

/**
 * Requests for addresses as {@link arpRequests}, and whatever claims one of them: ARP of any operation with that sender protocol
 * address, by which a host with the same address shows itself (RFC 5227 section 2.4).
 *
 * @param targets lets through only what is about these IPv4 addresses; all ARP when left out. Up to 700 runs of consecutive
 * addresses it is exactly these; of more, those between the nearest of them pass too
 * @throws {TypeError} when a target is no IPv4 address
 * @throws {RangeError} when there are not 100 to 4000 instructions for the table
 */
export function arpRequestsOrClaims(
  targets?: readonly BpfTarget[],
  options: BpfTableOptions = {},
): readonly BpfInstruction[] {
  if (targets === undefined) return assemble([...arp(), ...afterChecks([bpf.accept()])])
  const runs = ipv4Runs(targets, spaceOf(options) / 2)
  return assemble([
    ...arp(),
    ...afterChecks([
      bpf.load('half', ARP_OPERATION),
      bpf.jump('equal', 1, { ifTrue: 'request' }),
      bpf.goto('sender'),
      bpf.label('request'),
      ...new AddressSearch('target').word(ARP_TARGET_PROTOCOL_ADDRESS, runs, 'sender').lines,
      bpf.label('sender'),
      ...new AddressSearch('claim').word(ARP_SENDER_PROTOCOL_ADDRESS, runs).lines,
    ]),
  ])
}

/**
 * Only neighbour solicitations (RFC 4861 section 4.3) with hop limit 255 and code 0, which are for this host or a group and
 * carry no VLAN tag. Solicitations behind IPv6 extension headers are dropped: no neighbour sends them.
 *
 * @param targets lets through only solicitations for these IPv6 addresses; all when left out. As long as that fits (300 addresses
 * at random, or any number in a few hundred runs of consecutive ones) it is exactly these; else some more that are like them
 * @throws {TypeError} when a target is no IPv6 address
 * @throws {RangeError} when there are not 100 to 4000 instructions for the table
 */
export function neighborSolicitations(
  targets?: readonly BpfTarget[],
  options: BpfTableOptions = {},
): readonly BpfInstruction[] {
  return assemble([
    ...ndp(),
    ...expect('half', ICMPV6_TYPE_AND_CODE, NEIGHBOR_SOLICITATION),
    ...afterChecks(targets ? searchTarget(targets, spaceOf(options)) : [bpf.accept()]),
  ])
}

/**
 * Solicitations as {@link neighborSolicitations}, Duplicate Address Detection from `::` included, and neighbour advertisements
 * (RFC 4861 section 4.4) for the same addresses, by which another host claims one of them.
 *
 * @param targets lets through only what is about these IPv6 addresses; all solicitations and advertisements when left out. As many
 * as {@link neighborSolicitations}
 * @throws {TypeError} when a target is no IPv6 address
 * @throws {RangeError} when there are not 100 to 4000 instructions for the table
 */
export function neighborSolicitationsOrAdvertisements(
  targets?: readonly BpfTarget[],
  options: BpfTableOptions = {},
): readonly BpfInstruction[] {
  return assemble([
    ...ndp(),
    bpf.load('half', ICMPV6_TYPE_AND_CODE),
    bpf.jump('equal', NEIGHBOR_SOLICITATION, { ifTrue: 'either' }),
    bpf.jump('equal', NEIGHBOR_ADVERTISEMENT, { ifFalse: DROP }),
    bpf.label('either'),
    ...afterChecks(targets ? searchTarget(targets, spaceOf(options)) : [bpf.accept()]),
  ])
}

/** ARP for IPv4 over Ethernet, whatever its operation. */
const arp = (): BpfStatement[] => [
  ...onlyForUs(),
  ...expect('half', ETHERTYPE, 0x0806),
  ...expect('half', ARP_HARDWARE_TYPE, 1),
  ...expect('half', ARP_PROTOCOL_TYPE, 0x0800),
  ...expect('half', ARP_LENGTHS, 0x0604),
]

const ndp = (): BpfStatement[] => [
  ...onlyForUs(),
  ...expect('half', ETHERTYPE, 0x86dd),
  ...expect('byte', IPV6_NEXT_HEADER, 58),
  ...expect('byte', IPV6_HOP_LIMIT, 255),
]

/**
 * Drops frames for other hosts (promiscuous mode, foreign VLANs, whose tag the kernel has already taken off), frames that this host
 * sends, whose packet type is higher still, and tagged ones.
 */
const onlyForUs = (): BpfStatement[] => [
  bpf.loadAncillary('packetType'),
  bpf.jump('greaterOrEqual', PACKET_OTHERHOST, { ifTrue: DROP }),
  bpf.loadAncillary('vlanTagPresent'),
  bpf.jump('equal', 1, { ifTrue: DROP }),
]

const expect = (size: LoadSize, offset: number, value: number): BpfStatement[] => [
  bpf.load(size, offset),
  bpf.jump('equal', value, { ifFalse: DROP }),
]

/** The drop stands before the table, in reach of the checks above it however long the table is. */
const afterChecks = (table: readonly BpfStatement[]): BpfStatement[] => [
  bpf.goto('checked'),
  bpf.label(DROP),
  bpf.drop(),
  bpf.label('checked'),
  ...table,
]

function spaceOf({ instructions = SPACE }: BpfTableOptions): number {
  if (instructions >= LEAST_SPACE && instructions <= MOST_SPACE) return instructions
  throw new RangeError(`instructions ${instructions} are not ${LEAST_SPACE} to ${MOST_SPACE}`)
}

function ipv4Runs(targets: readonly BpfTarget[], space: number): readonly Run[] {
  const values = targets.map(target => viewOf(octetsOf(target, 4)).getUint32(0))
  return closeGaps(runsOf(values), Math.floor(space / RUN))
}

function searchTarget(targets: readonly BpfTarget[], space: number): readonly BpfStatement[] {
  const addresses = targets.map(target => octetsOf(target, 16))
  const exact = new AddressSearch('target').ipv6(NDP_TARGET_ADDRESS, addresses).lines
  if (exact.filter(({ op }) => op !== 'label').length <= space) return exact
  return new AddressSearch('target').ipv6Roughly(NDP_TARGET_ADDRESS, addresses, Math.floor(space / RUN)).lines
}

function octetsOf(target: BpfTarget, length: 4 | 16): Uint8Array {
  const octets = typeof target === 'string' ? parseAddress(target).octets : target
  if (octets.length !== length) throw new TypeError(`not an IPv${length === 4 ? 4 : 6} address: ${String(target)}`)
  return octets
}
