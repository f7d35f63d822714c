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

/** Reads one address, or two of different families. A longer list is not read: it may be very long. */
export function parseAddressList(texts: readonly string[]): AddressList | Unusable {
  if (texts.length === 0 || texts.length > 2) {
    const some = quoteList(texts.slice(0, 2)) + (texts.length > 2 ? '…' : '')
    return { error: `${texts.length} addresses where one or two are expected: ${some}` }
  }
  const [first, second] = texts.map(parseAddress)
  if (!first || (texts.length === 2 && !second)) return { error: `invalid address in ${quoteList(texts)}` }
  if (!second) return { family: first.family, addresses: [first] }
  if (first.family === second.family) return { error: `two addresses of the same family: ${quoteList(texts)}` }
  return { family: 'dual', addresses: [first, second] }
}
