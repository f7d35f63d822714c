import { listOf, text as textKind } from '@typemetal/options'
import {
  formatExtendedCommunity,
  isExtendedCommunityText,
  parseExtendedCommunity,
  type AnyExtendedCommunity,
} from './extended-community.js'
import {
  WellKnownCommunity,
  type ExtendedCommunity,
  type Ipv6ExtendedCommunity,
  type LargeCommunity,
  type PathAttributes,
} from './wire/index.js'

const manyTexts = listOf(textKind)

export { formatExtendedCommunity, type AnyExtendedCommunity } from './extended-community.js'

const NAMES: readonly (readonly [name: string, community: number])[] = [
  ['graceful-shutdown', WellKnownCommunity.GracefulShutdown],
  ['accept-own', WellKnownCommunity.AcceptOwn],
  ['llgr-stale', WellKnownCommunity.LlgrStale],
  ['no-llgr', WellKnownCommunity.NoLlgr],
  ['blackhole', WellKnownCommunity.Blackhole],
  ['no-export', WellKnownCommunity.NoExport],
  ['no-advertise', WellKnownCommunity.NoAdvertise],
  ['no-export-subconfed', WellKnownCommunity.NoExportSubconfed],
  ['no-peer', WellKnownCommunity.NoPeer],
]
const BY_NAME: ReadonlyMap<string, number> = new Map(NAMES)
const BY_NUMBER: ReadonlyMap<number, string> = new Map(NAMES.map(([name, community]) => [community, name]))

/** Communities of a route, sorted and each once. */
export interface Communities {
  readonly communities: readonly number[]
  readonly largeCommunities: readonly LargeCommunity[]
  readonly extendedCommunities: readonly ExtendedCommunity[]
  readonly ipv6ExtendedCommunities: readonly Ipv6ExtendedCommunity[]
  /** Equal for equal communities. */
  readonly communityText: string
}

const STANDARD = /^(\d{1,5}):(\d{1,5})$/
const LARGE = /^large:(\d{1,10}):(\d{1,10}):(\d{1,10})$/i

function parts(text: string, form: RegExp, most: number): readonly number[] {
  const numbers = form.exec(text)?.slice(1).map(Number)
  if (!numbers || numbers.some(number => number > most)) throw new RangeError(`not a community: ${text}`)
  return numbers
}

function parseLarge(text: string): LargeCommunity {
  const [globalAdministrator = 0, localData1 = 0, localData2 = 0] = parts(text, LARGE, 0xffff_ffff)
  return { globalAdministrator, localData1, localData2 }
}

function parseStandard(text: string): number {
  const wellKnown = BY_NAME.get(text.toLowerCase())
  if (wellKnown !== undefined) return wellKnown
  const [asn = 0, value = 0] = parts(text, STANDARD, 0xffff)
  return asn * 0x1_0000 + value
}

const compareLarge = (a: LargeCommunity, b: LargeCommunity): number =>
  a.globalAdministrator - b.globalAdministrator || a.localData1 - b.localData1 || a.localData2 - b.localData2

/** Text of a large community, `a:b:c` (RFC 8092 section 4); to be read back it has `large:` in front. */
export const formatLargeCommunity = ({ globalAdministrator, localData1, localData2 }: LargeCommunity): string =>
  `${globalAdministrator}:${localData1}:${localData2}`

/** Text of a community: its name where it is a well-known one, else `a:b`. */
export const formatCommunity = (community: number): string =>
  BY_NUMBER.get(community) ?? `${community >>> 16}:${community & 0xffff}`

/** Texts of all communities of a route, of all kinds, as {@link parseCommunities} reads them. */
export function formatCommunities(attributes: PathAttributes): string[] {
  const { communities = [], largeCommunities = [], extendedCommunities = [], ipv6ExtendedCommunities = [] } = attributes
  return [
    ...communities.map(formatCommunity),
    ...extendedCommunities.map(formatExtendedCommunity),
    ...ipv6ExtendedCommunities.map(formatExtendedCommunity),
    ...largeCommunities.map(community => `large:${formatLargeCommunity(community)}`),
  ]
}

const byText = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

/**
 * Reads communities: `a:b` (RFC 1997) or a well-known one by name, such as `no-export`; `large:a:b:c` (RFC 8092); extended ones
 * as {@link formatExtendedCommunity} writes them (RFC 4360, RFC 5701).
 *
 * @throws {TypeError} not an array of strings
 * @throws {RangeError} not a community
 *
 * @example
 * ```ts
 * import { formatCommunities, parseCommunities } from '@typemetal/bgp'
 *
 * const { communityText, ...attributes } = parseCommunities(['64512:100', 'no-export', 'large:64512:1:2', 'rt:64512:7'])
 * console.log(attributes.communities) // [ 4227858532, 4294967041 ]
 * console.log(formatCommunities({ ...attributes, unknown: [] })) // [ '64512:100', 'no-export', 'rt:64512:7', 'large:64512:1:2' ]
 * ```
 */
export function parseCommunities(texts: readonly string[]): Communities {
  manyTexts('texts', texts)
  const communities = new Set<number>()
  const large = new Map<string, LargeCommunity>()
  const extended = new Map<string, AnyExtendedCommunity>()
  for (const text of texts) {
    if (text.toLowerCase().startsWith('large:')) {
      const community = parseLarge(text)
      large.set(formatLargeCommunity(community), community)
    } else if (isExtendedCommunityText(text)) {
      const community = parseExtendedCommunity(text)
      extended.set(formatExtendedCommunity(community), community)
    } else {
      communities.add(parseStandard(text))
    }
  }
  const standard = [...communities].toSorted((a, b) => a - b)
  const sorted = [...extended].toSorted(byText)
  const wide = (community: AnyExtendedCommunity): community is Ipv6ExtendedCommunity =>
    'globalAdministrator' in community
  const all = sorted.map(([, community]) => community)
  return {
    communities: standard,
    largeCommunities: [...large.values()].toSorted(compareLarge),
    extendedCommunities: all.filter((community): community is ExtendedCommunity => !wide(community)),
    ipv6ExtendedCommunities: all.filter(wide),
    communityText: [...standard, ...[...large.keys()].toSorted(), ...sorted.map(([text]) => text)].join(' '),
  }
}
