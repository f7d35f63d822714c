/** What Wireshark says of the frames that our nodes have sent. */
import { run } from '@typemetal/lab'
import type { Test } from 'tap'
import type { LabNode } from './interop-node.js'
import { lacks, TOOLS } from './interop-tools.js'
import type { Segment } from './segment.js'

/** Fields of a frame by their names in Wireshark; what a frame has not is empty. */
export type Fields<F extends string> = { readonly [N in F]: string }

const BROADCAST = 'ff:ff:ff:ff:ff:ff'
const NOBODY = '00:00:00:00:00:00'
const ALL_NODES_MAC = '33:33:00:00:00:01'
/** Wireshark's severity from which a finding is a warning. */
const WARNING = '0x00600000'
/** Two owners of one address in one capture: what a failover and a conflict look like, not a fault of a frame. */
const EXPECTED = '!arp.duplicate-address-detected'

const ARP = [
  'frame.number',
  'frame.len',
  'eth.src',
  'eth.dst',
  'eth.padding',
  'arp.hw.type',
  'arp.proto.type',
  'arp.hw.size',
  'arp.proto.size',
  'arp.opcode',
  'arp.src.hw_mac',
  'arp.src.proto_ipv4',
  'arp.dst.hw_mac',
  'arp.dst.proto_ipv4',
] as const
const NDP = [
  'frame.number',
  'frame.len',
  'eth.src',
  'eth.dst',
  'ipv6.tclass',
  'ipv6.flow',
  'ipv6.plen',
  'ipv6.hlim',
  'ipv6.src',
  'ipv6.dst',
  'icmpv6.code',
  'icmpv6.checksum.status',
  'icmpv6.nd.na.flag.r',
  'icmpv6.nd.na.flag.s',
  'icmpv6.nd.na.flag.o',
  'icmpv6.reserved',
  'icmpv6.nd.na.target_address',
  'icmpv6.opt.type',
  'icmpv6.opt.length',
  'icmpv6.opt.linkaddr',
] as const
type ArpFields = Fields<(typeof ARP)[number]>
type NdpFields = Fields<(typeof NDP)[number]>

/** Fields of the frames of a capture that a display filter of Wireshark takes, in their order. */
export async function dissect<F extends string>(
  file: string,
  display: string,
  fields: readonly F[],
): Promise<readonly Fields<F>[]> {
  const how = ['-r', file, '-n', '-Y', display, '-T', 'fields', '-E', 'separator=/t', '-E', 'occurrence=a']
  const { stdout } = await run([TOOLS.tshark ?? 'tshark', ...how, ...fields.flatMap(field => ['-e', field])], {
    timeout: 60_000,
  })
  return stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const values = line.split('\t')
      return Object.fromEntries(fields.map((field, at) => [field, values[at] ?? ''])) as Fields<F>
    })
}

/** What a scenario has put on the LAN. */
export interface Scenario {
  readonly segment: Segment
  /** Those whose counters are whole: every frame they counted must be in the capture, and no other. */
  readonly nodes?: readonly LabNode[]
  /** All MAC addresses that responders have answered with. */
  readonly macs: readonly string[]
  /** The addresses that were owned; frames about others come from the nodes' kernels. */
  readonly owned: readonly string[]
}

/** How many frames of each kind there were. */
export type Census = Readonly<Record<'replies' | 'requests' | 'announcedReplies' | 'solicited' | 'unsolicited', number>>

/**
 * The end of a scenario: stops the capture and has Wireshark dissect it. Not one frame from our nodes may be malformed, or
 * strike it as odd; every one about an owned address is right in every field; and where the counters are whole, what they
 * counted is what was on the wire.
 */
export async function faultless(t: Test, { segment, nodes = [], macs, owned }: Scenario): Promise<void> {
  // A round of a burst between the count and the end of the capture would be in one of them alone.
  await Promise.all(nodes.map(node => node.own([])))
  const counted = await Promise.all(nodes.map(node => node.count()))
  t.equal(await segment.capture.stop(), 0, 'the capture has lost no frame')
  await t.test('tshark dissects every frame of ours', { skip: lacks('tshark') }, async t => {
    const { file } = segment.capture
    const ours = `eth.src in {${macs.join(', ')}}`
    t.same(await faults(file, ours), [], 'nothing is malformed, nothing strikes it as odd')
    const about = new Set(owned)
    const arp = (await dissect(file, `(${ours}) && arp`, ARP)).filter(row => about.has(row['arp.src.proto_ipv4']))
    const ndp = (await dissect(file, `(${ours}) && icmpv6.type == 136`, NDP)).filter(row =>
      about.has(row['icmpv6.nd.na.target_address']),
    )
    t.same(arp.flatMap(arpComplaints), [], 'RFC 826, RFC 5227: every field of ARP')
    t.same(ndp.flatMap(ndpComplaints), [], 'RFC 4861 section 4.4: every field of advertisements')
    t.comment(JSON.stringify(census(arp, ndp)))
    t.ok(arp.length + ndp.length > 0, 'there were some')
    if (counted.length === 0) return
    const total = counted
      .flatMap(({ counters }) => [...counters.values()])
      .reduce((sum, { responsesSent, gratuitousSent }) => sum + responsesSent + gratuitousSent, 0)
    t.equal(arp.length + ndp.length, total, 'as many as the counters say')
  })
}

