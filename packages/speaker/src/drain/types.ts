/** The words of a drain: what can happen, what is then to be done, and why. Plain values. */

/** A duration, or an instant on the caller's monotonic clock. */
export type Milliseconds = number

/**
 * How far a drain has come, in this order. `lowering`: routers are asked to prefer others. `handingOver`: the gossip ring was left, and
 * layer-2 addresses are answered until their successors do. `withdrawing`: routes are taken back. `drained`: nothing is announced, the
 * process stays. `parting`: sessions and statuses end. `ended`: the process may go.
 */
export const DRAIN_STATES = [
  'announcing',
  'lowering',
  'handingOver',
  'withdrawing',
  'drained',
  'parting',
  'ended',
] as const

/** One of {@link DRAIN_STATES}. */
export type DrainState = (typeof DRAIN_STATES)[number]

/**
 * What can be seen of a Node that is to lose its traffic. `cordon`: unschedulable, as `kubectl cordon` and `kubectl drain` make it;
 * `disruption`: an autoscaler is about to remove it; `out-of-service`: somebody says that it is dead; `shutdown`: its machine goes down.
 */
export const DRAIN_CAUSES = ['shutdown', 'out-of-service', 'disruption', 'cordon'] as const

/** One of {@link DRAIN_CAUSES}. */
export type DrainCause = (typeof DRAIN_CAUSES)[number]

/** Which BGP peers a step is about; the second spares those that keep our routes over a restart (RFC 4724). */
export type DrainScope = 'none' | 'withoutGracefulRestart' | 'all'

/** Why the machine went from one state to the next. */
export type DrainReason =
  | 'signal'
  | 'secondSignal'
  | DrainCause
  /** The node may serve again. */
  | 'nodeReturned'
  | 'noPeers'
  | 'peersHadTime'
  /** A peer did not take what it was sent. */
  | 'peersBound'
  | 'peersTold'
  | 'nothingToHandOver'
  | 'successorsSeen'
  /** No other node can take over what is left. */
  | 'onlyNode'
  | 'successorBound'
  /** The whole drain has taken as long as it may. */
  | 'drainBound'
  | 'parted'
  | 'partingBound'

/** A layer-2 address → the node that the others elect once this one has left the ring; `undefined`: nobody can. */
export type Heirs = ReadonlyMap<string, string | undefined>

/** What happens. */
export type DrainEvent =
  /** The process is to end; `restart`: another one takes its place on this node soon (an upgrade). A second one means now. */
  | { readonly type: 'signal'; readonly restart: boolean }
  /** The Node asks for a drain, or no longer does. */
  | { readonly type: 'node'; readonly cause: DrainCause | undefined }
  /**
   * The layer-2 addresses that this node answers for, and who else there is; `alone`: no other node is alive. Told before a drain begins,
   * and during one whenever it changes.
   */
  | { readonly type: 'others'; readonly heirs: Heirs; readonly alone: boolean }
  /** The peers' connections have taken everything that was to be sent; `peers`: how many sessions the step is about. */
  | { readonly type: 'peersTold'; readonly peers: number }
  /** Another node was heard announcing an address. */
  | { readonly type: 'successor'; readonly address: string }
  /** Sessions are closed and statuses cleared. */
  | { readonly type: 'parted' }

/** What is to be done, in the order given. Each at most once until it is taken back. */
export type DrainAction =
  | { readonly type: 'transition'; readonly from: DrainState; readonly to: DrainState; readonly reason: DrainReason }
  /** GRACEFUL_SHUTDOWN, and LOCAL_PREF 0 to internal peers (RFC 8326). */
  | { readonly type: 'lowerPreference'; readonly scope: DrainScope }
  | { readonly type: 'restorePreference' }
  /** From here on the others elect without this node, which answers on. */
  | { readonly type: 'leaveRing' }
  | { readonly type: 'rejoinRing' }
  | { readonly type: 'withdrawRoutes'; readonly scope: DrainScope }
  | { readonly type: 'announceRoutes' }
  | { readonly type: 'stopAnswering'; readonly addresses: readonly string[]; readonly reason: DrainReason }
  | { readonly type: 'answerAgain' }
  /**
   * BFD AdminDown, Cease with a shutdown communication (RFC 9003); peers outside the scope only lose the connection, so that they keep
   * our routes (RFC 4724).
   */
  | { readonly type: 'closeSessions'; readonly scope: DrainScope }
  | { readonly type: 'clearStatuses' }
  | { readonly type: 'exit' }

/** How patient a drain is. */
export interface DrainOptions {
  /** From the first event to the end, at most; below the pod's terminationGracePeriodSeconds. @default 20000 */
  readonly timeout: Milliseconds
  /** What routers get to move traffic elsewhere after the lower preference was sent. @default 3000 */
  readonly peerWait: Milliseconds
  /** How long an address is answered on after the ring was left and no successor was heard. @default 5000 */
  readonly successorWait: Milliseconds
}

/** What {@link DrainOptions} are when nobody says otherwise. */
export const DRAIN_DEFAULTS: DrainOptions = { timeout: 20_000, peerWait: 3_000, successorWait: 5_000 }

/** @throws {RangeError} a duration that is negative or no number; the message begins with the option's name */
export function checkDrainOptions(options: Partial<DrainOptions>): DrainOptions {
  const checked = { ...DRAIN_DEFAULTS, ...options }
  for (const [name, value] of Object.entries(checked)) {
    if (!Number.isFinite(value) || value < 0) throw new RangeError(`${name} must be milliseconds, 0 or more: ${value}`)
  }
  return checked
}
