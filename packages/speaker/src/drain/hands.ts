/** The parts of a speaker as a drain takes hold of them. */
import type { DrainHands } from './drainer.js'
import type { DrainScope } from './types.js'

/** BGP, as far as a drain is concerned. */
export interface DrainableSessions {
  /** Peers in the scope see our routes with the lower preference. */
  lowerPreference(scope: DrainScope): void
  /** Peers in the scope see no routes of ours. @param keep prefixes that stay announced */
  withdraw(scope: DrainScope, keep: ReadonlySet<string>): void
  /** Back from both. */
  restore(): void
  /** Every established session has taken what is to be sent. */
  readonly settled: boolean
  /** Established sessions in the scope. */
  peersUp(scope: DrainScope): number
  /** Cease, Administrative Shutdown, for all. */
  shutdown(communication: string): Promise<void>
  /** The same, but peers that keep our routes over a restart lose only the connection. */
  leave(communication: string): Promise<void>
}

/** Layer 2, as far as a drain is concerned. */
export interface DrainableAnswers {
  /** From now on nothing that is answered is given up only because the plan says so. */
  hold(): unknown
  /** Stops answering these. */
  release(addresses: readonly string[]): void
  /** Ends {@link hold} and takes back {@link release}. */
  resume(): unknown
}

/** The ring, as far as a drain is concerned. */
export interface LeavableRing {
  /** Tells the others that this node has gone. */
  leave(): Promise<void>
  /** Takes part again. */
  rejoin(): Promise<void>
}

/** What {@link drainHands} joins. */
export interface DrainParts {
  readonly bgp: DrainableSessions
  readonly layer2: DrainableAnswers
  /** Absent: gossip is off, and nobody can be told to take over. */
  readonly ring: LeavableRing | undefined
  /** Takes back what this node has written about what it announces. */
  readonly clearStatuses: () => Promise<void>
  /** Prefixes that no other node would announce: they go with the sessions. */
  readonly sole: () => ReadonlySet<string>
}

/** Makes one pair of hands of the parts. */
export function drainHands({ bgp, layer2, ring, clearStatuses, sole }: DrainParts): DrainHands {
  let lowered: DrainScope = 'none'
  let withdrawn: DrainScope = 'none'
  /** BGP comes back from both at once; what is still withdrawn need not hear of its preference. */
  const restore = (): void => {
    if (withdrawn !== 'none') return
    bgp.restore()
    if (lowered !== 'none') bgp.lowerPreference(lowered)
  }
  return {
    lowerPreference: scope => {
      lowered = scope
      if (scope === 'none') restore()
      else bgp.lowerPreference(scope)
    },
    withdraw: scope => {
      withdrawn = scope
      if (scope === 'none') restore()
      else bgp.withdraw(scope, sole())
    },
    told: () => bgp.settled,
    peers: scope => bgp.peersUp(scope),
    leaveRing: async () => {
      // Without a ring nobody takes over, and the plan goes on to want what it wanted.
      if (!ring) return
      layer2.hold()
      await ring.leave()
    },
    rejoinRing: async () => ring?.rejoin(),
    release: addresses => layer2.release(addresses),
    answerAgain: () => void layer2.resume(),
    closeSessions: ({ communication, gracefulRestart }) =>
      gracefulRestart ? bgp.leave(communication) : bgp.shutdown(communication),
    clearStatuses,
  }
}
