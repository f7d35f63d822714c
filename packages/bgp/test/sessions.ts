/** Sessions in each state, and what they do in a short form. */
import { createOpen, Session, type SessionAction, type SessionOptions, type State } from '@typemetal/bgp/fsm'
import type { OpenMessage } from '@typemetal/bgp/wire'

export const OPTIONS: SessionOptions = { asn: 64_512, bgpIdentifier: 1, remoteAs: 64_513, holdTime: 90 }

/** The peer's OPEN. */
export const PEER_OPEN: OpenMessage = createOpen({
  asn: 64_513,
  bgpIdentifier: 2,
  holdTime: 180,
  families: ['ipv4-unicast', 'ipv6-unicast'],
})

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

/** `close`, `connect`, `open`, `keepalive`, `update`, `refresh`, or `code/subcode` of a NOTIFICATION. */
export function shortAction(action: SessionAction): string | undefined {
  if (action.type === 'transition') return undefined
  if (action.type === 'route-refresh') return 'refresh'
  if (action.type !== 'send') return action.type
  const { message } = action
  return message.type === 'notification' ? `${message.errorCode}/${message.errorSubcode}` : message.type
}
