import { Diagnostic, type State } from '../wire/index.js'

/** What a received state does to the session. */
export interface Transition {
  readonly to: State
  /** The new bfd.LocalDiag; without one it stays. */
  readonly diagnostic?: number
  readonly cause: string
}

const signaled = (cause: string): Transition => ({
  to: 'Down',
  diagnostic: Diagnostic.NeighborSignaledSessionDown,
  cause,
})
const SIGNALED_ADMIN_DOWN = signaled('the neighbor signaled AdminDown')

/**
 * State table of RFC 5880 section 6.8.6, by the state of the session and then that of the packet; what is left out changes
 * nothing. In AdminDown the packet is discarded before it comes to this.
 *
 * Going Up clears bfd.LocalDiag, as bfdd does; going to Init keeps it, so that the remote system can read why the last
 * session failed (section 4.1).
 */
export const TRANSITIONS: { readonly [S in State]: { readonly [R in State]?: Transition } } = {
  AdminDown: {},
  Down: {
    Down: { to: 'Init', cause: 'the neighbor is Down' },
    Init: { to: 'Up', diagnostic: Diagnostic.NoDiagnostic, cause: 'the neighbor is Init' },
  },
  Init: {
    AdminDown: SIGNALED_ADMIN_DOWN,
    Init: { to: 'Up', diagnostic: Diagnostic.NoDiagnostic, cause: 'the neighbor is Init' },
    Up: { to: 'Up', diagnostic: Diagnostic.NoDiagnostic, cause: 'the neighbor is Up' },
  },
  Up: {
    AdminDown: SIGNALED_ADMIN_DOWN,
    Down: signaled('the neighbor signaled Down'),
  },
}
