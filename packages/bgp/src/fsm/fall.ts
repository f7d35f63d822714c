import { ErrorCode, type NotificationMessage } from '../wire/index.js'
import { messageTypeOf, type SessionEvent } from './events.js'
import type { Seconds } from './timers.js'

/** How a session goes to Idle. */
export interface Fall {
  /** Count it in the ConnectRetryCounter. @default true */
  readonly count?: boolean
  /** Count it against the peer in the damping. @default true */
  readonly damp?: boolean
  /** Stay there until the next start: the operator wants it. @default false */
  readonly manual?: boolean
  /** Start again no sooner than that; never by itself for Infinity. @default 0 */
  readonly idleHoldTime?: Seconds
  /** The NOTIFICATION that we part with. */
  readonly sent?: NotificationMessage
  /** What to add to the cause. */
  readonly note?: string
}

const NO_DATA = new Uint8Array(0)

/** A fall after which the next start comes no sooner than that. */
export const idleHold = (idleHoldTime: Seconds | undefined): Fall =>
  idleHoldTime === undefined ? {} : { idleHoldTime }

/** A NOTIFICATION message. */
export function notification(errorCode: number, errorSubcode: number, data: Uint8Array = NO_DATA): NotificationMessage {
  return { type: 'notification', errorCode, errorSubcode, data }
}

/** RFC 6608 section 4: the data are the type of the unexpected message. Other events have no subcode of their own. */
export function unexpected(event: SessionEvent, subcode: number): NotificationMessage {
  const type = messageTypeOf(event)
  if (type === undefined) return notification(ErrorCode.FiniteStateMachine, 0)
  return notification(ErrorCode.FiniteStateMachine, subcode, Uint8Array.of(type))
}
