import type { NotificationMessage } from '../wire/index.js'
import type { SessionEnd, SessionEvent } from './events.js'
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
