// Reads a stream of BGP messages as fast as it comes, and keeps of UPDATEs only which prefixes of 24 bits stand.

const HEADER = 19
const MP_REACH_NLRI = 14
const MP_UNREACH_NLRI = 15
const NOTHING = new Uint8Array(0)

/** Which of the 2^24 prefixes of 24 bits are held. Shorter and longer ones count as the /24 that they start in. */
export class PrefixSet {
  #held = new Uint8Array(1 << 24)
  /** How many. */
  size = 0
  /** Announcements and withdrawals so far, repeated ones too. */
  announced = 0
  withdrawn = 0

  clear() {
    if (this.size > 0) this.#held.fill(0)
    this.size = 0
    this.announced = 0
    this.withdrawn = 0
  }

  /** @param octets NLRI from `at` to `end` */
  announce(octets, at, end) {
    const held = this.#held
    while (at < end) {
      const length = octets[at]
      const prefix = (octets[at + 1] << 16) | (octets[at + 2] << 8) | octets[at + 3]
      this.announced++
      if (held[prefix] === 0) {
        held[prefix] = 1
        this.size++
      }
      at += 1 + ((length + 7) >> 3)
    }
  }

  withdraw(octets, at, end) {
    const held = this.#held
    while (at < end) {
      const length = octets[at]
      const prefix = (octets[at + 1] << 16) | (octets[at + 2] << 8) | octets[at + 3]
      this.withdrawn++
      if (held[prefix] === 1) {
        held[prefix] = 0
        this.size--
      }
      at += 1 + ((length + 7) >> 3)
    }
  }
}

/** Some daemons carry IPv4 in MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 4760). */
function scanAttributes(octets, at, end, prefixes) {
  while (at < end) {
    const isExtended = (octets[at] & 0x10) !== 0
    const type = octets[at + 1]
    const length = isExtended ? (octets[at + 2] << 8) | octets[at + 3] : octets[at + 2]
    const value = at + (isExtended ? 4 : 3)
    if (type === MP_REACH_NLRI) prefixes.announce(octets, value + 5 + octets[value + 3], value + length)
    else if (type === MP_UNREACH_NLRI) prefixes.withdraw(octets, value + 3, value + length)
    at = value + length
  }
}

/** @param start of the message, header included */
function scanUpdate(octets, start, end, prefixes) {
  const withdrawn = start + HEADER + 2
  const attributes = withdrawn + ((octets[withdrawn - 2] << 8) | octets[withdrawn - 1]) + 2
  const nlri = attributes + ((octets[attributes - 2] << 8) | octets[attributes - 1])
  prefixes.withdraw(octets, withdrawn, attributes - 2)
  if (nlri < end) prefixes.announce(octets, nlri, end)
  else scanAttributes(octets, attributes, nlri, prefixes)
}

/** Cuts a stream into messages. */
export class Scanner {
  #rest = NOTHING
  #prefixes
  #message

  /**
   * @param prefixes where UPDATEs go; without it they are skipped
   * @param message called with type and octets of every other message
   */
  constructor(prefixes, message) {
    this.#prefixes = prefixes
    this.#message = message
  }

  push(chunk) {
    const octets = this.#rest.length === 0 ? chunk : join(this.#rest, chunk)
    let at = 0
    while (octets.length - at >= HEADER) {
      const end = at + ((octets[at + 16] << 8) | octets[at + 17])
      if (end > octets.length) break
      const type = octets[at + 18]
      if (type !== 2) this.#message(type, octets.subarray(at, end))
      else if (this.#prefixes) scanUpdate(octets, at, end, this.#prefixes)
      at = end
    }
    this.#rest = at === octets.length ? NOTHING : octets.slice(at)
  }
}

function join(a, b) {
  const octets = new Uint8Array(a.length + b.length)
  octets.set(a)
  octets.set(b, a.length)
  return octets
}
