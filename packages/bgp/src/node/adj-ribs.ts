import { formatAddress, formatPrefix } from '../address.js'
import { resolveAs4 } from '../import.js'
import { PathFlag, type AdjRibIn, type LocRib } from '../rib/index.js'
import type { RouteSource } from '../route-source.js'
import type { PathAttributes } from '../wire/index.js'
import { readPathAttributes } from '../wire/path-attributes.js'
import type { Outbound, WrittenPath } from './outbound.js'

/** A path that a peer has announced to us. */
export interface ReceivedRoute {
  readonly prefix: string
  /** Path Identifier, RFC 7911; absent without. */
  readonly pathId?: number
  readonly nextHop: string
  /** As the peer has sent them, before policy. */
  readonly attributes: PathAttributes
  /** Policy and loop detection let it be used. */
  readonly accepted: boolean
  /** The peer restarts and has not said it anew, RFC 4724. */
  readonly stale: boolean
}

/** A path that a peer was told. */
export interface AnnouncedRoute {
  readonly prefix: string
  /** Path Identifier, RFC 7911; absent without. */
  readonly pathId?: number
  /** Of a global and a link-local IPv6 address the global one. */
  readonly nextHop: string
  /** As they were sent; AS numbers whole also where the session has two octets for them (RFC 6793). */
  readonly attributes: PathAttributes
}

/** The Adj-RIB-In of a peer as values, RFC 4271 section 3.2. */
export function* receivedRoutes(
  rib: LocRib<RouteSource>,
  adjRibIn: AdjRibIn<RouteSource>,
): IterableIterator<ReceivedRoute> {
  for (const family of ['ipv4-unicast', 'ipv6-unicast'] as const) {
    const paths = rib.family(family)
    for (const path of adjRibIn.paths(family)) {
      const received = paths.received(path)
      const pathId = paths.pathId(path)
      yield {
        prefix: formatPrefix(family, paths.prefixes.nlri(paths.prefixOf(path))),
        ...(pathId !== 0 && { pathId }),
        nextHop: formatAddress(rib.attributes.nextHop(received)),
        attributes: rib.attributes.attributes(received),
        accepted: paths.attributes(path) !== 0,
        stale: (paths.flags(path) & PathFlag.Stale) !== 0,
      }
    }
  }
}

const NO_ADDRESS = new Uint8Array(4)

type Said = Pick<AnnouncedRoute, 'nextHop' | 'attributes'>

/** What was written, read again. */
function read({ octets, nextHop: separate, context }: WrittenPath): Said {
  const decoded = readPathAttributes(octets, 0, octets.length, context, 0).attributes
  const { nextHop = NO_ADDRESS, ...attributes } = resolveAs4(decoded, context.fourOctetAs)
  return { nextHop: formatAddress(separate ?? nextHop), attributes }
}

/** The Adj-RIB-Out of a peer as values, RFC 4271 section 3.2. Paths that were written alike share their attributes. */
export function* announcedRoutes(rib: LocRib<RouteSource>, outbound: Outbound): IterableIterator<AnnouncedRoute> {
  const said = new Map<string, Said>()
  for (const { family, prefix, pathId, key, write } of outbound.told()) {
    let known = said.get(key)
    if (!known) {
      known = read(write())
      said.set(key, known)
    }
    const { prefixes } = rib.family(family)
    yield { prefix: formatPrefix(family, prefixes.nlri(prefix)), ...(pathId !== 0 && { pathId }), ...known }
  }
}
