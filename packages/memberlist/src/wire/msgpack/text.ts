/**
 * Names are octet strings on the wire and need not be UTF-8, but a JavaScript string is the better key. So octets
 * that are not part of valid UTF-8 become lone surrogates U+DC80 to U+DCFF (what Python calls surrogateescape), which
 * valid UTF-8 can never decode to: every octet string has its own text and comes back unchanged.
 */

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()
const ESCAPE = 0xdc00
/** Above this length one native call is faster than a loop over the characters. */
const SHORT = 48

/**
 * Names read lately, each at the place of its hash. All messages of a ring are about the same nodes, so the string is
 * mostly there already: nothing is made, and the tables that are searched for it know its hash.
 */
const recent: string[] = Array.from({ length: 4096 }, () => '')

/** Text of a name's octets. Never throws; {@link encodeText} is its exact inverse. */
export function decodeText(octets: Uint8Array, start = 0, end = octets.length): string {
  if (end - start <= SHORT) {
    let hash = 0
    let bits = 0
    for (let i = start; i < end; i++) {
      hash = (Math.imul(hash, 31) + octets[i]!) | 0
      bits |= octets[i]!
    }
    if (bits < 0x80) {
      const place = (hash ^ (hash >>> 12)) & (recent.length - 1)
      if (!isText(recent[place]!, octets, start, end))
        recent[place] = String.fromCharCode(...octets.subarray(start, end))
      return recent[place]!
    }
  }
  const name = octets.subarray(start, end)
  try {
    return strict.decode(name)
  } catch {
    return decodeEscaped(name)
  }
}

function isText(text: string, octets: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== octets[start + i]) return false
  return true
}

/** Octets of a name's text. */
export function encodeText(text: string): Uint8Array {
  if (text.length <= SHORT) {
    const octets = new Uint8Array(text.length)
    if (writeAscii(text, octets, 0)) return octets
  }
  return /[\udc80-\udcff]/u.test(text) ? encodeEscaped(text) : encoder.encode(text)
}

/** Writes a text that is ASCII; of another, as much as is. @returns whether it was all */
export function writeAscii(text: string, into: Uint8Array, at: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x80) return false
    into[at + i] = unit
  }
  return true
}

function decodeEscaped(octets: Uint8Array): string {
  let text = ''
  for (let i = 0; i < octets.length;) {
    const length = sequenceLength(octets[i]!)
    const sequence = octets.subarray(i, i + length)
    const decoded = sequence.length === length ? tryDecode(sequence) : undefined
    text += decoded ?? String.fromCharCode(ESCAPE + octets[i]!)
    i += decoded === undefined ? 1 : length
  }
  return text
}

function tryDecode(sequence: Uint8Array): string | undefined {
  try {
    return strict.decode(sequence)
  } catch {
    return undefined
  }
}

function sequenceLength(lead: number): number {
  if (lead < 0xc0) return 1
  if (lead < 0xe0) return 2
  return lead < 0xf0 ? 3 : 4
}

function encodeEscaped(text: string): Uint8Array {
  const octets: number[] = []
  for (const character of text) {
    const unit = character.charCodeAt(0)
    // With the string iterator a low surrogate comes first only when it stands alone.
    if (unit >= ESCAPE + 0x80 && unit <= ESCAPE + 0xff) octets.push(unit - ESCAPE)
    else octets.push(...encoder.encode(character))
  }
  return Uint8Array.from(octets)
}
