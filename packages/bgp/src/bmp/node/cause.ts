import type { BmpPeerDownReason } from '../wire/peer-down.js'

/** Events of the FSM in the order of RFC 4271 section 8.1; the place is the number, from 1. */
const EVENTS = [
  'ManualStart',
  'ManualStop',
  'AutomaticStart',
  'ManualStart_with_PassiveTcpEstablishment',
  'AutomaticStart_with_PassiveTcpEstablishment',
  'AutomaticStart_with_DampPeerOscillations',
  'AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment',
  'AutomaticStop',
  'ConnectRetryTimer_Expires',
  'HoldTimer_Expires',
  'KeepaliveTimer_Expires',
  'DelayOpenTimer_Expires',
  'IdleHoldTimer_Expires',
  'TcpConnection_Valid',
  'Tcp_CR_Invalid',
  'Tcp_CR_Acked',
  'TcpConnectionConfirmed',
  'TcpConnectionFails',
  'BGPOpen',
  'BGPOpen_with_DelayOpenTimer_running',
  'BGPHeaderErr',
  'BGPOpenMsgErr',
  'OpenCollisionDump',
  'NotifMsgVerErr',
  'NotifMsg',
  'KeepAliveMsg',
  'UpdateMsg',
  'UpdateMsgErr',
] as const

/**
 * The reason of Peer Down for a session that ended without a NOTIFICATION, RFC 7854 section 4.9.
 *
 * @param cause the event that ended it, with what is known of it behind
 */
export function causeReason(cause: string): BmpPeerDownReason {
  const name = /^\w*/.exec(cause)?.[0]
  if (name === 'TcpConnectionFails') return { type: 'remote-closed' }
  return { type: 'local-event', event: EVENTS.findIndex(event => event === name) + 1 }
}
