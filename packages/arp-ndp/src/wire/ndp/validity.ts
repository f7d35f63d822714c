import { hasValidChecksum, Icmpv6Type } from '../icmpv6.js'
import { isLinkLocal, isMulticast, isUnspecified, NEXT_HEADER_ICMPV6, type Ipv6Packet } from '../ipv6.js'
import { isSolicitedNodeMulticast } from '../multicast.js'
import { sameOctets, type Octets } from '../octets.js'
import { OptionType } from './option/header.js'
import { findOption, optionsFault } from './option/walk.js'

/**
 * Why a Neighbor Discovery message MUST be silently discarded:
 *
 * - `not-ndp`: the packet carries something else; behind a Fragment header too (RFC 6980 §5)
 * - `hop-limit`: not 255, so a router may have forwarded it
 * - `multicast-source`: no packet may come from a group (RFC 4291 §2.7)
 * - `truncated`: shorter than its fixed part, or than an option says
 * - `checksum`: the ICMPv6 checksum is wrong
 * - `code`: the ICMPv6 Code is not 0
 * - `bad-length`: an option of length 0
 * - `source-not-link-local`: a router's message from an address that hosts cannot know the router by
 * - `multicast-target`: the Target Address of a Neighbor Solicitation or Advertisement is multicast
 * - `not-to-solicited-node`: a solicitation from `::` to other than a solicited-node multicast address
 * - `source-link-layer-address`: a solicitation from `::` that has this option all the same
 * - `solicited-to-multicast`: an advertisement to a group that says it answers a solicitation
 * - `multicast-destination`: the Destination Address of a Redirect is multicast
 * - `redirect-target`: the Target Address of a Redirect is neither link-local nor its Destination Address
 */
export type NdpFault =
  | 'not-ndp'
  | 'hop-limit'
  | 'multicast-source'
  | 'truncated'
  | 'checksum'
  | 'code'
  | 'bad-length'
  | 'source-not-link-local'
  | 'multicast-target'
  | 'not-to-solicited-node'
  | 'source-link-layer-address'
  | 'solicited-to-multicast'
  | 'multicast-destination'
  | 'redirect-target'

/** RFC 4861 §7.1: senders set it, receivers check it, so that no router can have forwarded the message. */
const HOP_LIMIT = 255
const TYPE = 0
const CODE = 1
const FLAGS = 4
const SOLICITED = 0x40
const TARGET = 8
/** First octet of a multicast address (RFC 4291 §2.7). */
const MULTICAST = 0xff
const TARGET_END = 24
const REDIRECT_DESTINATION = 24
const REDIRECT_DESTINATION_END = 40

/** Octets before the options, by ICMPv6 type. */
const FIXED_LENGTHS: Readonly<Record<number, Octets>> = {
  [Icmpv6Type.RouterSolicitation]: 8,
  [Icmpv6Type.RouterAdvertisement]: 16,
  [Icmpv6Type.NeighborSolicitation]: 24,
  [Icmpv6Type.NeighborAdvertisement]: 24,
  [Icmpv6Type.Redirect]: 40,
}

/**
 * Checks a Neighbor Discovery message as RFC 4861 has every receiver do it: §6.1.1 Router Solicitation, §6.1.2 Router
 * Advertisement, §7.1.1 Neighbor Solicitation, §7.1.2 Neighbor Advertisement, §8.1 Redirect. One rule of §8.1 is left to those who
 * know the routes: that a Redirect comes from the first hop to its Destination Address. Makes no value and throws nothing.
 * @returns the first rule that is broken; `undefined` for a valid message
 */
export function ndpFault(packet: Ipv6Packet): NdpFault | undefined {
  const { source, destination, payload } = packet
  const fixed = packet.nextHeader === NEXT_HEADER_ICMPV6 ? FIXED_LENGTHS[payload[TYPE] ?? 0] : undefined
  if (fixed === undefined) return 'not-ndp'
  if (packet.hopLimit !== HOP_LIMIT) return 'hop-limit'
  if (isMulticast(source)) return 'multicast-source'
  if (payload.length < fixed) return 'truncated'
  if (!hasValidChecksum(source, destination, payload)) return 'checksum'
  if (payload[CODE] !== 0) return 'code'
  return optionsFault(payload, fixed)?.fault ?? faultOfType(packet)
}

function faultOfType({ source, destination, payload }: Ipv6Packet): NdpFault | undefined {
  switch (payload[TYPE]) {
    case Icmpv6Type.RouterSolicitation:
      return unspecifiedFault(source, payload)
    case Icmpv6Type.RouterAdvertisement:
      return isLinkLocal(source) ? undefined : 'source-not-link-local'
    case Icmpv6Type.NeighborSolicitation:
      return solicitationFault(source, destination, payload)
    case Icmpv6Type.NeighborAdvertisement:
      return advertisementFault(destination, payload)
    default:
      return redirectFault(source, payload)
  }
}

/** From `::` nobody may say where answers go: there is no address to go with. */
function unspecifiedFault(source: Uint8Array, message: Uint8Array): NdpFault | undefined {
  if (!isUnspecified(source)) return undefined
  const options = FIXED_LENGTHS[message[TYPE]!]!
  const found = findOption(message, options, OptionType.SourceLinkLayerAddress)
  return found === undefined ? undefined : 'source-link-layer-address'
}

function solicitationFault(source: Uint8Array, destination: Uint8Array, message: Uint8Array): NdpFault | undefined {
  if (message[TARGET] === MULTICAST) return 'multicast-target'
  if (isUnspecified(source) && !isSolicitedNodeMulticast(destination)) return 'not-to-solicited-node'
  return unspecifiedFault(source, message)
}

function advertisementFault(destination: Uint8Array, message: Uint8Array): NdpFault | undefined {
  if (message[TARGET] === MULTICAST) return 'multicast-target'
  if (isMulticast(destination) && (message[FLAGS]! & SOLICITED) !== 0) return 'solicited-to-multicast'
  return undefined
}

function redirectFault(source: Uint8Array, message: Uint8Array): NdpFault | undefined {
  if (!isLinkLocal(source)) return 'source-not-link-local'
  const target = message.subarray(TARGET, TARGET_END)
  const destination = message.subarray(REDIRECT_DESTINATION, REDIRECT_DESTINATION_END)
  if (isMulticast(destination)) return 'multicast-destination'
  return isLinkLocal(target) || sameOctets(target, destination) ? undefined : 'redirect-target'
}
