import type { Octets } from './octets.js'

/**
 * A domain name as text, RFC 1035 §5.1: labels joined by dots, without a dot at the end. Inside a label a dot or a backslash
 * has a backslash before it, and an octet that is not printable ASCII is a backslash and three decimal digits.
 */
export type DomainName = string

/** A name on the wire takes no more, its length octets included (RFC 1035 §2.3.4). */
const MOST_OCTETS: Octets = 255
/** The two bits above are those of a compression pointer (RFC 1035 §4.1.4). */
const MOST_LABEL: Octets = 63
const DOT = 0x2e
const BACKSLASH = 0x5c
const ESCAPED = /^\\(\d{3}|[^\d])/s

/** What {@link decodeDomainName} has read. */
export interface DecodedDomainName {
  readonly name: DomainName
  /** Where the next octet stands. */
  readonly end: number
}

/**
 * Reads a name without compression, RFC 1035 §3.1.
 * @param offset where its first label begins; the root, which has none, comes out as empty
 * @returns what is wrong, when it does not end inside `octets`, is compressed, or is longer than 255 octets
 */
export function decodeDomainName(octets: Uint8Array, offset: number): DecodedDomainName | string {
  let name = ''
  for (let at = offset; ;) {
    const length = octets[at]
    if (length === undefined) return 'domain name cut off'
    if (length === 0) return { name, end: at + 1 }
    if (length > MOST_LABEL) return 'domain name that is compressed'
    const end = at + 1 + length
    // One more is needed for the root that ends the name.
    if (end - offset >= MOST_OCTETS) return 'domain name above 255 octets'
    if (end > octets.length) return 'domain name cut off'
    if (name !== '') name += '.'
    for (at++; at < end; at++) name += textOf(octets[at]!)
  }
}

function textOf(octet: number): string {
  if (octet === DOT || octet === BACKSLASH) return `\\${String.fromCharCode(octet)}`
  if (octet > 0x20 && octet < 0x7f) return String.fromCharCode(octet)
  return `\\${String(octet).padStart(3, '0')}`
}

/**
 * A name in octets, the root label at the end included.
 * @throws {RangeError} not a name: no label, an empty one, one above 63 octets, more than 255 in all, or text that RFC 1035 §5.1
 * does not know
 */
export function encodeDomainName(name: DomainName): Uint8Array {
  const octets: number[] = [0]
  let start = 0 // of the label's length octet
  const endLabel = (): void => {
    const length = octets.length - start - 1
    if (length === 0 || length > MOST_LABEL)
      throw badName(name, `has a label of ${length} octets, not 1 to ${MOST_LABEL}`)
    octets[start] = length
    start = octets.push(0) - 1
  }
  for (let at = 0; at < name.length; at++) {
    if (name[at] === '.') {
      endLabel()
      continue
    }
    const [octet, length] = readOctet(name, at)
    octets.push(octet)
    at += length - 1
  }
  // A dot at the end, which makes the name absolute, has ended the last label already.
  if (octets.length - start > 1 || start === 0) endLabel()
  if (octets.length > MOST_OCTETS) throw badName(name, `takes ${octets.length} octets, above ${MOST_OCTETS}`)
  return Uint8Array.from(octets)
}

/** An octet of a label and how many characters of the text it takes. */
function readOctet(name: DomainName, at: number): readonly [octet: number, length: number] {
  if (name[at] !== '\\') return [asciiAt(name, at), 1]
  const escaped = ESCAPED.exec(name.slice(at, at + 4))?.[1]
  if (escaped === undefined) throw badName(name, 'has a backslash before nothing that it could mean')
  if (escaped.length === 1) return [asciiAt(name, at + 1), 2]
  if (Number(escaped) > 0xff) throw badName(name, `has an octet ${escaped}`)
  return [Number(escaped), 4]
}

function asciiAt(name: DomainName, at: number): number {
  const code = name.charCodeAt(at)
  if (code > 0x7f) throw badName(name, 'is not ASCII: write it as A-labels (RFC 5890)')
  return code
}

const badName = (name: DomainName, why: string): RangeError =>
  new RangeError(`domain name ${JSON.stringify(name)} ${why}`)
