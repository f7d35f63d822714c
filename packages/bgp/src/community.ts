import type { LargeCommunity } from './wire/index.js'

/** Communities with a name, RFC 1997, RFC 3765, RFC 7999 and RFC 8326. */
const WELL_KNOWN: ReadonlyMap<string, number> = new Map([
  ['graceful-shutdown', 0xffff_0000],
  ['accept-own', 0xffff_0001],
  ['blackhole', 0xffff_029a],
  ['no-export', 0xffff_ff01],
  ['no-advertise', 0xffff_ff02],
  ['no-export-subconfed', 0xffff_ff03],
  ['no-peer', 0xffff_ff04],
])

/** Communities of a route, sorted and each once. */
export interface Communities {
  readonly communities: readonly number[]
  readonly largeCommunities: readonly LargeCommunity[]
  /** Equal for equal communities. */
  readonly communityText: string
}

const STANDARD = /^(\d{1,5}):(\d{1,5})$/
const LARGE = /^large:(\d{1,10}):(\d{1,10}):(\d{1,10})$/

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
  const wellKnown = WELL_KNOWN.get(text.toLowerCase())
  if (wellKnown !== undefined) return wellKnown
  const [asn = 0, value = 0] = parts(text, STANDARD, 0xffff)
  return asn * 0x1_0000 + value
}

const compareLarge = (a: LargeCommunity, b: LargeCommunity): number =>
  a.globalAdministrator - b.globalAdministrator || a.localData1 - b.localData1 || a.localData2 - b.localData2

/** Text of a large community, `a:b:c`. */
export const formatLargeCommunity = ({ globalAdministrator, localData1, localData2 }: LargeCommunity): string =>
  `${globalAdministrator}:${localData1}:${localData2}`

/** Text of a community, `a:b`. */
export const formatCommunity = (community: number): string => `${community >>> 16}:${community & 0xffff}`

/**
 * Reads communities: `a:b` (RFC 1997), `large:a:b:c` (RFC 8092), or a well-known one by name, such as `no-export`.
 *
 * @throws {RangeError} not a community
 */
export function parseCommunities(texts: readonly string[]): Communities {
  const communities = new Set<number>()
  const large = new Map<string, LargeCommunity>()
  for (const text of texts) {
    if (text.startsWith('large:')) {
      const community = parseLarge(text)
      large.set(formatLargeCommunity(community), community)
    } else {
      communities.add(parseStandard(text))
    }
  }
  const standard = [...communities].toSorted((a, b) => a - b)
  const largeCommunities = [...large.values()].toSorted(compareLarge)
  const communityText = `${standard.join(' ')} ${[...large.keys()].toSorted().join(' ')}`
  return { communities: standard, largeCommunities, communityText }
}
