import { flag, optional, text, type Kinds } from '@typemetal/options'
import { canonicalAddress, formatAddress, isHost, isLinkLocal, parseAddress } from '../../address.js'

/** Which session is meant: sessions for which all of this is the same are one on the wire. */
export interface SessionEndpoint {
  /** The remote system's address, IPv4 or IPv6; a link-local one with its zone (`fe80::1%eth0`) or with {@link interface}. */
  readonly address: string
  /** Our address; where it is left out the kernel chooses. It may come into being later. */
  readonly localAddress?: string
  /**
   * Interface of a single-hop session; it may come into being later. Where it is left out it is the one in whose network the
   * remote system is.
   */
  readonly interface?: string
  /** VRF, or another device that the sockets are bound to. */
  readonly device?: string
  /** Whether routers may be between the systems (RFC 5883). @default false */
  readonly multihop?: boolean
}

/** A {@link SessionEndpoint} in canonical form. */
export interface Endpoint {
  readonly family: 4 | 6
  /** Without zone. */
  readonly address: string
  readonly localAddress: string | undefined
  readonly interface: string | undefined
  readonly device: string | undefined
  readonly multihop: boolean
  /** The same for the same session, and only then. */
  readonly key: string
}

const LONGEST_NAME = 15

/** What each field of a {@link SessionEndpoint} has to be. */
export const ENDPOINT_KINDS: Kinds<SessionEndpoint> = {
  address: text,
  localAddress: optional(text),
  interface: optional(text),
  device: optional(text),
  multihop: optional(flag),
}

/** @throws {RangeError} an option has no meaning, or does not fit the others; the message begins with its name */
export function checkEndpoint(options: SessionEndpoint): Endpoint {
  const { device, multihop = false } = options
  const { address, zone } = checkAddress('address', options.address)
  const local = options.localAddress === undefined ? undefined : checkAddress('localAddress', options.localAddress)
  const family = familyOf(address)
  if (local !== undefined && familyOf(local.address) !== family) {
    throw new RangeError(`localAddress must be of the family of ${address}, not ${local.address}`)
  }
  const name = oneInterface(options.interface, zone, local?.zone)
  checkName('interface', name)
  checkName('device', device)
  if (multihop && name !== undefined)
    throw new RangeError(`interface must be left out of a multihop session, not ${name}`)
  if (isLinkLocal(address) && name === undefined) {
    throw new RangeError(`interface must be given for ${address}, which is link-local`)
  }
  const localAddress = local?.address
  const key = [address, localAddress ?? '', name ?? '', device ?? '', multihop ? 'multihop' : 'single-hop'].join(' ')
  return { family, address, localAddress, interface: name, device, multihop, key }
}

const familyOf = (address: string): 4 | 6 => (address.includes(':') ? 6 : 4)

function checkAddress(option: string, given: string): { address: string; zone: string | undefined } {
  const [bare = '', zone] = given.split('%', 2)
  try {
    const address = canonicalAddress(bare)
    if (isHost(parseAddress(address))) return { address, zone }
  } catch (cause) {
    throw new RangeError(`${option} must be an IP address, not ${given}`, { cause })
  }
  throw new RangeError(`${option} must be the address of a host, not ${given}`)
}

function oneInterface(given: string | undefined, ...zones: readonly (string | undefined)[]): string | undefined {
  const names = new Set([given, ...zones].filter(name => name !== undefined))
  if (names.size > 1) throw new RangeError(`interface must be one, not ${[...names].join(' and ')}`)
  const [name] = names
  return name
}

function checkName(option: string, name: string | undefined): void {
  if (name === undefined || (name.length > 0 && name.length <= LONGEST_NAME && !/[\s/]/.test(name))) return
  throw new RangeError(`${option} must be the name of an interface, not ${JSON.stringify(name)}`)
}

/** An interface with its addresses, as far as this matters to sessions. */
export interface EndpointLink {
  readonly index: number
  readonly name: string
  readonly up: boolean
  readonly addresses: readonly {
    readonly address: string
    readonly prefixLength: number
    readonly tentative: boolean
  }[]
}

/** Index of the interface that packets of a session must come in by; 0: any; -1: it is not there. */
export function interfaceOf(endpoint: Endpoint, links: readonly EndpointLink[]): number {
  if (endpoint.interface !== undefined) return links.find(({ name }) => name === endpoint.interface)?.index ?? -1
  if (endpoint.multihop) return 0
  const remote = parseAddress(endpoint.address)
  let longest = -1
  let found = 0
  for (const { index, addresses } of links) {
    for (const { address, prefixLength } of addresses) {
      if (prefixLength < longest || !isWithin(remote, parseAddress(address), prefixLength)) continue
      // Two interfaces in the same network: the routing table says which one, and may change its mind.
      found = prefixLength === longest && found !== index ? 0 : index
      longest = prefixLength
    }
  }
  return found
}

/** The address that our echo packets come from and go to: one that the remote system knows a way to. */
export function echoAddressOf(endpoint: Endpoint, links: readonly EndpointLink[]): string | undefined {
  if (isLinkLocal(endpoint.address)) return undefined // no router forwards such a packet
  if (endpoint.localAddress !== undefined) return endpoint.localAddress
  const remote = parseAddress(endpoint.address)
  const index = interfaceOf(endpoint, links)
  const addresses = links.find(link => link.index === index)?.addresses ?? []
  const fitting = addresses.filter(({ address, prefixLength, tentative }) => {
    return !tentative && !isLinkLocal(address) && isWithin(remote, parseAddress(address), prefixLength)
  })
  return fitting[0] === undefined ? undefined : formatAddress(parseAddress(fitting[0].address))
}

function isWithin(address: Uint8Array, network: Uint8Array, prefixLength: number): boolean {
  if (address.length !== network.length) return false
  const whole = prefixLength >> 3
  for (let at = 0; at < whole; at++) if (address[at] !== network[at]) return false
  const mask = 0xff00 >> (prefixLength & 7)
  return (((address[whole] ?? 0) ^ (network[whole] ?? 0)) & mask & 0xff) === 0
}
