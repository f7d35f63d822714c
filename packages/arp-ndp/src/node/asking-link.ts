import {
  ETH_P_ARP,
  ETH_P_IPV6,
  InterfaceFlag,
  listLinks,
  type Link,
  type PacketSocketOptions,
} from '@typemetal/sockets'
import { arpRequestsOrClaims, neighborSolicitationsOrAdvertisements } from '@typemetal/sockets/bpf'
import { parseAddress } from '../address.js'
import { Layer2Error } from '../errors.js'
import { isLinkLocal } from '../wire/ipv6.js'
import { formatMac, MAC_LENGTH, parseMac } from '../wire/mac.js'

/** The interface cannot ask: there is none of that name, it is down, without a carrier, or has no MAC or link-local address. */
export class InterfaceError extends Layer2Error {
  override readonly code = 'ERR_L2_INTERFACE'
  override readonly name = 'InterfaceError'
}

/** An interface that can send frames. */
export interface AskingLink {
  readonly link: Link
  /** 6 octets. */
  readonly mac: Uint8Array
}

const hasMac = ({ mac }: Pick<Link, 'mac'>): boolean => mac.length === MAC_LENGTH * 3 - 1

/** @throws {InterfaceError} there is none of that name, it is down, or has no MAC address */
export function askingLink(name: string): AskingLink {
  const link = listLinks().find(link => link.name === name)
  if (link === undefined) throw new InterfaceError(`there is no interface ${name}`)
  if (!link.up) throw new InterfaceError(`${name} is down`)
  if (!hasMac(link)) throw new InterfaceError(`${name} has no MAC address`)
  return { link, mac: parseMac(link.mac) }
}

/** @throws {InterfaceError} it has no carrier: nobody would hear the question */
export function checkCarrier({ name, flags }: Link): void {
  if ((flags & InterfaceFlag.lowerUp) === 0) throw new InterfaceError(`${name} has no carrier`)
}

/** A packet socket that only frames about this one address wake. */
export const questionSocket = (
  { index }: Link,
  address: Uint8Array,
): Pick<PacketSocketOptions, 'interfaceIndex' | 'etherType' | 'filter'> =>
  address.length === 4
    ? { interfaceIndex: index, etherType: ETH_P_ARP, filter: arpRequestsOrClaims([address]) }
    : { interfaceIndex: index, etherType: ETH_P_IPV6, filter: neighborSolicitationsOrAdvertisements([address]) }

/** Whether a MAC address is that of an interface of this host, as they are now. */
export function ownMacTest(): (mac: Uint8Array) => boolean {
  const own = new Set(
    listLinks()
      .filter(hasMac)
      .map(({ mac }) => mac),
  )
  return mac => own.has(formatMac(mac))
}

/** An IPv4 address of the link in the network that `address` belongs to, by the prefix of the link's own. */
export function sameNetworkAddress({ addresses }: Link, address: Uint8Array): Uint8Array | undefined {
  return addresses
    .filter(({ family }) => family === 4)
    .map(({ address: text, prefixLength }) => ({ octets: parseAddress(text).octets, prefixLength }))
    .find(({ octets, prefixLength }) => samePrefix(octets, address, prefixLength))?.octets
}

/**
 * The link-local address that solicitations come from.
 * @throws {InterfaceError} there is none that has passed Duplicate Address Detection
 */
export function linkLocalAddress({ name, addresses }: Link): Uint8Array {
  const linkLocal = addresses
    .filter(({ family, tentative, dadFailed }) => family === 6 && !tentative && !dadFailed)
    .map(({ address: text }) => parseAddress(text).octets)
    .find(isLinkLocal)
  if (linkLocal === undefined) throw new InterfaceError(`${name} has no link-local address`)
  return linkLocal
}

function samePrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  return a.every((octet, i) => ((octet ^ b[i]!) & prefixMask(bits - 8 * i)) === 0)
}

/** Mask of one octet of which the first `bits` belong to the prefix. */
const prefixMask = (bits: number): number => (bits <= 0 ? 0 : (0xff00 >> Math.min(bits, 8)) & 0xff)
