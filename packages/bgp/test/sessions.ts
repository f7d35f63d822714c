/** Sessions in each state, every event, and what sessions do in a short form. */
import {
  createOpen,
  Session,
  type SessionAction,
  type SessionEvent,
  type SessionEventType,
  type SessionOptions,
  type State,
} from '@typemetal/bgp/fsm'
import { createCease, encodeMessage, WireError, type OpenMessage } from '@typemetal/bgp/wire'

export const OPTIONS: SessionOptions = { asn: 64_512, bgpIdentifier: 1, remoteAs: 64_513, holdTime: 90 }

/** The peer's OPEN. */
export const PEER_OPEN: OpenMessage = createOpen({
  asn: 64_513,
  bgpIdentifier: 2,
  holdTime: 180,
  families: ['ipv4-unicast', 'ipv6-unicast'],
})

/** The octets of an UPDATE. */
export const UPDATE = encodeMessage({ type: 'update', withdrawnRoutes: [], pathAttributes: {}, nlri: [] })

/** One of each event, with something in it that fits. */
export const EVENTS: { readonly [T in SessionEventType]: SessionEvent & { readonly type: T } } = {
  ManualStart: { type: 'ManualStart' },
  ManualStop: { type: 'ManualStop' },
  AutomaticStart: { type: 'AutomaticStart' },
  ManualStart_with_PassiveTcpEstablishment: { type: 'ManualStart_with_PassiveTcpEstablishment' },
  AutomaticStart_with_PassiveTcpEstablishment: { type: 'AutomaticStart_with_PassiveTcpEstablishment' },
  AutomaticStart_with_DampPeerOscillations: { type: 'AutomaticStart_with_DampPeerOscillations' },
  AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment: {
    type: 'AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment',
  },
  AutomaticStop: { type: 'AutomaticStop' },
  ConnectRetryTimer_Expires: { type: 'ConnectRetryTimer_Expires' },
  HoldTimer_Expires: { type: 'HoldTimer_Expires' },
  KeepaliveTimer_Expires: { type: 'KeepaliveTimer_Expires' },
  DelayOpenTimer_Expires: { type: 'DelayOpenTimer_Expires' },
  IdleHoldTimer_Expires: { type: 'IdleHoldTimer_Expires' },
  SendHoldTimer_Expires: { type: 'SendHoldTimer_Expires' },
  TcpConnection_Valid: { type: 'TcpConnection_Valid' },
  Tcp_CR_Invalid: { type: 'Tcp_CR_Invalid' },
  Tcp_CR_Acked: { type: 'Tcp_CR_Acked' },
  TcpConnectionConfirmed: { type: 'TcpConnectionConfirmed' },
  TcpConnectionFails: { type: 'TcpConnectionFails', reason: 'ECONNRESET' },
  BGPOpen: { type: 'BGPOpen', open: PEER_OPEN },
  BGPOpen_with_DelayOpenTimer_running: { type: 'BGPOpen_with_DelayOpenTimer_running', open: PEER_OPEN },
  BGPHeaderErr: { type: 'BGPHeaderErr', error: new WireError('marker', 0, [1, 1]) },
  BGPOpenMsgErr: { type: 'BGPOpenMsgErr', error: new WireError('hold time 1', 22, [2, 6]) },
  OpenCollisionDump: { type: 'OpenCollisionDump' },
  NotifMsgVerErr: {
    type: 'NotifMsgVerErr',
    notification: { type: 'notification', errorCode: 2, errorSubcode: 1, data: Uint8Array.of(0, 4) },
  },
  NotifMsg: { type: 'NotifMsg', notification: createCease(4) },
  KeepAliveMsg: { type: 'KeepAliveMsg' },
  UpdateMsg: { type: 'UpdateMsg', octets: UPDATE },
  UpdateMsgErr: { type: 'UpdateMsgErr', error: new WireError('prefix', 23, [3, 10]) },
  RouteRefreshMsg: { type: 'RouteRefreshMsg', message: { type: 'route-refresh', afi: 1, subtype: 0, safi: 1 } },
  TcpSendProgress: { type: 'TcpSendProgress', pending: true },
  BfdAdminDown: { type: 'BfdAdminDown' },
  BfdDown: { type: 'BfdDown', reason: 'Control Detection Time Expired' },
  BfdUp: { type: 'BfdUp' },
  BfdDisabled: { type: 'BfdDisabled' },
  BfdHoldTimer_Expires: { type: 'BfdHoldTimer_Expires' },
}

/** A session that has come to a state by the shortest way, everything at instant 0. */
export function sessionIn(state: State, options: Partial<SessionOptions> = {}): Session {
  const session = new Session({ ...OPTIONS, ...options })
  if (state === 'Idle') return session
  if (state === 'Active') {
    session.handle({ type: 'ManualStart_with_PassiveTcpEstablishment' }, 0)
    return session
  }
  session.handle({ type: 'ManualStart' }, 0)
  if (state === 'Connect') return session
  session.handle({ type: 'Tcp_CR_Acked' }, 0)
  if (state === 'OpenSent') return session
  session.handle({ type: 'BGPOpen', open: PEER_OPEN }, 0)
  if (state === 'OpenConfirm') return session
  session.handle({ type: 'KeepAliveMsg' }, 0)
  return session
}

/** `close`, `dial`, `open`, `keepalive`, `update`, `refresh`, or `code/subcode` of a NOTIFICATION. */
export function shortAction(action: SessionAction): string | undefined {
  if (action.type === 'transition') return undefined
  if (action.type === 'await-bfd') return 'wait'
  if (action.type === 'route-refresh') return 'refresh'
  if (action.type === 'connect') return 'dial'
  if (action.type !== 'send') return action.type
  const { message } = action
  return message.type === 'notification' ? `${message.errorCode}/${message.errorSubcode}` : message.type
}

/** What a session did: its state, `=` for the same one, its actions, and `+` where the ConnectRetryCounter went up. */
export function outcome(session: Session, before: State, counter: number, actions: readonly SessionAction[]): string {
  const state = session.state === before ? '=' : session.state
  const count = session.connectRetryCounter > counter ? ['+'] : []
  return [state, ...actions.map(shortAction).filter(text => text !== undefined), ...count].join(' ')
}
