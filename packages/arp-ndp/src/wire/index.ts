/**
 * Ethernet, ARP, IPv6 and Neighbor Discovery: octets to values and back, with no clock, no socket and no state.
 * @packageDocumentation
 */
export { WireError, type WireFault } from '../errors.js'
export {
  ARP_LENGTH,
  ArpOperation,
  arpLength,
  decodeArp,
  encodeArp,
  isArpAnnouncement,
  isArpProbe,
  type ArpPacket,
} from './arp.js'
export type { DomainName } from './domain-name.js'
export {
  decodeEthernet,
  encodeEthernet,
  ETHERNET_HEADER_LENGTH,
  ethernetLength,
  EtherType,
  isVlanTag,
  MINIMUM_PAYLOAD,
  writeEthernetHeader,
  type EthernetFrame,
  type VlanTag,
} from './ethernet.js'
export {
  hasValidChecksum,
  ICMPV6_HEADER_LENGTH,
  icmpv6Checksum,
  Icmpv6Type,
  icmpv6Type,
  writeChecksum,
} from './icmpv6.js'
export {
  decodeIpv6,
  encodeIpv6,
  IPV6_HEADER_LENGTH,
  IPV6_LENGTH,
  ipv6Length,
  isLinkLocal,
  isMulticast,
  isUnspecified,
  NEXT_HEADER_ICMPV6,
  type Ipv6Packet,
} from './ipv6.js'
export { BROADCAST_MAC, formatMac, isGroupMac, isStationMac, MAC_LENGTH, parseMac, ZERO_MAC } from './mac.js'
export { ALL_NODES, ALL_ROUTERS, isSolicitedNodeMulticast, multicastMac, solicitedNodeMulticast } from './multicast.js'
export type { Octets } from './octets.js'
export {
  decodeNeighborAdvertisement,
  encodeNeighborAdvertisement,
  neighborAdvertisementLength,
  type NeighborAdvertisement,
} from './ndp/neighbor-advertisement.js'
export {
  decodeNeighborSolicitation,
  encodeNeighborSolicitation,
  neighborSolicitationLength,
  type NeighborSolicitation,
} from './ndp/neighbor-solicitation.js'
export {
  decodeOptions,
  encodeOptions,
  findOption,
  linkLayerAddress,
  optionsLength,
  OptionType,
  type DnsSearchListOption,
  type FlagsExpansionOption,
  type LinkLayerAddressOption,
  type MalformedOption,
  type MtuOption,
  type NdpOption,
  type NonceOption,
  type Pref64Option,
  type PrefixInformationOption,
  type RecursiveDnsServerOption,
  type RedirectedHeaderOption,
  type RouteInformationOption,
  type UnknownOption,
} from './ndp/option/index.js'
export type { RouterPreference } from './ndp/preference.js'
export { decodeRedirect, encodeRedirect, redirectLength, type Redirect } from './ndp/redirect.js'
export {
  decodeRouterAdvertisement,
  encodeRouterAdvertisement,
  routerAdvertisementLength,
  type RouterAdvertisement,
} from './ndp/router-advertisement.js'
export {
  decodeRouterSolicitation,
  encodeRouterSolicitation,
  routerSolicitationLength,
  type RouterSolicitation,
} from './ndp/router-solicitation.js'
export { ndpFault, type NdpFault } from './ndp/validity.js'
