import {
  MessageType,
  type Message,
  type NotificationMessage,
  type OpenMessage,
  type RouteRefreshMessage,
  type UpdateMessage,
  type WireError,
} from '../wire/index.js'
import { hardResetReason } from './hard-reset.js'
import type { Seconds, TimerName } from './timers.js'

/** States of RFC 4271 section 8.2.2. */
export const STATES = ['Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established'] as const
/** One of the {@link STATES}. */
export type State = (typeof STATES)[number]

/** Events that carry nothing but their name; all names as in RFC 4271 section 8.1. */
export type PlainEventType =
  | 'ManualStart'
  | 'AutomaticStart'
  | 'ManualStart_with_PassiveTcpEstablishment'
  | 'AutomaticStart_with_PassiveTcpEstablishment'
  | 'AutomaticStart_with_DampPeerOscillations'
  | 'AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment'
  | 'TcpConnection_Valid'
  | 'Tcp_CR_Invalid'
  | 'Tcp_CR_Acked'
  | 'TcpConnectionConfirmed'
  | 'OpenCollisionDump'
  | 'KeepAliveMsg'
  | 'BfdAdminDown'
  | 'BfdUp'
  | 'BfdDisabled'
  | `${TimerName}_Expires`

/**
 * What can happen to one FSM. To the events of RFC 4271 section 8.1 come `RouteRefreshMsg` (RFC 2918), `TcpSendProgress`, by which the
 * owner of the connection says that TCP took octets from it (RFC 9687), and what BFD says of the path (RFC 5882, events 30 to 34 of
 * draft-ietf-idr-bgp-bfd-strict-mode section 4; its event 35 is an `AutomaticStop`).
 */
export type SessionEvent =
  | { readonly type: PlainEventType }
  /** `cease` is the NOTIFICATION to part with, by default Administrative Shutdown (RFC 4486). */
  | { readonly type: 'ManualStop'; readonly cease?: NotificationMessage }
  /** We end the session ourselves, such as for too many prefixes (Cease 6/1). `idleHoldTime`: start again no sooner than that. */
  | { readonly type: 'AutomaticStop'; readonly cease?: NotificationMessage; readonly idleHoldTime?: Seconds }
  | { readonly type: 'TcpConnectionFails'; readonly reason?: string }
  | { readonly type: 'BGPOpen' | 'BGPOpen_with_DelayOpenTimer_running'; readonly open: OpenMessage }
  | { readonly type: 'BGPHeaderErr' | 'BGPOpenMsgErr' | 'UpdateMsgErr'; readonly error: WireError }
  | { readonly type: 'NotifMsg' | 'NotifMsgVerErr'; readonly notification: NotificationMessage }
  /** One or more whole UPDATE messages back to back, which the FSM does not look into. */
  | { readonly type: 'UpdateMsg'; readonly octets: Uint8Array }
  | { readonly type: 'RouteRefreshMsg'; readonly message: RouteRefreshMessage }
  /** `pending`: octets still wait for TCP. */
  | { readonly type: 'TcpSendProgress'; readonly pending: boolean }
  /** The path that was Up has failed; `reason` is BFD's diagnostic. */
  | { readonly type: 'BfdDown'; readonly reason?: string }

/** Any message but an UPDATE: what the FSM itself sends and reads. */
export type ControlMessage = Exclude<Message, UpdateMessage>

/** Name of an event. */
export type SessionEventType = SessionEvent['type']

/**
 * How an Established session ended, as far as graceful restart asks: TCP was lost; a NOTIFICATION was sent or received, or one
 * of the hold timers expired, which RFC 8538 lets routes outlive; by a hard reset; or because we want it to be over.
 */
export type SessionEnd = 'tcp' | 'notification' | 'hold-timer' | 'hard-reset' | 'local-stop'

/** What the owner of a session must do, in the order given. */
export type SessionAction =
  /** Open a TCP connection to the peer; an unfinished attempt is given up first. */
  | { readonly type: 'connect' }
  /** Part with the TCP connection, or with an attempt to open one, if there is any; what was sent is still delivered. */
  | { readonly type: 'close' }
  | { readonly type: 'send'; readonly message: ControlMessage }
  | {
      readonly type: 'transition'
      readonly from: State
      readonly to: State
      readonly cause: string
      /** Present exactly when `from` is Established. */
      readonly ended?: SessionEnd
    }
  /** Read these UPDATE messages; a fault that resets the session comes back as the event `UpdateMsgErr`. */
  | { readonly type: 'update'; readonly octets: Uint8Array }
  | { readonly type: 'route-refresh'; readonly message: RouteRefreshMessage }
  /** Nothing to do but to say so: the OPEN messages are exchanged, and BFD is waited for (draft-ietf-idr-bgp-bfd-strict-mode section 8.5.5). */
  | { readonly type: 'await-bfd' }

/** The event that a received message is; for an UPDATE see {@link updateEvent}. */
export function messageEvent(message: ControlMessage): SessionEvent {
  switch (message.type) {
    case 'open':
      return { type: 'BGPOpen', open: message }
    case 'keepalive':
      return { type: 'KeepAliveMsg' }
    case 'route-refresh':
      return { type: 'RouteRefreshMsg', message }
    case 'notification': {
      const versionError = message.errorCode === 2 && message.errorSubcode === 1
      return { type: versionError ? 'NotifMsgVerErr' : 'NotifMsg', notification: message }
    }
    default:
      return message satisfies never
  }
}

/**
 * The event that received UPDATE messages are.
 *
 * @param octets one or more whole messages back to back, headers included; not copied
 */
export const updateEvent = (octets: Uint8Array): SessionEvent => ({ type: 'UpdateMsg', octets })

/** The event that a message which could not be read is. */
export function errorEvent(error: WireError): SessionEvent {
  if (error.notification[0] === 2) return { type: 'BGPOpenMsgErr', error }
  return { type: error.notification[0] === 3 ? 'UpdateMsgErr' : 'BGPHeaderErr', error }
}

/** Type of the message that an event stands for; `undefined` where it is none, or one whose header could not be read. */
export function messageTypeOf({ type }: SessionEvent): MessageType | undefined {
  switch (type) {
    case 'BGPOpen':
    case 'BGPOpen_with_DelayOpenTimer_running':
    case 'BGPOpenMsgErr':
      return MessageType.Open
    case 'UpdateMsg':
    case 'UpdateMsgErr':
      return MessageType.Update
    case 'KeepAliveMsg':
      return MessageType.Keepalive
    case 'RouteRefreshMsg':
      return MessageType.RouteRefresh
    default:
      return undefined
  }
}

/** Code and subcode; of a hard reset those of its reason too. */
function describeNotification(message: NotificationMessage): string {
  const reason = hardResetReason(message)
  const text = `${message.errorCode}/${message.errorSubcode}`
  return reason ? `${text} (${reason.errorCode}/${reason.errorSubcode})` : text
}

/** One line on an event, for logs: its name, and what it carries in short. */
export function describeEvent(event: SessionEvent): string {
  switch (event.type) {
    case 'BGPHeaderErr':
    case 'BGPOpenMsgErr':
    case 'UpdateMsgErr':
      return `${event.type}: ${event.error.message}`
    case 'NotifMsg':
    case 'NotifMsgVerErr':
      return `${event.type} ${describeNotification(event.notification)}`
    case 'TcpConnectionFails':
    case 'BfdDown':
      return event.reason ? `${event.type}: ${event.reason}` : event.type
    default:
      return event.type
  }
}
