import type { BGPPeer } from '../resources/metallb.js'
import { parseDuration } from './duration.js'
import type { ErrorList } from './error-list.js'

/** Seconds: RFC 4271 section 4.2. */
const MAX_HOLD_TIME = 65_535

/** Times of a session in seconds. */
export interface Timers {
  /** Whole seconds: RFC 4271 §4.2 has no place for less. */
  readonly holdTimeSeconds?: number
  readonly keepaliveTimeSeconds?: number
  readonly connectTimeSeconds?: number
}

/** Reads the times of a peer. One of hold and keepalive time gives the other, a third or three times of it. */
export function buildTimers(peer: BGPPeer, errors: ErrorList): Timers {
  const { holdTime: holdText, keepaliveTime: keepaliveText } = peer.spec
  const read = readDurations(peer, errors)
  if (!read) return {}
  const { connectTimeSeconds } = read
  const hold = read.hold ?? (read.keepalive === undefined ? undefined : read.keepalive * 3)
  const keepalive = read.keepalive ?? (hold === undefined ? undefined : hold / 3)
  if (hold === undefined || keepalive === undefined)
    return { ...(connectTimeSeconds !== undefined && { connectTimeSeconds }) }
  const whole = Math.trunc(hold)
  // 16 bits in the OPEN message; MetalLB cuts off what is above them.
  const fault = whole > MAX_HOLD_TIME ? `must be at most ${MAX_HOLD_TIME}s` : 'must be 0 or >=3s'
  if (whole > MAX_HOLD_TIME || (whole !== 0 && whole < 3)) {
    const field = holdText === undefined ? 'spec.keepaliveTime' : 'spec.holdTime'
    const shown = holdText ?? `${hold}s`
    errors.add(peer, field, `invalid BGPPeer timers: invalid hold time "${shown}": ${fault}`)
  }
  if (keepalive > hold || keepalive < 0) {
    const reason = `invalid keepaliveTime "${keepaliveText ?? keepalive}", must be lower than holdTime "${holdText ?? hold}"`
    errors.add(peer, 'spec.keepaliveTime', reason)
  }
  return {
    holdTimeSeconds: whole,
    keepaliveTimeSeconds: keepalive,
    ...(connectTimeSeconds !== undefined && { connectTimeSeconds }),
  }
}

function readDurations(
  peer: BGPPeer,
  errors: ErrorList,
): { hold: number | undefined; keepalive: number | undefined; connectTimeSeconds: number | undefined } | undefined {
  const known = errors.errors.length
  const read = (name: 'holdTime' | 'keepaliveTime' | 'connectTime'): number | undefined => {
    const text = peer.spec[name]
    if (text === undefined) return undefined
    const seconds = parseDuration(text)
    if (seconds === undefined) errors.add(peer, `spec.${name}`, `invalid duration "${text}", must be like 90s or 1m30s`)
    return seconds
  }
  const hold = read('holdTime')
  const keepalive = read('keepaliveTime')
  const connectTime = read('connectTime')
  // Its range is the schema's. The timer counts seconds.
  const connectTimeSeconds = connectTime === undefined ? undefined : Math.trunc(connectTime)
  return errors.errors.length === known ? { hold, keepalive, connectTimeSeconds } : undefined
}
