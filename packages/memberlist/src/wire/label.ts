import { WireError } from './error.js'
import { MessageType } from './message-type.js'

/** Longest label, octets. */
export const MAX_LABEL = 255

/** Octets that the header of a label costs; none for no label. */
export const labelOverhead = (label: Uint8Array): number => (label.length === 0 ? 0 : 2 + label.length)

/** Header that names the ring; empty for no label. @throws {RangeError} above 255 octets */
export function encodeLabelHeader(label: Uint8Array): Uint8Array {
  if (label.length > MAX_LABEL) throw new RangeError(`label of ${label.length} octets`)
  if (label.length === 0) return label
  const header = new Uint8Array(2 + label.length)
  header[0] = MessageType.Label
  header[1] = label.length
  header.set(label, 2)
  return header
}

/** Octets that the header in front of some octets takes: 0 when there is none. @throws {WireError} `label`, `truncated` */
export function labelHeaderLength(octets: Uint8Array): number {
  if (octets[0] !== MessageType.Label) return 0
  const length = octets[1]
  if (length === undefined) throw new WireError('truncated', 'label header ends early', 1)
  if (length === 0) throw new WireError('label', 'label header of no length', 1)
  if (octets.length < 2 + length) throw new WireError('truncated', 'label ends early', octets.length)
  return 2 + length
}

/**
 * What stands behind the label header, a view.
 *
 * @param skipCheck a proxy in front strips the labels: a header that is still there is the fault
 * @throws {WireError} `label` when the label is not the expected one, `truncated`
 */
export function stripLabel(octets: Uint8Array, expected: Uint8Array, skipCheck = false): Uint8Array {
  const length = labelHeaderLength(octets)
  if (skipCheck) {
    if (length > 0) throw new WireError('label', 'label where the proxy should have taken it away')
    return octets
  }
  if (!sameOctets(octets.subarray(Math.min(length, 2), length), expected))
    throw new WireError('label', 'label is not ours')
  return octets.subarray(length)
}

/** Whether two octet strings are equal. */
export function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
