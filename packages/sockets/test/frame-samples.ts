const octets = (text: string): number[] => text.split('.').map(Number)

/** An ARP packet for IPv4 over Ethernet in a broadcast frame (RFC 826); operation 1 is a request, 2 a reply. */
export function arpFrame(target: string, operation = 1): Uint8Array {
  const frame = new Uint8Array(42)
  frame.fill(0xff, 0, 6)
  frame.set([2, 0, 0, 0, 0, 0x0a], 6)
  frame.set([0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, operation], 12)
  frame.set([2, 0, 0, 0, 0, 0x0a, ...octets('10.0.0.9')], 22)
  frame.set(octets(target), 38)
  return frame
}

/** A neighbour solicitation in its Ethernet frame (RFC 4861 section 4.3), checksum left out. */
export function solicitationFrame(
  target: readonly number[],
  { hopLimit = 255, nextHeader = 58, code = 0 } = {},
): Uint8Array {
  const frame = new Uint8Array(14 + 40 + 24)
  frame.set([0x33, 0x33, 0xff, 0, 0, 1, 2, 0, 0, 0, 0, 0x0a, 0x86, 0xdd, 0x60], 0)
  frame.set([0, 24, nextHeader, hopLimit], 18)
  frame.set([135, code], 54)
  frame.set(target, 62)
  return frame
}
