import { addressFamily, isHost, parseAddress, parsePrefix } from './address.js'
import { parseCommunities, type Communities } from './community.js'
import { prefixKey, type PrefixKey } from './rib/index.js'
import type { FamilyName } from './wire/index.js'

/** A route to announce. */
export interface Route {
  /** `192.0.2.0/24` or `2001:db8::/32`; bits behind the length are ignored. */
  readonly prefix: string
  /** Our address on the session, or an address of the prefix's family. @default 'self' */
  readonly nextHop?: 'self' | (string & {})
  /** LOCAL_PREF; internal peers only. @default 100 (0 counts as unset) */
  readonly localPref?: number
  /** MULTI_EXIT_DISC. @default none */
  readonly multiExitDisc?: number
  /** `a:b`, `large:a:b:c`, or a well-known name such as `no-export`; order and repetition do not matter. */
  readonly communities?: readonly string[]
}

/** A route with its text read. */
export interface ParsedRoute extends Communities {
  readonly key: PrefixKey
  readonly family: FamilyName
  readonly nextHop: 'self' | Uint8Array
  readonly localPref: number | undefined
  readonly multiExitDisc: number | undefined
  /** Equal for routes that say the same. */
  readonly fingerprint: string
}

/** Octets of communities that surely fit into an UPDATE with a prefix and everything else we send. */
const MAX_COMMUNITY_OCTETS = 3800
const MAX_UINT32 = 0xffff_ffff

function checkUint32(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isInteger(value) && value >= 0 && value <= MAX_UINT32)) return
  throw new RangeError(`${name} must be a whole number below 2^32, not ${value}`)
}

function parseNextHop(text: string, family: FamilyName): 'self' | Uint8Array {
  if (text === 'self') return text
  const address = parseAddress(text)
  if (!isHost(address)) throw new RangeError(`next hop ${text} is not the address of a host`)
  if (addressFamily(address) !== family) throw new RangeError(`next hop ${text} is not of the prefix's family`)
  return address
}

/** @throws {RangeError} a field that cannot be sent */
export function parseRoute(route: Route): ParsedRoute {
  const { prefix, nextHop = 'self', localPref, multiExitDisc, communities: texts = [] } = route
  const { family, nlri } = parsePrefix(prefix)
  checkUint32('localPref', localPref)
  checkUint32('multiExitDisc', multiExitDisc)
  const parsed = parseCommunities(texts)
  if (4 * parsed.communities.length + 12 * parsed.largeCommunities.length > MAX_COMMUNITY_OCTETS) {
    throw new RangeError(`too many communities for one route: ${texts.length}`)
  }
  const hop = parseNextHop(nextHop, family)
  const fingerprint = `${hop.toString()}/${localPref}/${multiExitDisc}/${parsed.communityText}`
  return { ...parsed, key: prefixKey(family, nlri), family, nextHop: hop, localPref, multiExitDisc, fingerprint }
}
