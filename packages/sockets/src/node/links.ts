import { decodeInterfaceAddress, encodeAddressRequest, type AddressMessage } from '../wire/address-message.js'
import { decodeLink, encodeLinkRequest, InterfaceFlag, type LinkMessage } from '../wire/link-message.js'
import { NetlinkType } from '../wire/netlink.js'
import { NetlinkSocket } from './netlink.js'

/** An address of an interface. */
export type LinkAddress = Omit<AddressMessage, 'interfaceIndex'>

/** A network interface of this network namespace with its addresses. */
export interface Link extends LinkMessage {
  /** Whether it is administratively up (IFF_UP); {@link LinkMessage.operstate} says whether it carries traffic. */
  readonly up: boolean
  /** Whether it has a broadcast address: an Ethernet-like link. */
  readonly broadcast: boolean
  /** Whether ARP is off. */
  readonly noarp: boolean
  readonly addresses: readonly LinkAddress[]
}

/**
 * All network interfaces, by index, and their addresses, as the kernel tells them by rtnetlink.
 *
 * @throws {SocketError} when the kernel refuses; `ENOSYS` off Linux
 */
export function listLinks(): readonly Link[] {
  using socket = new NetlinkSocket()
  const links = socket.dump(NetlinkType.getLink, encodeLinkRequest(), decodeLink)
  const addresses = socket.dump(NetlinkType.getAddress, encodeAddressRequest(), decodeInterfaceAddress)
  return joinAddresses(links, addresses)
}

/** Puts each address to its interface. An address whose interface came after the list of interfaces is left out. */
export function joinAddresses(links: readonly LinkMessage[], addresses: readonly AddressMessage[]): readonly Link[] {
  const byIndex = new Map<number, LinkAddress[]>()
  for (const { interfaceIndex, ...address } of addresses) {
    const known = byIndex.get(interfaceIndex)
    if (known) known.push(address)
    else byIndex.set(interfaceIndex, [address])
  }
  return links.map(link => ({
    ...link,
    up: (link.flags & InterfaceFlag.up) !== 0,
    broadcast: (link.flags & InterfaceFlag.broadcast) !== 0,
    noarp: (link.flags & InterfaceFlag.noarp) !== 0,
    addresses: byIndex.get(link.index) ?? [],
  }))
}
