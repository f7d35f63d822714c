/** A drain on paper: the machine fed with what a cluster would do, in virtual time. */
import { DrainMachine } from './machine.js'
import type { DrainAction, DrainCause, DrainEvent, DrainOptions, Heirs, Milliseconds } from './types.js'

/** What is assumed about the world. */
export interface DrainScenario {
  /** `signal`: the process is told to end; `upgrade`: another one takes its place soon. */
  readonly cause: DrainCause | 'signal' | 'upgrade'
  /** Established BGP sessions that are drained. */
  readonly peers: number
  /** Layer-2 addresses with who takes over. */
  readonly heirs: Heirs
  /** No other node is alive. @default no address has an heir */
  readonly alone?: boolean
  /** From leaving the ring until an heir is heard; `undefined`: never. @default 300 */
  readonly successorAfter?: Milliseconds | undefined
  /** From a change of routes until the peers' connections have taken it. @default 10 */
  readonly toldAfter?: Milliseconds
  /** Until sessions are closed and statuses cleared. @default 50 */
  readonly partingTakes?: Milliseconds
  readonly options?: Partial<DrainOptions>
}

/** One action at its time after the beginning. */
export interface DrainStep {
  readonly at: Milliseconds
  readonly action: DrainAction
}

/**
 * What the machine would do, step by step, until it ends or only waits for the node to come back. @throws {RangeError} options that cannot work
 *
 * @example
 * ```ts
 * import { simulateDrain } from '@typemetal/speaker'
 *
 * const heirs = new Map([['192.0.2.1', 'node-2']])
 * const steps = simulateDrain({ cause: 'signal', peers: 2, heirs })
 * for (const { at, action } of steps) console.log(`${at} ms: ${action.type}`)
 * ```
 */
export function simulateDrain(scenario: DrainScenario): readonly DrainStep[] {
  const { cause, heirs, alone = [...heirs.values()].every(heir => heir === undefined) } = scenario
  const machine = new DrainMachine(scenario.options)
  const pending: { at: Milliseconds; event: DrainEvent }[] = [
    { at: 0, event: { type: 'others', heirs, alone } },
    { at: 0, event: first(cause) },
  ]
  const steps: DrainStep[] = []
  const take = (actions: readonly DrainAction[], at: Milliseconds): void => {
    for (const action of actions) {
      steps.push({ at, action })
      for (const { after, event } of consequences(action, scenario)) pending.push({ at: at + after, event })
    }
  }
  for (;;) {
    pending.sort((a, b) => a.at - b.at)
    const due = machine.nextTimeout ?? Infinity
    const [next] = pending
    if (next && next.at <= due) {
      pending.shift()
      take(machine.handle(next.event, next.at), next.at)
    } else if (due < Infinity) take(machine.handleTimeout(due), due)
    else return steps
  }
}

const first = (cause: DrainScenario['cause']): DrainEvent =>
  cause === 'signal' || cause === 'upgrade' ? { type: 'signal', restart: cause === 'upgrade' } : { type: 'node', cause }

/** What the world answers to an action, and how much later. */
function consequences(
  action: DrainAction,
  { peers, heirs, toldAfter = 10, partingTakes = 50, ...scenario }: DrainScenario,
): readonly { readonly after: Milliseconds; readonly event: DrainEvent }[] {
  const successorAfter = 'successorAfter' in scenario ? scenario.successorAfter : 300
  switch (action.type) {
    case 'lowerPreference':
    case 'withdrawRoutes':
      return [{ after: peers === 0 ? 0 : toldAfter, event: { type: 'peersTold', peers } }]
    case 'leaveRing':
      if (successorAfter === undefined) return []
      return [...heirs]
        .filter(([, heir]) => heir !== undefined)
        .map(([address]) => ({ after: successorAfter, event: { type: 'successor', address } as const }))
    case 'closeSessions':
      return [{ after: partingTakes, event: { type: 'parted' } }]
    case 'transition':
    case 'restorePreference':
    case 'rejoinRing':
    case 'announceRoutes':
    case 'stopAnswering':
    case 'answerAgain':
    case 'clearStatuses':
    case 'exit':
      return []
    default:
      return action satisfies never
  }
}
