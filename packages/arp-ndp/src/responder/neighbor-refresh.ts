import { ArpOperation } from '../wire/arp.js'
import { encodeNeighborAdvertisement } from '../wire/ndp/neighbor-advertisement.js'
import { arpFrame } from './arp.js'
import { ndpFrame } from './ndp.js'
import type { ResponderIdentity } from './responder.js'

/** One host on the link, by its two addresses. */
export interface Neighbor {
  /** 6 octets. */
  readonly mac: Uint8Array
  /** 4 or 16 octets, of the family of the address it is to be told of. */
  readonly ip: Uint8Array
}

/**
 * Tells one neighbour alone where an address is: for a router whose entry ages out, or that does not listen to broadcasts.
 * ARP: a reply, which keeps an entry that is there REACHABLE on Linux; a host without one takes no notice. NDP: an
 * unsolicited advertisement, S=0 and O=1 (RFC 4861 §7.2.6): it corrects an entry, and proves nothing about reachability.
 * @param address 4 octets for ARP, 16 for NDP
 */
export function neighborRefresh(identity: ResponderIdentity, address: Uint8Array, { mac, ip }: Neighbor): Uint8Array {
  if (identity.protocol === 'arp') {
    return arpFrame(ArpOperation.Reply, mac, { mac: identity.mac, address }, { mac, address: ip })
  }
  const message = encodeNeighborAdvertisement({
    router: false,
    solicited: false,
    override: true,
    targetAddress: address,
    options: [{ kind: 'target-link-layer-address', address: identity.mac }],
  })
  return ndpFrame(identity, mac, ip, message)
}
