import type { Milliseconds } from './types.js'

/** How many packets carry a broadcast before it is dropped: `mult × ⌈log₁₀(n + 1)⌉`. */
export const retransmitLimit = (retransmitMult: number, n: number): number =>
  retransmitMult * Math.ceil(Math.log10(n + 1))

/** The 32-bit number after another; 0 follows the last. */
export const nextNumber = (n: number): number => (n + 1) >>> 0

/** How long a node is suspected at least before it is declared dead; the logarithm counts in thousandths. */
export function suspicionTimeout(suspicionMult: number, n: number, probeInterval: Milliseconds): Milliseconds {
  const scale = Math.max(1, Math.log10(Math.max(1, n)))
  return (suspicionMult * Math.floor(scale * 1000) * probeInterval) / 1000
}

/**
 * What is left of a suspicion after `n` of `k` expected confirmations (Lifeguard); 0 or less: the time is over.
 *
 * @param elapsed since the suspicion began
 */
export function remainingSuspicion(
  n: number,
  k: number,
  elapsed: Milliseconds,
  min: Milliseconds,
  max: Milliseconds,
): Milliseconds {
  const fraction = Math.log(n + 1) / Math.log(k + 1)
  const timeout = Math.max(min, Math.floor(max - fraction * (max - min)))
  return timeout - elapsed
}

/** Interval of push/pulls in a ring of `n`: it grows with the logarithm above 32 nodes. */
export function pushPullScale(interval: Milliseconds, n: number): Milliseconds {
  return n <= 32 ? interval : (Math.ceil(Math.log2(n) - 5) + 1) * interval
}
