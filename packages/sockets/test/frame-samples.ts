const octets = (text: string): number[] => text.split('.').map(Number)

/** An ARP packet for IPv4 over Ethernet in a broadcast frame (RFC 826); operation 1 is a request, 2 a reply. */
export function arpFrame(target: string, operation = 1, sender = '10.0.0.9'): Uint8Array {
  const frame = new Uint8Array(42)
  frame.fill(0xff, 0, 6)
  frame.set([2, 0, 0, 0, 0, 0x0a], 6)
  frame.set([0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, operation], 12)
  frame.set([2, 0, 0, 0, 0, 0x0a, ...octets(sender)], 22)
  frame.set(octets(target), 38)
  return frame
}

/** A neighbour solicitation in its Ethernet frame (RFC 4861 section 4.3), checksum left out; type 136 is an advertisement. */
export function solicitationFrame(
  target: ArrayLike<number>,
  { hopLimit = 255, nextHeader = 58, type = 135, code = 0 } = {},
): Uint8Array {
  const frame = new Uint8Array(14 + 40 + 24)
  frame.set([0x33, 0x33, 0xff, 0, 0, 1, 2, 0, 0, 0, 0, 0x0a, 0x86, 0xdd, 0x60], 0)
  frame.set([0, 24, nextHeader, hopLimit], 18)
  frame.set([type, code], 54)
  frame.set(target, 62)
  return frame
}

/** Octets of an IPv4 address. */
export const ipv4 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)

/** Octets of an IPv6 address of four 32-bit words. */
export function ipv6(...words: readonly [number, number, number, number]): Uint8Array {
  const octets = new Uint8Array(16)
  words.forEach((word, i) => octets.set(ipv4(word), 4 * i))
  return octets
}

/** So many 32-bit numbers that look random and are the same each time. */
export function numbers(count: number, seed: number): readonly number[] {
  let state = seed
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state ^ (state >>> 15)) >>> 0
  })
}
