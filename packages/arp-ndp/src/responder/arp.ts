import { ArpOperation, ARP_LENGTH, decodeArp, encodeArp } from '../wire/arp.js'
import {
  ETHERNET_HEADER_LENGTH,
  EtherType,
  MINIMUM_PAYLOAD,
  writeEthernetHeader,
  type EthernetFrame,
} from '../wire/ethernet.js'
import { BROADCAST_MAC, isStationMac } from '../wire/mac.js'
import { sameOctets } from '../wire/octets.js'
import { isSelected, type OwnedAddresses } from './owned-addresses.js'
import type { Verdict } from './verdict.js'

/** Octets of an Ethernet frame with an ARP packet, padded, without Frame Check Sequence. */
const FRAME_LENGTH = ETHERNET_HEADER_LENGTH + MINIMUM_PAYLOAD

/** Who answers: one interface. */
export interface ArpIdentity {
  /** Name that {@link OwnedAddress.interfaces} is matched with. */
  readonly interface: string
  /** 6 octets. */
  readonly mac: Uint8Array
}

/** An untagged Ethernet frame with an ARP packet for IPv4, padded to the minimum; MACs of 6, addresses of 4 octets. */
export function arpFrame(
  operation: ArpOperation,
  destination: Uint8Array,
  sender: { readonly mac: Uint8Array; readonly address: Uint8Array },
  target: { readonly mac: Uint8Array; readonly address: Uint8Array },
): Uint8Array {
  const frame = new Uint8Array(FRAME_LENGTH)
  writeEthernetHeader(frame, destination, sender.mac, EtherType.ARP)
  const packet = {
    operation,
    senderHardwareAddress: sender.mac,
    senderProtocolAddress: sender.address,
    targetHardwareAddress: target.mac,
    targetProtocolAddress: target.address,
  }
  encodeArp(packet, frame.subarray(ETHERNET_HEADER_LENGTH, ETHERNET_HEADER_LENGTH + ARP_LENGTH))
  return frame
}

/**
 * Decides about one ARP frame. Probes from 0.0.0.0 are answered (RFC 5227 §2.1.1: the address is in use).
 * @throws {WireError} the packet cannot be decoded
 */
export function answerArp(frame: EthernetFrame, me: ArpIdentity, table: OwnedAddresses): Verdict {
  const request = decodeArp(frame.payload)
  if (request.operation !== ArpOperation.Request) return 'not-a-request'
  if (!sameOctets(frame.destination, BROADCAST_MAC) && !sameOctets(frame.destination, me.mac)) return 'not-for-us'
  const requester = request.senderHardwareAddress
  if (sameOctets(frame.source, me.mac) || sameOctets(requester, me.mac)) return 'own-frame'
  if (!isStationMac(requester)) return 'bad-sender'
  const owned = table.find(request.targetProtocolAddress)
  if (owned === undefined) return 'not-owned'
  if (!isSelected(owned, me.interface)) return 'interface-not-selected'
  return {
    // To the requester that the packet names, which behind a bridge or proxy is not the frame's source.
    frame: arpFrame(
      ArpOperation.Reply,
      requester,
      { mac: me.mac, address: owned.octets },
      { mac: requester, address: request.senderProtocolAddress },
    ),
    owned,
  }
}

/**
 * The two broadcast frames that tell every neighbour where an address is: first a request (RFC 5227 §3), then a reply,
 * because some systems learn from only one of them. In both the target hardware address is broadcast, as MetalLB has it.
 * @param mac 6 octets, the new owner
 * @param address 4 octets
 */
export function gratuitousArp(mac: Uint8Array, address: Uint8Array): readonly [request: Uint8Array, reply: Uint8Array] {
  const sender = { mac, address }
  const target = { mac: BROADCAST_MAC, address }
  return [
    arpFrame(ArpOperation.Request, BROADCAST_MAC, sender, target),
    arpFrame(ArpOperation.Reply, BROADCAST_MAC, sender, target),
  ]
}

/**
 * A broadcast question who has an address. From 0.0.0.0 it is an ARP Probe (RFC 5227 §2.1.1), which changes nobody's table.
 * @param mac 6 octets, where answers go
 * @param source 4 octets
 * @param address 4 octets
 */
export function arpRequest(mac: Uint8Array, source: Uint8Array, address: Uint8Array): Uint8Array {
  const target = { mac: new Uint8Array(mac.length), address }
  return arpFrame(ArpOperation.Request, BROADCAST_MAC, { mac, address: source }, target)
}
