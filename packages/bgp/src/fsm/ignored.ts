import type { SessionEventType } from './events.js'

/** Events that a state takes no notice of. */
type Ignored = { readonly [T in SessionEventType]?: () => void }

/** The cell of such an event. */
export const ignore = (): void => {}

/** Starts, in every state but Idle. */
export const STARTS_IGNORED: Ignored = {
  ManualStart: ignore,
  AutomaticStart: ignore,
  ManualStart_with_PassiveTcpEstablishment: ignore,
  AutomaticStart_with_PassiveTcpEstablishment: ignore,
  AutomaticStart_with_DampPeerOscillations: ignore,
  AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment: ignore,
}

/** What BFD says, where it makes no difference. */
export const BFD_IGNORED: Ignored = { BfdAdminDown: ignore, BfdDown: ignore, BfdUp: ignore, BfdDisabled: ignore }

/** A second TCP connection: the Peering keeps it. */
export const CONNECTIONS_IGNORED: Ignored = {
  TcpConnection_Valid: ignore,
  Tcp_CR_Invalid: ignore,
  Tcp_CR_Acked: ignore,
  TcpConnectionConfirmed: ignore,
}
