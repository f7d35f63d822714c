// What the examples that print JSON lines make of prefixes and path attributes.
import { formatCommunities } from '@typemetal/bgp'

const ORIGINS = ['igp', 'egp', 'incomplete']

/** Text of 4 or 16 octets. */
export function addressText(octets) {
  if (octets.length === 4) return octets.join('.')
  const groups = Array.from({ length: 8 }, (_, i) => ((octets[2 * i] << 8) | octets[2 * i + 1]).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

/** Text of a prefix. */
export function prefixText(afi, { length, prefix }) {
  const address = new Uint8Array(afi === 1 ? 4 : 16)
  address.set(prefix)
  return `${addressText(address)}/${length}`
}

/** ORIGIN in a word. */
export const originText = origin => ORIGINS[origin]

/** The path attributes that most want to see, as text. */
export function attributeFields(attributes) {
  const { nextHop, mpReachNlri, origin, asPath, multiExitDisc, localPref } = attributes
  const hop = nextHop ?? mpReachNlri?.nextHop.subarray(0, 16)
  const communities = formatCommunities(attributes)
  return {
    ...(hop?.length && { nextHop: addressText(hop) }),
    ...(origin !== undefined && { origin: originText(origin) }),
    ...(asPath && { asPath: asPath.flatMap(({ asns }) => asns) }),
    multiExitDisc,
    localPref,
    ...(communities.length && { communities }),
  }
}

/** An UPDATE: what it announces and withdraws, and the attributes. */
export function updateFields({ nlri, withdrawnRoutes, pathAttributes }) {
  const { mpReachNlri, mpUnreachNlri } = pathAttributes
  const announced = [
    ...nlri.map(one => prefixText(1, one)),
    ...(mpReachNlri?.nlri.map(one => prefixText(mpReachNlri.afi, one)) ?? []),
  ]
  const withdrawn = [
    ...withdrawnRoutes.map(one => prefixText(1, one)),
    ...(mpUnreachNlri?.withdrawnRoutes.map(one => prefixText(mpUnreachNlri.afi, one)) ?? []),
  ]
  return { announced, withdrawn, ...attributeFields(pathAttributes) }
}

/** One line; octets as an address where they can be one, else as hexadecimal text. */
export const jsonLine = value =>
  JSON.stringify(value, function replace(key) {
    // Buffers have turned themselves into objects already where `JSON.stringify` hands over a value.
    const field = this[key]
    if (typeof field === 'bigint') return Number(field)
    if (!(field instanceof Uint8Array)) return field
    return field.length === 4 || field.length === 16 ? addressText(field) : Buffer.from(field).toString('hex')
  })
