/** A Neighbor Discovery option, RFC 4861 section 4.6; ones we do not know are carried. */
export interface NdpOption {
  readonly type: number
  /** What follows Type and Length. After {@link decodeNdpOptions} a view into the input. */
  readonly value: Uint8Array
}

/** Option types that mean something here. */
export const NdpOptionType = {
  /** RFC 4861 section 4.6.1. */
  SourceLinkLayerAddress: 1,
  /** RFC 6275 section 7.3: milliseconds between unsolicited advertisements at most. */
  AdvertisementInterval: 7,
} as const

const HEADER = 2
/** Length counts in these. */
const UNIT = 8

/** @returns `undefined` where an option has length zero, or ends behind the message: all of it is discarded then */
export function decodeNdpOptions(octets: Uint8Array): readonly NdpOption[] | undefined {
  const options: NdpOption[] = []
  for (let at = 0; at < octets.length;) {
    const length = (octets[at + 1] ?? 0) * UNIT
    if (length === 0 || at + length > octets.length) return undefined
    options.push({ type: octets[at]!, value: octets.subarray(at + HEADER, at + length) })
    at += length
  }
  return options
}

/** Octets of the options, each with zeros up to a whole number of 8. @throws {RangeError} a value of more than 2,038 octets */
export function encodeNdpOptions(options: readonly NdpOption[]): Uint8Array {
  const units = options.map(({ value }) => Math.ceil((HEADER + value.length) / UNIT))
  const octets = new Uint8Array(units.reduce((sum, count) => sum + count * UNIT, 0))
  let at = 0
  options.forEach(({ type, value }, i) => {
    if (units[i]! > 0xff) throw new RangeError(`an option has no room for ${value.length} octets`)
    octets[at] = type
    octets[at + 1] = units[i]!
    octets.set(value, at + HEADER)
    at += units[i]! * UNIT
  })
  return octets
}
