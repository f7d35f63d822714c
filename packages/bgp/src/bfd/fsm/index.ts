/**
 * One BFD session, RFC 5880 section 6, without I/O: packets and time go in, actions come out.
 *
 * @packageDocumentation
 */
export {
  SESSION_DISCARD_REASONS,
  type Action,
  type DiscardAction,
  type RemoteStateAction,
  type SendAction,
  type SendEchoAction,
  type SessionDiscardReason,
  type SessionSnapshot,
  type StateAction,
} from './actions.js'
export {
  checkSessionOptions,
  SESSION_DEFAULTS,
  type AuthenticationOptions,
  type CheckedAuthenticationOptions,
  type CheckedSessionOptions,
  type Milliseconds,
  type SessionOptions,
} from './options.js'
export { Session, type SessionContext } from './session.js'
