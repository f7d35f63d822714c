import { solicitedNodeMulticast } from '../wire/multicast.js'

/** Join or leave a multicast group on the interface. */
export interface GroupAction {
  readonly type: 'join' | 'leave'
  /** 16 octets. */
  readonly group: Uint8Array
}

/** Low 24 bits of an address, all that its solicited-node group depends on. */
const lowBits = (address: Uint8Array): number => (address[13]! << 16) | (address[14]! << 8) | address[15]!

/**
 * Which solicited-node groups an interface must be a member of (RFC 4291 §2.8), counted, because addresses that agree in
 * their low 24 bits share one. Joining is asked for with a group's first address, leaving with its last.
 */
export class GroupMembership {
  /** By those bits; mostly a group has one address, which then needs no set of its own. */
  readonly #members = new Map<number, string | Set<string>>()

  /** Number of groups joined. */
  get size(): number {
    return this.#members.size
  }

  /**
   * An address whose solicited-node group has to be joined (RFC 4291 §2.7.1).
   *
   * @param text canonical text, the address's key: adding it twice counts once
   * @param address 16 octets
   */
  add(text: string, address: Uint8Array): readonly GroupAction[] {
    const bits = lowBits(address)
    const members = this.#members.get(bits)
    if (typeof members === 'object') members.add(text)
    else if (members !== undefined && members !== text) this.#members.set(bits, new Set([members, text]))
    if (members !== undefined) return []
    this.#members.set(bits, text)
    return [{ type: 'join', group: solicitedNodeMulticast(address) }]
  }

  /** Forgets an address; one that was never added changes nothing. */
  delete(text: string, address: Uint8Array): readonly GroupAction[] {
    const bits = lowBits(address)
    const members = this.#members.get(bits)
    const isLast = typeof members === 'object' ? members.delete(text) && members.size === 0 : members === text
    if (!isLast) return []
    this.#members.delete(bits)
    return [{ type: 'leave', group: solicitedNodeMulticast(address) }]
  }
}
