import { below, pick, randomOctets, type Random } from './random.js'

/** Octets that lengths, counts and codes trip over. */
export const INTERESTING_OCTETS: readonly number[] = [
  0, 1, 2, 3, 4, 7, 8, 16, 19, 23, 32, 33, 64, 127, 128, 129, 192, 254, 255,
]

/** All octets, one behind the other. */
export function joinOctets(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** Makes one input of another; it may write to what it is given. */
export type Mutation = (octets: Uint8Array, random: Random, corpus: readonly Uint8Array[]) => Uint8Array

const at = (random: Random, octets: Uint8Array): number => below(random, octets.length + 1)

/** Changes that know nothing of what the octets mean. */
const BLIND: readonly Mutation[] = [
  (octets, random) => {
    if (octets.length > 0) octets[below(random, octets.length)]! ^= 1 << below(random, 8)
    return octets
  },
  (octets, random) => {
    if (octets.length > 0) octets[below(random, octets.length)] = pick(random, INTERESTING_OCTETS)
    return octets
  },
  (octets, random) => {
    if (octets.length > 0) octets[below(random, octets.length)]! += random() < 0.5 ? 1 : -1
    return octets
  },
  (octets, random) => octets.slice(0, at(random, octets)),
  (octets, random) => {
    const start = at(random, octets)
    return joinOctets(octets.subarray(0, start), octets.subarray(start + 1 + below(random, 8)))
  },
  (octets, random) => {
    const start = at(random, octets)
    return joinOctets(octets.subarray(0, start), randomOctets(random, 24), octets.subarray(start))
  },
  (octets, random) => {
    const start = at(random, octets)
    const end = start + below(random, 64)
    return joinOctets(octets.subarray(0, end), octets.subarray(start))
  },
  (octets, random, corpus) => {
    const other = pick(random, corpus)
    return joinOctets(octets.subarray(0, at(random, octets)), other.subarray(at(random, other)))
  },
  (octets, _, corpus) => joinOctets(octets, corpus[0] ?? octets),
  (octets, random, corpus) => joinOctets(octets, pick(random, corpus)),
]

/** One change that knows nothing of what the octets mean. */
export const mutateBlindly: Mutation = (octets, random, corpus) => pick(random, BLIND)(octets, random, corpus)

/**
 * Makes inputs like those of the corpus, with up to four changes each, and some of nothing but chance.
 *
 * @param changeWisely a change that knows what the octets mean; six of ten are made by it
 * @param longest octets that an input has at most
 */
export function mutator(
  changeWisely: Mutation,
  longest: number,
): (random: Random, corpus: readonly Uint8Array[]) => Uint8Array {
  return (random, corpus) => {
    if (random() < 0.03) return randomOctets(random, 300)
    let octets: Uint8Array = pick(random, corpus).slice()
    for (let rounds = below(random, 5); rounds > 0; rounds--) {
      octets = random() < 0.6 ? changeWisely(octets, random, corpus) : mutateBlindly(octets, random, corpus)
    }
    return octets.length > longest ? octets.slice(0, longest) : octets
  }
}
