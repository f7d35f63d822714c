import { optional, whole, type Kinds } from '@typemetal/options'
import { duration } from '../time-kinds.js'
import type { Protocol } from '../responder/responder.js'

/** Times of a probe in milliseconds and numbers of frames, by their names in the RFCs and with the defaults from there. */
export interface ProbeTimes {
  /** PROBE_WAIT: a random part of it passes before the first ARP Probe (RFC 5227 §1.1). @default 1000 */
  readonly probeWait?: number
  /** PROBE_NUM: ARP Probes. @default 3 */
  readonly probeNum?: number
  /** PROBE_MIN: shortest time from one ARP Probe to the next. @default 1000 */
  readonly probeMin?: number
  /** PROBE_MAX: longest time from one ARP Probe to the next. @default 2000 */
  readonly probeMax?: number
  /** ANNOUNCE_WAIT: silence after the last ARP Probe that makes the address free. @default 2000 */
  readonly announceWait?: number
  /** MAX_RTR_SOLICITATION_DELAY: a random part of it passes before the first solicitation (RFC 4862 §5.4.2). @default 1000 */
  readonly maxRtrSolicitationDelay?: number
  /** DupAddrDetectTransmits: solicitations; 0 finds every address free at once (RFC 4862 §5.1). @default 1 */
  readonly dupAddrDetectTransmits?: number
  /** RetransTimer: from one solicitation to the next, and of silence after the last (RFC 4861 §10). @default 1000 */
  readonly retransTimer?: number
  /** MAX_MULTICAST_SOLICIT: so many more when the link sends ours back to us (RFC 7527 §4.1). @default 3 */
  readonly maxMulticastSolicit?: number
}

/** When probes of one address go out; the same for both protocols. */
export interface ProbeSchedule {
  readonly transmits: number
  /** Milliseconds before the first. */
  readonly wait: (random: () => number) => number
  /** Milliseconds from one to the next. */
  readonly gap: (random: () => number) => number
  /** Milliseconds of silence after the last. */
  readonly listen: number
  /** So many more when ours came back. */
  readonly more: number
}

const DEFAULTS = {
  probeWait: 1000,
  probeNum: 3,
  probeMin: 1000,
  probeMax: 2000,
  announceWait: 2000,
  maxRtrSolicitationDelay: 1000,
  dupAddrDetectTransmits: 1,
  retransTimer: 1000,
  maxMulticastSolicit: 3,
} as const satisfies Required<ProbeTimes>
const NAMES = Object.keys(DEFAULTS) as (keyof ProbeTimes)[]

/** What each of {@link ProbeTimes} has to be. */
export const PROBE_KINDS: Kinds<ProbeTimes> = {
  probeWait: optional(duration),
  probeNum: optional(whole(1)),
  probeMin: optional(duration),
  probeMax: optional(duration),
  announceWait: optional(duration),
  maxRtrSolicitationDelay: optional(duration),
  dupAddrDetectTransmits: optional(whole(0)),
  retransTimer: optional(duration),
  maxMulticastSolicit: optional(whole(1)),
}

/** @param times that {@link PROBE_KINDS} has let pass @throws {RangeError} PROBE_MAX below PROBE_MIN */
export function probeSchedule(protocol: Protocol, times: ProbeTimes): ProbeSchedule {
  const all = { ...DEFAULTS }
  for (const name of NAMES) Object.assign(all, { [name]: times[name] ?? DEFAULTS[name] })
  if (all.probeMax < all.probeMin) {
    throw new RangeError(`probeMax must be no less than probeMin, which is ${all.probeMin}, not ${all.probeMax}`)
  }
  if (protocol === 'ndp') {
    return {
      transmits: all.dupAddrDetectTransmits,
      wait: random => random() * all.maxRtrSolicitationDelay,
      gap: () => all.retransTimer,
      listen: all.retransTimer,
      more: all.maxMulticastSolicit,
    }
  }
  return {
    transmits: all.probeNum,
    wait: random => random() * all.probeWait,
    gap: random => all.probeMin + random() * (all.probeMax - all.probeMin),
    listen: all.announceWait,
    more: 0,
  }
}
