import { MessageType } from '@typemetal/bgp/wire'
import { below, pick, type Random } from './target.js'

/** Octets that lengths, counts and codes trip over. */
const INTERESTING = [0, 1, 2, 3, 4, 7, 8, 16, 19, 23, 32, 33, 64, 127, 128, 129, 192, 254, 255]
const LONGEST = 70_000
const HEADER = 19

const join = (...parts: readonly Uint8Array[]): Uint8Array => {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** Any octets, short ones more often than long ones. */
export function randomOctets(random: Random, longest: number): Uint8Array {
  return Uint8Array.from({ length: below(random, 1 + below(random, longest)) }, () => below(random, 256))
}

type Change = (octets: Uint8Array, random: Random, corpus: readonly Uint8Array[]) => Uint8Array

const at = (random: Random, octets: Uint8Array): number => below(random, octets.length + 1)

/** Changes that know nothing of BGP. */
const BLIND: readonly Change[] = [
  (octets, random) => {
    if (octets.length > 0) octets[below(random, octets.length)]! ^= 1 << below(random, 8)
    return octets
  },
  (octets, random) => {
    if (octets.length > 0) octets[below(random, octets.length)] = pick(random, INTERESTING)
    return octets
  },
  (octets, random) => {
    if (octets.length > 0) octets[below(random, octets.length)]! += random() < 0.5 ? 1 : -1
    return octets
  },
  (octets, random) => octets.slice(0, at(random, octets)),
  (octets, random) => {
    const start = at(random, octets)
    return join(octets.subarray(0, start), octets.subarray(start + 1 + below(random, 8)))
  },
  (octets, random) => {
    const start = at(random, octets)
    return join(octets.subarray(0, start), randomOctets(random, 24), octets.subarray(start))
  },
  (octets, random) => {
    const start = at(random, octets)
    const end = start + below(random, 64)
    return join(octets.subarray(0, end), octets.subarray(start))
  },
  (octets, random, corpus) => {
    const other = pick(random, corpus)
    return join(octets.subarray(0, at(random, octets)), other.subarray(at(random, other)))
  },
  (octets, _, corpus) => join(octets, corpus[0] ?? octets),
  (octets, random, corpus) => join(octets, pick(random, corpus)),
]

/** Where messages start: all places with a marker. */
function markers(octets: Uint8Array): number[] {
  const found: number[] = []
  let run = 0
  for (let i = 0; i < octets.length; i++) {
    run = octets[i] === 0xff ? run + 1 : 0
    if (run < 16) continue
    found.push(i - 15)
    run = 0
  }
  return found
}

const uint16 = (octets: Uint8Array, offset: number): number => ((octets[offset] ?? 0) << 8) | (octets[offset + 1] ?? 0)

/** Attributes as pieces of octets, as far as they can be told apart. */
function split(octets: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let start = 0; start < octets.length;) {
    const extended = (octets[start]! & 0x10) !== 0
    const length = extended ? 4 + uint16(octets, start + 2) : 3 + (octets[start + 2] ?? 0)
    pieces.push(octets.slice(start, start + length))
    start += length
  }
  return pieces
}

/** An attribute of any code, flags and length; its length field is right. */
function anyAttribute(random: Random): Uint8Array {
  const value = randomOctets(random, 40)
  const flags = pick(random, [0x40, 0x80, 0xc0, 0xe0, 0x00, 0xff])
  const code = random() < 0.8 ? 1 + below(random, 36) : below(random, 256)
  const length = flags & 0x10 ? [value.length >> 8, value.length] : [value.length]
  return join(Uint8Array.of(flags, code, ...length), value)
}

const ATTRIBUTE_CHANGES: readonly ((pieces: Uint8Array[], random: Random) => void)[] = [
  (pieces, random) => void pieces.splice(below(random, pieces.length), 0, pick(random, pieces)),
  (pieces, random) => void pieces.splice(below(random, pieces.length), 1),
  pieces => void pieces.push(pieces.shift()!),
  (pieces, random) => void pieces.splice(below(random, pieces.length + 1), 0, anyAttribute(random)),
  (pieces, random) => {
    const piece = pick(random, pieces)
    if (piece.length > 0)
      piece[0] = pick(random, [piece[0]! ^ 0x80, piece[0]! ^ 0x40, piece[0]! | 0x20, piece[0]! | 0x0f])
  },
  (pieces, random) => {
    const piece = pick(random, pieces)
    if (piece.length > 2) piece[2]! += random() < 0.5 ? 1 : -1
  },
  // A value that has lost or won octets, its length field in accord.
  (pieces, random) => {
    const index = below(random, pieces.length)
    const piece = pieces[index]!
    if (piece.length < 3 || piece[0]! & 0x10) return
    const value = random() < 0.5 ? piece.slice(3, 3 + at(random, piece)) : join(piece.slice(3), randomOctets(random, 9))
    pieces[index] = join(piece.subarray(0, 2), Uint8Array.of(value.length), value)
  },
  (pieces, random) => {
    const piece = pick(random, pieces)
    for (let i = 3; i < piece.length; i++) if (random() < 0.2) piece[i] = pick(random, INTERESTING)
  },
]

/** Changes attributes of an UPDATE's body and puts its length fields right. */
function changeUpdate(body: Uint8Array, random: Random): Uint8Array {
  const attributesAt = 4 + uint16(body, 0)
  const nlriAt = attributesAt + uint16(body, attributesAt - 2)
  if (nlriAt > body.length) return body
  const pieces = split(body.subarray(attributesAt, nlriAt))
  if (pieces.length === 0) pieces.push(anyAttribute(random))
  pick(random, ATTRIBUTE_CHANGES)(pieces, random)
  const attributes = join(...pieces)
  const nlri = random() < 0.2 ? randomOctets(random, 12) : body.subarray(nlriAt)
  return join(
    body.subarray(0, attributesAt - 2),
    Uint8Array.of(attributes.length >> 8, attributes.length),
    attributes,
    nlri,
  )
}

/** Changes one message of those in the input; its header mostly tells the truth afterwards. */
function changeMessage(octets: Uint8Array, random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  const starts = markers(octets)
  if (starts.length === 0) return pick(random, BLIND)(octets, random, corpus)
  const start = pick(random, starts)
  const end = Math.max(start + HEADER, Math.min(octets.length, start + uint16(octets, start + 16)))
  const header = octets.slice(start, start + HEADER)
  if (header.length < HEADER) return octets
  const body = octets.slice(start + HEADER, end)
  const isUpdate = header[18] === MessageType.Update && body.length >= 4
  const changed =
    isUpdate && random() < 0.7 ? changeUpdate(body, random) : pick(random, BLIND)(body, random, corpus).slice(0, 65_516)
  const length = HEADER + changed.length
  if (random() < 0.95) header.set([length >> 8, length], 16)
  return join(octets.subarray(0, start), header, changed, octets.subarray(end))
}

/** An input like one of the corpus, or of nothing but chance. */
export function mutate(random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  if (random() < 0.03) return randomOctets(random, 300)
  let octets: Uint8Array = pick(random, corpus).slice()
  for (let rounds = below(random, 5); rounds > 0; rounds--) {
    octets = random() < 0.6 ? changeMessage(octets, random, corpus) : pick(random, BLIND)(octets, random, corpus)
  }
  return octets.length > LONGEST ? octets.slice(0, LONGEST) : octets
}
