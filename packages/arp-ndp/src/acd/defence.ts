import { oneOf } from '@typemetal/options'
import type { Instant } from '../responder/announcer.js'

/**
 * What to do about a second owner, RFC 5227 §2.4: (a) `never` defend, who wins is for the caller to decide; (b) `once`, and give
 * the address up when the other one does not; (c) `always`, but no more often than DEFEND_INTERVAL.
 */
export type DefencePolicy = 'never' | 'once' | 'always'

/** One of the three. */
export const policy = oneOf<DefencePolicy>('never', 'once', 'always')

/** Whether to send a defending frame, and whether the address is lost (RFC 5227 §2.4 (b): MUST immediately cease using it). */
export interface DefenceVerdict {
  readonly defend: boolean
  readonly lost: boolean
}

/** Answers to probes for one address within a second: more would let a flood of probes make a flood of multicasts. */
const PROBE_ANSWERS = 10
const SECOND = 1000
const NOTHING: DefenceVerdict = { defend: false, lost: false }
const DEFEND: DefenceVerdict = { defend: true, lost: false }
const LOST: DefenceVerdict = { defend: false, lost: true }

interface Memory {
  /** When the address was last defended. */
  defended: Instant
  /** Begin of the second in which answers to probes are counted. */
  second: Instant
  answers: number
}

/** When an address is defended. Remembers no more addresses than are in conflict. Reads no clock. */
export class Defence {
  readonly #policy: DefencePolicy
  readonly #interval: number
  readonly #memory = new Map<string, Memory>()

  /** @param interval DEFEND_INTERVAL, milliseconds */
  constructor(policy: DefencePolicy, interval: number) {
    this.#policy = policy
    this.#interval = interval
  }

  /** Number of addresses remembered. */
  get size(): number {
    return this.#memory.size
  }

  /** Somebody else claims the address, which is its canonical text. */
  claimed(address: string, now: Instant): DefenceVerdict {
    if (this.#policy === 'never') return NOTHING
    const memory = this.#of(address)
    if (now - memory.defended < this.#interval) return this.#policy === 'once' ? LOST : NOTHING
    memory.defended = now
    return DEFEND
  }

  /** Somebody else's Duplicate Address Detection asks for it: a node that has the address MUST answer (RFC 4861 §7.2.4). */
  probed(address: string, now: Instant): DefenceVerdict {
    if (this.#policy === 'never') return NOTHING
    const memory = this.#of(address)
    if (now - memory.second >= SECOND) Object.assign(memory, { second: now, answers: 0 })
    return ++memory.answers > PROBE_ANSWERS ? NOTHING : DEFEND
  }

  #of(address: string): Memory {
    let memory = this.#memory.get(address)
    if (memory === undefined) {
      memory = { defended: -Infinity, second: -Infinity, answers: 0 }
      this.#memory.set(address, memory)
    }
    return memory
  }

  /** Forgets what no longer holds anything back. */
  sweep(now: Instant): void {
    for (const [address, { defended, second }] of this.#memory) {
      if (now - defended >= this.#interval && now - second >= SECOND) this.#memory.delete(address)
    }
  }
}
