import { decodeInterfaceAddress, type AddressMessage } from './address-message.js'
import { decodeLink, type LinkMessage } from './link-message.js'
import { decodeNeighbor, type NeighborMessage } from './neighbor-message.js'
import { NetlinkType, type NetlinkMessage } from './netlink.js'
import { decodeRoute, type RouteMessage } from './route-message.js'

/** What rtnetlink tells about, by kind (rtnetlink(7)). */
export interface RtnetlinkValues {
  readonly link: LinkMessage
  readonly address: AddressMessage
  readonly neighbor: NeighborMessage
  readonly route: RouteMessage
}

/** A kind of thing rtnetlink tells about. */
export type RtnetlinkKind = keyof RtnetlinkValues

/**
 * Something that changed: it is as `value` says now (`'new'`, whether it was there before or not: the kernel does not tell), or it
 * was and is not any more (`'deleted'`).
 */
export type RtnetlinkChange = {
  readonly [K in RtnetlinkKind]: {
    readonly kind: K
    readonly change: 'new' | 'deleted'
    readonly value: RtnetlinkValues[K]
  }
}[RtnetlinkKind]

/** @returns undefined for a message of another type, or one that its decoder has nothing to say about */
export function decodeRtnetlinkChange({ type, payload }: NetlinkMessage): RtnetlinkChange | undefined {
  switch (type) {
    case NetlinkType.newLink:
    case NetlinkType.deleteLink: {
      const value = decodeLink(payload)
      return value && { kind: 'link', change: type === NetlinkType.newLink ? 'new' : 'deleted', value }
    }
    case NetlinkType.newAddress:
    case NetlinkType.deleteAddress: {
      const value = decodeInterfaceAddress(payload)
      return value && { kind: 'address', change: type === NetlinkType.newAddress ? 'new' : 'deleted', value }
    }
    case NetlinkType.newNeighbor:
    case NetlinkType.deleteNeighbor: {
      const value = decodeNeighbor(payload)
      return value && { kind: 'neighbor', change: type === NetlinkType.newNeighbor ? 'new' : 'deleted', value }
    }
    case NetlinkType.newRoute:
    case NetlinkType.deleteRoute: {
      const value = decodeRoute(payload)
      return value && { kind: 'route', change: type === NetlinkType.newRoute ? 'new' : 'deleted', value }
    }
    default:
      return undefined
  }
}
