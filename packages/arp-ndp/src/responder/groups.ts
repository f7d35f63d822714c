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
  readonly #members = new Map<number, Set<string>>()

  /** Number of groups joined. */
  get size(): number {
    return this.#members.size
  }

  /**
   * @param text canonical text, the address's key: adding it twice counts once
   * @param address 16 octets
   */
  add(text: string, address: Uint8Array): readonly GroupAction[] {
    const members = this.#members.get(lowBits(address))
    if (members !== undefined) {
      members.add(text)
      return []
    }
    this.#members.set(lowBits(address), new Set([text]))
    return [{ type: 'join', group: solicitedNodeMulticast(address) }]
  }

  /** Forgets an address; one that was never added changes nothing. */
  delete(text: string, address: Uint8Array): readonly GroupAction[] {
    const members = this.#members.get(lowBits(address))
    if (members === undefined || !members.delete(text) || members.size > 0) return []
    this.#members.delete(lowBits(address))
    return [{ type: 'leave', group: solicitedNodeMulticast(address) }]
  }
}
