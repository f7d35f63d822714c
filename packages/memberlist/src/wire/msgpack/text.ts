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

/** Text of a name's octets. Never throws; {@link encodeText} is its exact inverse. */
export function decodeText(octets: Uint8Array): string {
  if (octets.length <= SHORT) {
    let text = ''
    let i = 0
    for (; i < octets.length && octets[i]! < 0x80; i++) text += String.fromCharCode(octets[i]!)
    if (i === octets.length) return text
  }
  try {
    return strict.decode(octets)
  } catch {
    return decodeEscaped(octets)
  }
}

/** Octets of a name's text. */
export function encodeText(text: string): Uint8Array {
  if (text.length <= SHORT) {
    const octets = new Uint8Array(text.length)
    let i = 0
    for (; i < text.length && text.charCodeAt(i) < 0x80; i++) octets[i] = text.charCodeAt(i)
    if (i === text.length) return octets
  }
  return /[\udc80-\udcff]/u.test(text) ? encodeEscaped(text) : encoder.encode(text)
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
