import type { NotificationMessage } from '../wire/index.js'
import { describeEvent, type SessionAction, type SessionEnd, type SessionEvent, type State } from './events.js'
import type { Fall } from './fall.js'
import { isFinal, isHardReset } from './hard-reset.js'

const isForGood = (message: NotificationMessage): boolean => isHardReset(message) || isFinal(message)

/**
 * How an Established session ends by an event.
 *
 * @param sent the NOTIFICATION that we answer it with, if any
 */
export function sessionEnd(event: SessionEvent, sent?: NotificationMessage): SessionEnd {
  switch (event.type) {
    case 'TcpConnectionFails':
      return 'tcp'
    case 'HoldTimer_Expires':
    case 'SendHoldTimer_Expires':
      return 'hold-timer'
    case 'ManualStop':
      return 'local-stop'
    case 'NotifMsg':
    case 'NotifMsgVerErr':
      return isHardReset(event.notification) ? 'hard-reset' : 'notification'
    default:
      return sent && isForGood(sent) ? 'hard-reset' : 'notification'
  }
}

/** The transition that an event has led to. */
export function transition(from: State, to: State, event: SessionEvent, { note, sent }: Fall = {}): SessionAction {
  const cause = note ? `${describeEvent(event)}: ${note}` : describeEvent(event)
  return { type: 'transition', from, to, cause, ...(from === 'Established' && { ended: sessionEnd(event, sent) }) }
}
