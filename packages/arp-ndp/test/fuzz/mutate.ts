/** Inputs like frames: the parts that lengths and checksums guard are changed, and the guards mostly made good again. */
import {
  below,
  joinOctets,
  mutateBlindly,
  mutator,
  pick,
  randomOctets,
  type Mutation,
  type Random,
} from '@typemetal/lab'
import * as wire from '@typemetal/arp-ndp/wire'

const LONGEST = 9100
const IPV6 = 14
const ICMPV6 = 54
/** Octets before the options, by ICMPv6 type. */
const FIXED: Readonly<Record<number, number>> = { 133: 8, 134: 16, 135: 24, 136: 24, 137: 40 }
const OPTION_TYPES = [1, 2, 3, 4, 5, 14, 24, 25, 26, 31, 38]

/** An option whose Length field is right; its contents are chance. */
function anyOption(random: Random): Uint8Array {
  const units = 1 + below(random, random() < 0.9 ? 5 : 255)
  const type = random() < 0.9 ? pick(random, OPTION_TYPES) : below(random, 256)
  return Uint8Array.from({ length: units * 8 }, (_, i) => [type, units][i] ?? below(random, 256))
}

/** Options as pieces of octets, as far as they can be told apart. */
function split(octets: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < octets.length;) {
    const length = Math.max(1, octets[at + 1] ?? 0) * 8
    pieces.push(octets.slice(at, at + length))
    at += length
  }
  return pieces
}

const OPTION_CHANGES: readonly ((pieces: Uint8Array[], random: Random) => void)[] = [
  (pieces, random) => void pieces.splice(below(random, pieces.length + 1), 0, anyOption(random)),
  (pieces, random) => void pieces.splice(below(random, pieces.length), 1),
  (pieces, random) => void pieces.splice(below(random, pieces.length), 0, pieces[below(random, pieces.length)]!),
  (pieces, random) => void (pieces[below(random, pieces.length)]![1] = pick(random, [0, 1, 2, 3, 255])),
  (pieces, random) => void (pieces[below(random, pieces.length)]![0] = pick(random, OPTION_TYPES)),
  (pieces, random) => {
    const piece = pieces[below(random, pieces.length)]!
    for (let i = 2; i < piece.length; i++) if (random() < 0.2) piece[i] = below(random, 256)
  },
]

/** Changes the options of a message, or its other octets. */
function changeMessage(message: Uint8Array, random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  const fixed = FIXED[message[0] ?? 0]
  if (fixed === undefined || random() < 0.4) return mutateBlindly(message, random, corpus).slice(0, LONGEST)
  const pieces = split(message.subarray(fixed))
  if (pieces.length === 0) pieces.push(anyOption(random))
  pick(random, OPTION_CHANGES)(pieces, random)
  return joinOctets(message.subarray(0, fixed), ...pieces)
}

/** A frame with an ICMPv6 message keeps its Payload Length and checksum right, most of the time. */
function changeNdp(frame: Uint8Array, random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  const message = changeMessage(frame.slice(ICMPV6), random, corpus)
  const changed = joinOctets(frame.subarray(0, ICMPV6), message)
  if (random() < 0.3) changed.set(pick(random, corpus).subarray(22, 54), 22) // other addresses
  if (random() < 0.95) changed.set([message.length >> 8, message.length], IPV6 + 4)
  if (message.length >= 4 && random() < 0.95) {
    wire.writeChecksum(changed.subarray(22, 38), changed.subarray(38, 54), changed.subarray(ICMPV6))
  }
  return changed
}

const changeFrame: Mutation = (octets, random, corpus) => {
  if (octets.length >= ICMPV6 && octets[12] === 0x86 && octets[20] === 58) return changeNdp(octets, random, corpus)
  if (random() < 0.1) {
    const tag = Uint8Array.of(pick(random, [0x81, 0x88, 0x91]), pick(random, [0, 0xa8]), below(random, 256), 1)
    return joinOctets(octets.subarray(0, 12), tag, octets.subarray(12))
  }
  const payload = mutateBlindly(octets.slice(IPV6), random, [randomOctets(random, 60), ...corpus])
  return joinOctets(octets.subarray(0, IPV6), payload)
}

/** An input like one of the corpus, or of nothing but chance. */
export const mutate = mutator(changeFrame, LONGEST)
