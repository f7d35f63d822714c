// The routes that every daemon gets: real ones in size and variety, and the same octets in every run.

/** Prefixes in one UPDATE: neighbours, as an AS announces them. */
const PER_UPDATE = 5
/** Each UPDATE has a block of eight /24 of its own; blocks are spread over the address space by a step that is prime to their number. */
const BLOCK = 8
const BLOCKS = 1 << 21
const STEP = 1_299_709
/** First octets that routers refuse, are ours here, or are kept for single routes ({@link spare}). */
const REFUSED = new Set([0, 10, 100, 127, 169, 172, 192, 198, 203])
const FIRST_MULTICAST = 224

const HEADER = 19
const PATH = [3, 4, 5, 6]
const LAST_AS = 100_000
const TRANSITIVE = 0x40
const OPTIONAL_TRANSITIVE = 0xc0

/** Numbers of 32 bits in an order that only the seed decides (xorshift). */
function randomFrom(seed) {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

/** Leading 24 bits of the prefixes, one UPDATE after the other. */
function* blocks() {
  for (let i = 0, block = 0; i < BLOCKS; i++, block = (block + STEP) % BLOCKS) {
    const first = block >> 13
    if (first < FIRST_MULTICAST && !REFUSED.has(first)) yield block * BLOCK
  }
}

/** Leading 24 bits of the i-th prefix that no table has: 198.18.0.0/15, then 198.20.0.0/14 and on. */
export const spare = i => (198 << 16) + (18 << 8) + i

/** One UPDATE message, RFC 4271 section 4.3, with prefixes of 24 bits. @returns where it ends */
export function writeUpdate(into, at, { prefixes, asPath, nextHop, communities = [] }) {
  const start = at
  let i = at + HEADER + 4
  const byte = (...values) => {
    for (const value of values) into[i++] = value
  }
  const word = value => byte(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)
  byte(TRANSITIVE, 1, 1, 0)
  byte(TRANSITIVE, 2, 2 + 4 * asPath.length, 2, asPath.length)
  asPath.forEach(word)
  byte(TRANSITIVE, 3, 4, ...nextHop)
  if (communities.length > 0) byte(OPTIONAL_TRANSITIVE, 8, 4 * communities.length)
  communities.forEach(word)
  const attributes = i - start - HEADER - 4
  for (const prefix of prefixes) byte(24, prefix >>> 16, (prefix >>> 8) & 255, prefix & 255)
  writeFrame(into, start, i, 2)
  into[start + HEADER] = 0
  into[start + HEADER + 1] = 0
  into[start + HEADER + 2] = attributes >> 8
  into[start + HEADER + 3] = attributes & 255
  return i
}

/** The header of a message, RFC 4271 section 4.1. */
export function writeFrame(into, start, end, type) {
  into.fill(0xff, start, start + 16)
  into[start + 16] = (end - start) >> 8
  into[start + 17] = (end - start) & 255
  into[start + 18] = type
}

/**
 * Announcements of `size` prefixes, five to an UPDATE, AS_PATH of 3 to 6 ASes that no other UPDATE has, two communities on
 * every second. A smaller size is the start of a larger one.
 * @param size a multiple of five
 * @param asn first of every AS_PATH
 * @param nextHop four octets
 */
export function announcements(size, { asn, nextHop, seed = 4271 }) {
  const random = randomFrom(seed)
  const into = new Uint8Array((size / PER_UPDATE) * 100)
  const source = blocks()
  let at = 0
  for (let update = 0; update < size / PER_UPDATE; update++) {
    const block = source.next().value
    const between = PATH[random() % PATH.length] - 2
    const asPath = [asn, ...Array.from({ length: between }, () => 1000 + (random() % 60_000)), LAST_AS + update]
    const communities =
      update % 2 === 0 ? [(asPath[1] << 16) | (random() & 0xffff), (asn << 16) | (random() & 0xff)] : []
    const prefixes = Array.from({ length: PER_UPDATE }, (_, i) => block + i)
    at = writeUpdate(into, at, { prefixes, asPath, nextHop, communities })
  }
  return into.subarray(0, at)
}

/** Withdrawals of the same prefixes in the same order, a thousand to an UPDATE. */
export function withdrawals(size) {
  const each = 1000
  const into = new Uint8Array(size * 4 + Math.ceil(size / each) * (HEADER + 4))
  const source = blocks()
  let at = 0
  for (let done = 0; done < size;) {
    const start = at
    const count = Math.min(each, size - done)
    at += HEADER + 2
    for (let i = 0; i < count; i += PER_UPDATE) {
      const block = source.next().value
      for (let p = block; p < block + PER_UPDATE; p++) {
        into[at++] = 24
        into[at++] = p >>> 16
        into[at++] = (p >>> 8) & 255
        into[at++] = p & 255
      }
    }
    into[start + HEADER] = (count * 4) >> 8
    into[start + HEADER + 1] = (count * 4) & 255
    at += 2 // no path attributes
    writeFrame(into, start, at, 2)
    done += count
  }
  return into
}
