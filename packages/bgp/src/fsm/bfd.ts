import { CeaseSubcode, createCease } from '../wire/index.js'
import type { SessionEvent, SessionEventType, State } from './events.js'

/**
 * What BFD says of the path to a peer. `Down` is also a session that has not been Up yet; `AdminDown`: one of both sides has
 * switched BFD off, which says nothing of the path (RFC 5882 section 3.2); `Disabled`: BFD is not asked.
 */
export type BfdCondition = 'Up' | 'Down' | 'AdminDown' | 'Disabled'

/** Events 30 to 33 of draft-ietf-idr-bgp-bfd-strict-mode section 4. */
export type BfdEvent = SessionEvent & { readonly type: 'BfdAdminDown' | 'BfdDown' | 'BfdUp' | 'BfdDisabled' }

/**
 * What a session waits for in OpenSent, draft-ietf-idr-bgp-bfd-strict-mode section 8.1: for BFD alone, or for BFD with the peer's
 * KEEPALIVE in hand already.
 */
export type BfdSubState = 'OpenSentBfdUpPending' | 'OpenSentConfirmedBfdUpPending'

/** What a session ends with when the path fails, RFC 9384 section 3. */
export const BFD_DOWN = createCease(CeaseSubcode.BfdDown)

const CONDITIONS: { readonly [T in SessionEventType]?: BfdCondition } = {
  BfdUp: 'Up',
  BfdDown: 'Down',
  BfdAdminDown: 'AdminDown',
  BfdDisabled: 'Disabled',
} satisfies { readonly [T in BfdEvent['type']]: BfdCondition }

/** What BFD says after an event; `undefined` for the events that are not BFD's. */
export const bfdConditionAfter = ({ type }: SessionEvent): BfdCondition | undefined => CONDITIONS[type]

/** What a peer is doing when BFD finds that the path to it has failed. */
export interface BfdFailure {
  readonly state: State
  /** Its routes are kept for it: it is away, or back and has not said all again (RFC 4724 section 4.2). */
  readonly restarting: boolean
  /** The C bit of its BFD packets: its BFD lives on when its control plane dies (RFC 5880 section 4.1). */
  readonly controlPlaneIndependent: boolean
}

/** See {@link bfdVerdict}. */
export interface BfdVerdict {
  /** Whether the sessions are told `BfdDown`. */
  readonly ends: boolean
  /** Whether routes that were kept for the restart go at once. */
  readonly forgets: boolean
  /** One sentence. */
  readonly reason: string
}

/**
 * What follows from the failure of a path, RFC 5882 sections 3.2 and 4.3. While the peer restarts, its BFD may just have died with
 * its control plane: unless the C bit says otherwise, the restart is not aborted. Else it is, for what it forwards is lost. Without a
 * restart under way the failure counts, whatever the bit (section 4.3.2.2).
 */
export function bfdVerdict({ state, restarting, controlPlaneIndependent }: BfdFailure): BfdVerdict {
  if (!restarting) return { ends: true, forgets: false, reason: 'the path has failed' }
  if (controlPlaneIndependent) {
    return { ends: true, forgets: true, reason: 'the path has failed while the peer restarts: it does not forward on' }
  }
  // An attempt that has not come to Established keeps no routes alive, and may end.
  const reason = 'the peer restarts, and its BFD with it'
  return { ends: state !== 'Established', forgets: false, reason }
}
