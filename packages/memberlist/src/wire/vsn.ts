/**
 * The six version octets of a node: what protocol it understands (`pMin` to `pMax`), what it speaks (`pCur`), and the
 * same for its delegate, which is what the program above (serf, for one) calls its own protocol.
 */
export interface Versions {
  readonly pMin: number
  readonly pMax: number
  readonly pCur: number
  readonly dMin: number
  readonly dMax: number
  readonly dCur: number
}

/** What the protocol versions brought; a feature is used with a peer whose `pMax` is at least this. */
export const ProtocolVersion = {
  Min: 1,
  /** Ports in messages, encryption without padding. */
  Ports: 2,
  TcpPing: 3,
  Nack: 4,
  Crc: 5,
  Max: 5,
} as const

/** A node about which no versions were heard. */
export const NO_VERSIONS: Versions = { pMin: 0, pMax: 0, pCur: 0, dMin: 0, dMax: 0, dCur: 0 }

/** Nearly all nodes of a ring have the same versions: they share one object, and its octets. */
let last = NO_VERSIONS
let lastOctets = new Uint8Array(6)

/** The `Vsn` field; not to be written to. */
export function encodeVersions(v: Versions): Uint8Array {
  if (v !== last) {
    last = v
    lastOctets = Uint8Array.of(v.pMin, v.pMax, v.pCur, v.dMin, v.dMax, v.dCur)
  }
  return lastOctets
}

/** Versions of a `Vsn` field of at least six octets, else `undefined`. */
export function decodeVersions(vsn: Uint8Array | undefined): Versions | undefined {
  if (vsn === undefined || vsn.length < 6) return undefined
  if (!isSame(vsn, last)) {
    last = { pMin: vsn[0]!, pMax: vsn[1]!, pCur: vsn[2]!, dMin: vsn[3]!, dMax: vsn[4]!, dCur: vsn[5]! }
    lastOctets = Uint8Array.from(vsn.subarray(0, 6))
  }
  return last
}

/** Whether two nodes say the same. */
export const sameVersions = (a: Versions, b: Versions): boolean =>
  a === b ||
  (a.pMin === b.pMin &&
    a.pMax === b.pMax &&
    a.pCur === b.pCur &&
    a.dMin === b.dMin &&
    a.dMax === b.dMax &&
    a.dCur === b.dCur)

const isSame = (vsn: Uint8Array, v: Versions): boolean =>
  vsn[0] === v.pMin &&
  vsn[1] === v.pMax &&
  vsn[2] === v.pCur &&
  vsn[3] === v.dMin &&
  vsn[4] === v.dMax &&
  vsn[5] === v.dCur
