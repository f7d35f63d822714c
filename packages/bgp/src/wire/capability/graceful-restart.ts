import type { Family } from '../family.js'
import { readUint16, writeUint16 } from '../octets.js'
import type { CapabilityCodec } from './capability.js'

/** A family that a graceful restart keeps. */
export interface GracefulRestartFamily extends Family {
  /** Forwarding State (F) bit: the sender has kept its forwarding state through its last restart. */
  readonly forwardingPreserved: boolean
}

/** Graceful Restart capability, RFC 4724 section 3; of several in an OPEN the last one counts. */
export interface GracefulRestartCapability {
  readonly type: 'graceful-restart'
  /** Restart State (R) bit: the sender has restarted. */
  readonly restarting: boolean
  /** Graceful Notification (N) bit, RFC 8538 section 2: routes are kept through NOTIFICATIONs and hold timer expiry too. */
  readonly notification: boolean
  /** Restart Time in seconds: 0 to 4095. */
  readonly restartTime: number
  /** Empty when the sender only promises to send End-of-RIB. */
  readonly families: readonly GracefulRestartFamily[]
}

const RESTARTING = 0x8000
const NOTIFICATION = 0x4000
const MAX_RESTART_TIME = 0xfff
const FAMILIES = 2 // octets from the start of the value
const UNIT = 4
const FORWARDING = 0x80

/** Codec of {@link GracefulRestartCapability}. */
export const gracefulRestart: CapabilityCodec<GracefulRestartCapability> = {
  code: 64,
  type: 'graceful-restart',
  allows: length => length >= FAMILIES && (length - FAMILIES) % UNIT === 0,
  decode(value) {
    const fixed = readUint16(value, 0)
    const families: GracefulRestartFamily[] = []
    for (let at = FAMILIES; at < value.length; at += UNIT) {
      const forwardingPreserved = (value[at + 3]! & FORWARDING) !== 0
      families.push({ afi: readUint16(value, at), safi: value[at + 2]!, forwardingPreserved })
    }
    return {
      type: 'graceful-restart',
      restarting: (fixed & RESTARTING) !== 0,
      notification: (fixed & NOTIFICATION) !== 0,
      restartTime: fixed & MAX_RESTART_TIME,
      families,
    }
  },
  length: ({ families }) => FAMILIES + UNIT * families.length,
  encode({ restarting, notification, restartTime, families }, into) {
    if (!(restartTime >= 0 && restartTime <= MAX_RESTART_TIME)) {
      throw new RangeError(`restart time is 0 to ${MAX_RESTART_TIME} s, not ${restartTime}`)
    }
    let at = writeUint16(into, 0, (restarting ? RESTARTING : 0) | (notification ? NOTIFICATION : 0) | restartTime)
    for (const { afi, safi, forwardingPreserved } of families) {
      at = writeUint16(into, at, afi)
      into[at++] = safi
      into[at++] = forwardingPreserved ? FORWARDING : 0
    }
  },
}
