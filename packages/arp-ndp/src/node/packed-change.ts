import type { InterfaceSelection } from '../responder/owned-addresses.js'

/** An address with the interfaces to answer on, both its forms ready. */
export interface AddressChange {
  /** Canonical text. */
  readonly text: string
  /** 4 or 16 octets. */
  readonly octets: Uint8Array
  readonly interfaces: InterfaceSelection
}

/** Changes on their way to another thread: one buffer for all, because thousands of small ones keep both collectors busy. */
export interface PackedChanges {
  readonly texts: readonly string[]
  /** Octets of all addresses, one behind the other. */
  readonly octets: Uint8Array
  /** 4 or 16 for each address. */
  readonly lengths: Uint8Array
  readonly interfaces: readonly InterfaceSelection[]
}

/** Puts changes together; {@link unpack} undoes it. */
export function pack(changes: readonly AddressChange[]): PackedChanges {
  const lengths = Uint8Array.from(changes, ({ octets }) => octets.length)
  const octets = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0))
  let at = 0
  for (const change of changes) {
    octets.set(change.octets, at)
    at += change.octets.length
  }
  return {
    texts: changes.map(({ text }) => text),
    octets,
    lengths,
    interfaces: changes.map(({ interfaces }) => interfaces),
  }
}

/** Takes changes apart; their octets are views. */
export function unpack({ texts, octets, lengths, interfaces }: PackedChanges): AddressChange[] {
  let end = 0
  return texts.map((text, index) => {
    const begin = end
    end += lengths[index] ?? 0
    return { text, octets: octets.subarray(begin, end), interfaces: interfaces[index] ?? [] }
  })
}
