import type { Family } from '../family.js'
import { readUint16, writeUint16 } from '../octets.js'
import type { CapabilityCodec } from './capability.js'

/** A family whose stale routes are kept long. */
export interface LongLivedFamily extends Family {
  /** F bit: the sender has kept its forwarding state through its last restart. */
  readonly forwardingPreserved: boolean
  /** Long-Lived Stale Time in seconds: 0 to 16,777,215. */
  readonly staleTime: number
}

/** Long-Lived Graceful Restart capability, RFC 9494 section 3.1. */
export interface LongLivedGracefulRestartCapability {
  readonly type: 'long-lived-graceful-restart'
  readonly families: readonly LongLivedFamily[]
}

const UNIT = 7 // AFI, SAFI, flags, and 3 octets of time
const FORWARDING = 0x80
const MAX_STALE_TIME = 0xff_ffff

/** Codec of {@link LongLivedGracefulRestartCapability}. */
export const longLivedGracefulRestart: CapabilityCodec<LongLivedGracefulRestartCapability> = {
  code: 71,
  type: 'long-lived-graceful-restart',
  allows: length => length % UNIT === 0,
  decode(value) {
    const families: LongLivedFamily[] = []
    for (let at = 0; at < value.length; at += UNIT) {
      const forwardingPreserved = (value[at + 3]! & FORWARDING) !== 0
      const staleTime = (value[at + 4]! << 16) | readUint16(value, at + 5)
      families.push({ afi: readUint16(value, at), safi: value[at + 2]!, forwardingPreserved, staleTime })
    }
    return { type: 'long-lived-graceful-restart', families }
  },
  length: ({ families }) => UNIT * families.length,
  encode({ families }, into) {
    let at = 0
    for (const { afi, safi, forwardingPreserved, staleTime } of families) {
      if (!(staleTime >= 0 && staleTime <= MAX_STALE_TIME)) {
        throw new RangeError(`stale time is 0 to ${MAX_STALE_TIME} s, not ${staleTime}`)
      }
      at = writeUint16(into, at, afi)
      into[at++] = safi
      into[at++] = forwardingPreserved ? FORWARDING : 0
      into[at++] = staleTime >>> 16
      at = writeUint16(into, at, staleTime)
    }
  },
}
