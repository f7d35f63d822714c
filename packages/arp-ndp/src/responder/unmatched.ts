import type { OwnedAddress } from './owned-addresses.js'

/** What is new about an address: none of its interfaces is there, or one is again. */
export type MatchChange = 'unmatched' | 'matched'

/** Tells when an address is set for interfaces of which this host has none: nobody will ever hear of it then. */
export class UnmatchedAddresses {
  readonly #unmatched = new Set<string>()
  #known: ReadonlySet<string> = new Set()

  /** Takes in which interfaces there are, those that are down included; {@link check} each address then. */
  know(names: readonly string[]): void {
    this.#known = new Set(names)
  }

  /** @returns what has changed for the address since it was last checked, and for a new one whether it is unmatched */
  check({ text, interfaces }: OwnedAddress): MatchChange | undefined {
    const matches = interfaces === 'all' || interfaces.some(name => this.#known.has(name))
    if (matches) return this.#unmatched.delete(text) ? 'matched' : undefined
    if (this.#unmatched.has(text)) return undefined
    this.#unmatched.add(text)
    return 'unmatched'
  }

  /** Forgets an address that is gone. */
  delete(text: string): void {
    this.#unmatched.delete(text)
  }
}
