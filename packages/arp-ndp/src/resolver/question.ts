import { ArpOperation, encodeArp } from '../wire/arp.js'
import { encodeEthernet, EtherType } from '../wire/ethernet.js'
import { writeChecksum } from '../wire/icmpv6.js'
import { encodeIpv6, NEXT_HEADER_ICMPV6 } from '../wire/ipv6.js'
import { BROADCAST_MAC, ZERO_MAC } from '../wire/mac.js'
import { multicastMac, solicitedNodeMulticast } from '../wire/multicast.js'
import { encodeNeighborSolicitation } from '../wire/ndp/neighbor-solicitation.js'
import type { NdpOption } from '../wire/ndp/option/index.js'

/** Who asks for which address, and whom. */
export interface Question {
  /** Our MAC address, 6 octets: where answers go. */
  readonly mac: Uint8Array
  /** 4 or 16 octets; zeros ask without telling anybody an address of ours (RFC 5227 §1.1, RFC 4862 §5.4.2). */
  readonly source: Uint8Array
  /** The address in question, as many octets as `source`. */
  readonly address: Uint8Array
  /** MAC address of the one neighbour to ask (RFC 4861 §7.3.3, RFC 1122 §2.3.2.1); everybody when left out. */
  readonly to?: Uint8Array
}

/** RFC 4861 §7.1: so that no router can have forwarded it. */
const HOP_LIMIT = 255

/**
 * An ARP request in its Ethernet frame, padded. From 0.0.0.0 it is an ARP Probe, from the address in question an ARP
 * Announcement (RFC 5227 §1.1); the target hardware address is zeros in all of them.
 * @throws {RangeError} an address of the wrong length
 */
export function arpQuestion({ mac, source, address, to = BROADCAST_MAC }: Question): Uint8Array {
  const payload = encodeArp({
    operation: ArpOperation.Request,
    senderHardwareAddress: mac,
    senderProtocolAddress: source,
    targetHardwareAddress: ZERO_MAC,
    targetProtocolAddress: address,
  })
  return encodeEthernet({ destination: to, source: mac, tags: [], etherType: EtherType.ARP, payload })
}

/**
 * A Neighbor Solicitation in its Ethernet frame: to the solicited-node group (RFC 4861 §7.2.2), or to one neighbour and then to
 * the address itself (§7.3.3).
 * @param options a Source Link-Layer Address, unless `source` is `::` (§4.3)
 * @throws {RangeError} an address of the wrong length
 */
export function neighborQuestion(question: Question, options: readonly NdpOption[]): Uint8Array {
  const { mac, source, address, to } = question
  const destination = to === undefined ? solicitedNodeMulticast(address) : address
  const message = encodeNeighborSolicitation({ targetAddress: address, options })
  writeChecksum(source, destination, message)
  const payload = encodeIpv6({
    trafficClass: 0,
    flowLabel: 0,
    nextHeader: NEXT_HEADER_ICMPV6,
    hopLimit: HOP_LIMIT,
    source,
    destination,
    payload: message,
  })
  return encodeEthernet({
    destination: to ?? multicastMac(destination),
    source: mac,
    tags: [],
    etherType: EtherType.IPv6,
    payload,
  })
}
