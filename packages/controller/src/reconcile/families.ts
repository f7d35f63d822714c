import { type Address, parseAddress } from '@typemetal/cluster'
import { quoteList } from '../allocator/address.js'
import type { ServiceFamily } from '../allocator/request.js'

/** A list of addresses that makes sense together: one, or one of each family. */
export interface AddressList {
  readonly family: ServiceFamily
  readonly addresses: readonly Address[]
}

/** Why a list of texts is no {@link AddressList}. */
export interface Unusable {
  readonly error: string
}

/** Reads one address, or two of different families. */
export function parseAddressList(texts: readonly string[]): AddressList | Unusable {
  const addresses = texts.map(parseAddress).filter(address => address !== undefined)
  if (addresses.length < texts.length) return { error: `invalid address in ${quoteList(texts)}` }
  const [first, second, third] = addresses
  if (!first || third) return { error: `${texts.length} addresses where one or two are expected: ${quoteList(texts)}` }
  if (!second) return { family: first.family, addresses }
  if (first.family === second.family) return { error: `two addresses of the same family: ${quoteList(texts)}` }
  return { family: 'dual', addresses }
}
