import { Address4, Address6 } from 'ip-address'
import { normalizeAddress } from '../swim/index.js'

/** Whether an address of 4 or 16 octets is allowed. */
export type AllowList = (address: Uint8Array) => boolean

interface Block {
  readonly network: Uint8Array
  readonly prefixLength: number
}

/**
 * Whether addresses lie in one of some blocks, tested octet by octet; an IPv4 address in IPv6 form counts as IPv4.
 *
 * @param cidrs `10.0.0.0/8`, `fd00::/8`
 * @returns `undefined` when none is given and so every address is allowed
 * @throws {RangeError} on a text that is no block
 */
export function allowList(cidrs: readonly string[] | undefined): AllowList | undefined {
  if (cidrs === undefined || cidrs.length === 0) return undefined
  const blocks = cidrs.map(parseBlock)
  return address => {
    const normal = normalizeAddress(address)
    return blocks.some(block => contains(block, normal))
  }
}

function parseBlock(cidr: string): Block {
  if (Address4.isValid(cidr)) {
    const address = new Address4(cidr)
    return { network: Uint8Array.from(address.toArray()), prefixLength: address.subnetMask }
  }
  if (!Address6.isValid(cidr)) throw new RangeError(`not an address block: ${cidr}`)
  const address = new Address6(cidr)
  return { network: Uint8Array.from(address.toUnsignedByteArray()), prefixLength: address.subnetMask }
}

function contains({ network, prefixLength }: Block, address: Uint8Array): boolean {
  if (address.length !== network.length) return false
  const whole = prefixLength >> 3
  for (let i = 0; i < whole; i++) if (address[i] !== network[i]) return false
  const rest = prefixLength & 7
  return rest === 0 || (address[whole]! ^ network[whole]!) >> (8 - rest) === 0
}
