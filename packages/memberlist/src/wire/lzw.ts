import { WireError } from './error.js'

/** LZW as Go's compress/lzw does it: least significant bit first, 8-bit literals, codes of 9 to 12 bits. */
const CLEAR = 256
const END = 257
const MIN_WIDTH = 9
const MAX_WIDTH = 12
const MAX_CODE = (1 << MAX_WIDTH) - 1

/** Open-addressed dictionary of the encoder: key is prefix code and octet, plus one because 0 marks a free slot. */
const SLOTS = 1 << 14
const keys = new Int32Array(SLOTS)
const codes = new Uint16Array(SLOTS)
const slotOf = (key: number): number => (Math.imul(key, 0x9e3779b1) >>> 18) & (SLOTS - 1)

class BitWriter {
  #octets: Uint8Array
  #length = 0
  #bits = 0
  #pending = 0

  constructor(capacity: number) {
    this.#octets = new Uint8Array(capacity)
  }

  write(code: number, width: number): void {
    this.#bits |= code << this.#pending
    this.#pending += width
    for (; this.#pending >= 8; this.#pending -= 8) {
      this.#push(this.#bits & 0xff)
      this.#bits >>>= 8
    }
  }

  finish(): Uint8Array {
    if (this.#pending > 0) this.#push(this.#bits & 0xff)
    return this.#octets.subarray(0, this.#length)
  }

  #push(octet: number): void {
    if (this.#length === this.#octets.length) {
      const grown = new Uint8Array(this.#octets.length * 2)
      grown.set(this.#octets)
      this.#octets = grown
    }
    this.#octets[this.#length++] = octet
  }
}

/** Compressed octets, the same as Go's encoder writes. */
export function lzwEncode(input: Uint8Array): Uint8Array {
  const out = new BitWriter((input.length >> 1) + 16)
  let width = MIN_WIDTH
  let high = END // last code given to an entry
  keys.fill(0)
  out.write(CLEAR, width)

  /** Writes a data code; true when the codes ran out and all starts anew, so no entry may be added. */
  const emit = (code: number): boolean => {
    out.write(code, width)
    high++
    if (high === 1 << width) width++
    if (high < MAX_CODE) return false
    out.write(CLEAR, width)
    width = MIN_WIDTH
    high = END
    keys.fill(0)
    return true
  }

  if (input.length > 0) {
    let code = input[0]!
    for (let i = 1; i < input.length; i++) {
      const octet = input[i]!
      const key = ((code << 8) | octet) + 1
      let slot = slotOf(key)
      while (keys[slot] !== 0 && keys[slot] !== key) slot = (slot + 1) & (SLOTS - 1)
      if (keys[slot] === key) {
        code = codes[slot]!
        continue
      }
      if (!emit(code)) {
        keys[slot] = key
        codes[slot] = high
      }
      code = octet
    }
    emit(code)
  }
  out.write(END, width)
  return out.finish()
}

/** Dictionary of the decoder: no entry is read that was not written since the last CLEAR, so none is ever wiped. */
const starts = new Uint32Array(MAX_CODE + 1)
const lengths = new Uint32Array(MAX_CODE + 1)

/**
 * Expands what {@link lzwEncode} made. A code stands for octets that the output already holds, so the dictionary is
 * two numbers an entry, and an entry whose last octet is not yet known resolves itself.
 *
 * @param limit most octets to give back; the ratio goes to 1330 : 1, so a datagram can unfold to 87 MB
 * @throws {WireError} `limit`, `truncated` when END is missing, `malformed` on a code that stands for nothing
 */
export function lzwDecode(input: Uint8Array, limit: number): Uint8Array {
  if (input.length === 0) throw new WireError('truncated', 'compressed data ends early')
  let output = new Uint8Array(Math.min(limit, Math.max(64, input.length * 4)))
  let length = 0
  let bits = 0
  let pending = 0
  let width = MIN_WIDTH
  let next = END + 1 // code of the next entry
  let last = -1 // start of what the previous code stood for, when an entry is to be made of it
  let lastLength = 0

  for (let i = 0; ;) {
    while (pending < width) {
      if (i === input.length) throw new WireError('truncated', 'compressed data ends early', i)
      bits |= input[i++]! << pending
      pending += 8
    }
    const code = bits & ((1 << width) - 1)
    bits >>>= width
    pending -= width
    if (code === END) return output.subarray(0, length)
    if (code === CLEAR) {
      width = MIN_WIDTH
      next = END + 1
      last = -1
      continue
    }
    if (last >= 0) {
      starts[next] = last
      lengths[next] = lastLength + 1
      next++
    }
    if (code >= next) throw new WireError('malformed', `code ${code} is not defined`, i)
    const size = code < CLEAR ? 1 : lengths[code]!
    if (length + size > limit) throw new WireError('limit', `more than ${limit} octets decompressed`, i)
    if (length + size > output.length)
      output = grow(output, Math.min(limit, Math.max(output.length * 2, length + size)))
    if (code < CLEAR) output[length] = code
    else copyForward(output, starts[code]!, length, size)
    last = length
    lastLength = size
    length += size
    // The entry that the coming code completes widens the codes before it is read.
    if (next === 1 << width && width < MAX_WIDTH) width++
    if (next > MAX_CODE) last = -1 // the dictionary is full: nothing more is added until CLEAR
  }
}

function grow(octets: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(size)
  grown.set(octets)
  return grown
}

/** Source and target may overlap by design: the last octet of a just-made entry is the first one written. */
function copyForward(octets: Uint8Array, from: number, to: number, size: number): void {
  if (from + size <= to) octets.copyWithin(to, from, from + size)
  else for (let k = 0; k < size; k++) octets[to + k] = octets[from + k]!
}
