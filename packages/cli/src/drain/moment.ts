/** Steps of a drain in words. */
import type { DrainAction, DrainReason, DrainScope, DrainStep, Heirs } from '@typemetal/speaker'

/** One thing that happens, at its time. */
export interface Moment {
  /** Milliseconds from the beginning. */
  readonly at: number
  /** Who does it, or sees it. */
  readonly who: string
  readonly what: string
}

/** What the words are about. */
export interface Cast {
  readonly node: string
  readonly heirs: Heirs
  /** Names of the node's BGP peers. */
  readonly peers: readonly string[]
  /** Prefixes that nobody else announces: they stay until the sessions end. */
  readonly sole: readonly string[]
}

/** A step in words; transitions between states are told by their reasons. */
export function describeStep({ at, action }: DrainStep, cast: Cast): readonly Moment[] {
  const { node } = cast
  const moment = (who: string, what: string): Moment => ({ at, who, what })
  switch (action.type) {
    case 'transition':
      return [moment(node, `${action.to}: ${REASONS[action.reason]}`)]
    case 'lowerPreference':
      return toPeers(cast, action.scope).map(who =>
        moment(
          who,
          'is told every route again with GRACEFUL_SHUTDOWN 65535:0, and LOCAL_PREF 0 if it is internal (RFC 8326)',
        ),
      )
    case 'withdrawRoutes':
      return toPeers(cast, action.scope).map(who =>
        moment(who, `is told that every route of this node is withdrawn${butThese(cast.sole)}`),
      )
    case 'leaveRing':
      return [
        moment(node, 'leaves the gossip ring, and answers on'),
        ...[...cast.heirs].flatMap(([address, heir]) =>
          heir === undefined ? [] : [moment(heir, `is elected for ${address}, and announces it`)],
        ),
      ]
    case 'stopAnswering':
      return [moment(node, `stops answering for ${action.addresses.join(', ')}: ${REASONS[action.reason]}`)]
    case 'closeSessions':
      return toPeers(cast, action.scope).map(who =>
        moment(who, 'BFD AdminDown, then Cease, Administrative Shutdown, with the reason in words (RFC 9003)'),
      )
    default:
      return simple(action, moment, node)
  }
}

function simple(
  action: Exclude<DrainAction, { readonly type: 'transition' }>,
  moment: (who: string, what: string) => Moment,
  node: string,
): readonly Moment[] {
  const words: Partial<Record<DrainAction['type'], string>> = {
    restorePreference: 'gives its routes their preference back',
    rejoinRing: 'enters the gossip ring again',
    announceRoutes: 'announces its routes again',
    answerAgain: 'answers again',
    clearStatuses: 'clears its statuses',
    exit: 'ends the process',
  }
  const what = words[action.type]
  return what === undefined ? [] : [moment(node, what)]
}

const butThese = (sole: readonly string[]): string =>
  sole.length > 0 ? `, but ${sole.join(', ')}, which nobody else announces` : ''

function toPeers({ peers }: Cast, scope: DrainScope): readonly string[] {
  if (scope === 'none' || peers.length === 0) return []
  return scope === 'all' ? peers : peers.map(peer => `${peer} (unless it keeps routes over a restart)`)
}

const REASONS: Readonly<Record<DrainReason, string>> = {
  signal: 'the process is told to end',
  secondSignal: 'it is told to end at once',
  shutdown: 'the machine goes down',
  'out-of-service': 'the Node is said to be out of service',
  disruption: 'an autoscaler is about to remove the Node',
  cordon: 'the Node was cordoned',
  nodeReturned: 'the Node may serve again',
  noPeers: 'there is no BGP session',
  peersHadTime: 'routers had their time to move traffic elsewhere',
  peersBound: 'a peer did not take what it was sent in time',
  peersTold: 'every peer has been told',
  nothingToHandOver: 'it answers for no layer-2 address',
  successorsSeen: 'every successor was heard',
  onlyNode: 'no other node can take over',
  successorBound: 'no successor was heard in time',
  drainBound: 'the whole drain has taken as long as it may',
  parted: 'sessions are closed and statuses cleared',
  partingBound: 'closing took too long',
}
