import type { FamilyName, MessageContext } from '@typemetal/bgp/wire'

/** Decisions read off the octets of an input, one behind the other; zeros behind the end. So any octets are a program, and shorter ones a simpler one. */
export class OctetSource {
  readonly #octets: Uint8Array
  #at = 0

  constructor(octets: Uint8Array) {
    this.#octets = octets
  }

  get isEmpty(): boolean {
    return this.#at >= this.#octets.length
  }

  uint8(): number {
    return this.#octets[this.#at++] ?? 0
  }

  /** A whole number from 0 up to `count`, exclusive; `count` is 256 at most. */
  below(count: number): number {
    return this.uint8() % count
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  take(length: number): Uint8Array {
    const octets = this.#octets.subarray(this.#at, this.#at + length)
    this.#at += length
    return octets
  }

  rest(): Uint8Array {
    return this.take(Math.max(0, this.#octets.length - this.#at))
  }
}

const V4: readonly FamilyName[] = ['ipv4-unicast']
const V6: readonly FamilyName[] = ['ipv6-unicast']

const familiesOf = (bits: number): readonly FamilyName[] => [...(bits & 1 ? V4 : []), ...(bits & 2 ? V6 : [])]

/** What two octets have negotiated. */
export function readContext(source: OctetSource): MessageContext {
  const low = source.uint8()
  const high = source.uint8()
  return {
    fourOctetAs: (low & 1) === 0,
    internal: (low & 2) !== 0,
    confederation: (low & 4) !== 0,
    extendedMessage: (low & 8) !== 0,
    addPath: familiesOf(low >> 4),
    extendedNextHop: familiesOf(low >> 6),
    ...(high & 1 && { aigpSession: (high & 2) !== 0 }),
  }
}

/** The two octets that {@link readContext} makes this context of. */
export function writeContext(context: MessageContext): readonly [number, number] {
  const { addPath = [], extendedNextHop = [], aigpSession } = context
  const bits = (families: readonly FamilyName[]): number =>
    (families.includes('ipv4-unicast') ? 1 : 0) | (families.includes('ipv6-unicast') ? 2 : 0)
  const low =
    (context.fourOctetAs ? 0 : 1) |
    (context.internal ? 2 : 0) |
    (context.confederation ? 4 : 0) |
    (context.extendedMessage ? 8 : 0) |
    (bits(addPath) << 4) |
    (bits(extendedNextHop) << 6)
  return [low, aigpSession === undefined ? 0 : aigpSession ? 3 : 1]
}
