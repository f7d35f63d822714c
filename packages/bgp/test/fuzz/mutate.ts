import {
  below,
  INTERESTING_OCTETS,
  joinOctets,
  mutateBlindly,
  mutator,
  pick,
  randomOctets,
  type Mutation,
  type Random,
} from '@typemetal/lab'
import { MessageType } from '@typemetal/bgp/wire'

const LONGEST = 70_000
const HEADER = 19

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
  return joinOctets(Uint8Array.of(flags, code, ...length), value)
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
    const value =
      random() < 0.5
        ? piece.slice(3, 3 + below(random, piece.length + 1))
        : joinOctets(piece.slice(3), randomOctets(random, 9))
    pieces[index] = joinOctets(piece.subarray(0, 2), Uint8Array.of(value.length), value)
  },
  (pieces, random) => {
    const piece = pick(random, pieces)
    for (let i = 3; i < piece.length; i++) if (random() < 0.2) piece[i] = pick(random, INTERESTING_OCTETS)
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
  const attributes = joinOctets(...pieces)
  const nlri = random() < 0.2 ? randomOctets(random, 12) : body.subarray(nlriAt)
  return joinOctets(
    body.subarray(0, attributesAt - 2),
    Uint8Array.of(attributes.length >> 8, attributes.length),
    attributes,
    nlri,
  )
}

/** Changes one message of those in the input; its header mostly tells the truth afterwards. */
const changeMessage: Mutation = (octets, random, corpus) => {
  const starts = markers(octets)
  if (starts.length === 0) return mutateBlindly(octets, random, corpus)
  const start = pick(random, starts)
  const end = Math.max(start + HEADER, Math.min(octets.length, start + uint16(octets, start + 16)))
  const header = octets.slice(start, start + HEADER)
  if (header.length < HEADER) return octets
  const body = octets.slice(start + HEADER, end)
  const isUpdate = header[18] === MessageType.Update && body.length >= 4
  const changed =
    isUpdate && random() < 0.7 ? changeUpdate(body, random) : mutateBlindly(body, random, corpus).slice(0, 65_516)
  const length = HEADER + changed.length
  if (random() < 0.95) header.set([length >> 8, length], 16)
  return joinOctets(octets.subarray(0, start), header, changed, octets.subarray(end))
}

/** An input like one of the corpus, or of nothing but chance. */
export const mutate = mutator(changeMessage, LONGEST)
