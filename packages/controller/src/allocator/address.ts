import { type Address, type IPFamily, formatAddress } from '@typemetal/cluster'

/** An address out of a pool. Its text is made when it is first asked for, as most searches never print what they find. */
export class PoolAddress implements Address {
  readonly family: IPFamily
  readonly value: bigint
  #text: string | undefined

  constructor(family: IPFamily, value: bigint) {
    this.family = family
    this.value = value
  }

  get text(): string {
    return (this.#text ??= formatAddress(this.family, this.value))
  }
}

/** Whether both are one address. */
export const sameAddress = (a: Address, b: Address): boolean => a.value === b.value && a.family === b.family

/** Whether both lists hold the same addresses in the same order. */
export const sameAddresses = (a: readonly Address[], b: readonly Address[]): boolean =>
  a.length === b.length && a.every((address, index) => sameAddress(address, b[index]!))

/** A list of texts as Go prints it with `%q`: `["192.0.2.1" "2001:db8::1"]`. */
export const quoteList = (texts: readonly string[]): string => `[${texts.map(quote).join(' ')}]`

/** {@link quoteList} of addresses. */
export const quoteAddresses = (addresses: readonly Address[]): string => quoteList(addresses.map(a => a.text))

/** A text in double quotes, as Go prints it with `%q`. */
export const quote = (text: string): string => JSON.stringify(text)