async function faults(file: string, ours: string): Promise<readonly string[]> {
  const display = `(${ours}) && (_ws.malformed || (_ws.expert.severity >= ${WARNING} && ${EXPECTED}))`
  const rows = await dissect(file, display, ['frame.number', 'frame.protocols', '_ws.expert.message'])
  return rows.map(row => Object.values(row).join(' '))
}

/** Names of the checks that do not hold, with the frame's number. */
const failed = (number: string, checks: Readonly<Record<string, boolean>>): readonly string[] =>
  Object.entries(checks).flatMap(([name, holds]) => (holds ? [] : [`frame ${number}: ${name}`]))

const isGroup = (mac: string): boolean => (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1
/** A unicast one with the same address twice is the reply to another owner's announcement, which asks for what it tells. */
const isAnnouncement = (row: ArpFields): boolean =>
  row['arp.src.proto_ipv4'] === row['arp.dst.proto_ipv4'] && isGroup(row['eth.dst'])

function arpComplaints(row: ArpFields): readonly string[] {
  const target = row['arp.dst.hw_mac']
  const announcement = {
    // RFC 5227 section 2.3 leaves ar$tha zero, in a defence; a gratuitous frame has it as broadcast.
    'an announcement goes to everybody': row['eth.dst'] === BROADCAST && [BROADCAST, NOBODY].includes(target),
    'an announcement is request or reply': ['1', '2'].includes(row['arp.opcode']),
  }
  const reply = {
    'ar$op is 2': row['arp.opcode'] === '2',
    'a reply goes to ar$tha': row['eth.dst'] === target && !isGroup(target),
  }
  return failed(row['frame.number'], {
    '60 octets': row['frame.len'] === '60',
    'padding of 18 zeros': /^(?:00:?){18}$/.test(row['eth.padding']),
    ar$hrd: row['arp.hw.type'] === '1' && row['arp.hw.size'] === '6',
    ar$pro: row['arp.proto.type'] === '0x0800' && row['arp.proto.size'] === '4',
    'ar$sha is the source': row['arp.src.hw_mac'] === row['eth.src'],
    ...(isAnnouncement(row) ? announcement : reply),
  })
}

function ndpComplaints(row: NdpFields): readonly string[] {
  const solicited = row['icmpv6.nd.na.flag.s'] === '1'
  const unsolicited = {
    'S=0, O=1': row['icmpv6.nd.na.flag.s'] === '0' && row['icmpv6.nd.na.flag.o'] === '1',
    // One neighbour alone is told of it when it is to be refreshed.
    'to all nodes or one': isGroup(row['eth.dst'])
      ? row['ipv6.dst'] === 'ff02::1' && row['eth.dst'] === ALL_NODES_MAC
      : !row['ipv6.dst'].startsWith('ff'),
  }
  const answer = {
    'S=1, O=0': row['icmpv6.nd.na.flag.o'] === '0',
    'to one host': !row['ipv6.dst'].startsWith('ff') && !isGroup(row['eth.dst']),
  }
  return failed(row['frame.number'], {
    lengths: row['frame.len'] === '86' && row['ipv6.plen'] === '32',
    'hop limit 255': row['ipv6.hlim'] === '255',
    'traffic class and flow label 0': Number(row['ipv6.tclass']) === 0 && Number(row['ipv6.flow']) === 0,
    'from the link-local address': row['ipv6.src'].startsWith('fe80::'),
    'Code 0, checksum good': row['icmpv6.code'] === '0' && row['icmpv6.checksum.status'] === '1',
    'R=0': row['icmpv6.nd.na.flag.r'] === '0',
    'Reserved is 0': Number(row['icmpv6.reserved']) === 0,
    'one target link-layer address option': row['icmpv6.opt.type'] === '2' && row['icmpv6.opt.length'] === '1',
    'the option has the source': row['icmpv6.opt.linkaddr'] === row['eth.src'],
    ...(solicited ? answer : unsolicited),
  })
}

function census(arp: readonly ArpFields[], ndp: readonly NdpFields[]): Census {
  const announced = arp.filter(isAnnouncement)
  const requests = announced.filter(row => row['arp.opcode'] === '1').length
  const solicited = ndp.filter(row => row['icmpv6.nd.na.flag.s'] === '1').length
  return {
    replies: arp.length - announced.length,
    requests,
    announcedReplies: announced.length - requests,
    solicited,
    unsolicited: ndp.length - solicited,
  }
}
