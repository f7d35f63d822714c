// Addresses that follow on each other, as text.

/** @param first of IPv4; or of IPv6, with a last group of 0 */
export function following(first, count) {
  if (first.includes(':')) {
    const prefix = first.slice(0, first.lastIndexOf(':') + 1)
    return Array.from({ length: count }, (_, i) => `${prefix}${i.toString(16)}`)
  }
  const [a, b, c, d] = first.split('.').map(Number)
  return Array.from({ length: count }, (_, i) => {
    const low = c * 256 + d + i
    return `${a}.${b}.${low >> 8}.${low & 255}`
  })
}
