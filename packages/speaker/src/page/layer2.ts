/** Addresses that this node answers for, or should. Pure. */
import type { ObjectKey } from '@typemetal/cluster'
import type { Layer2Facts, Verdict } from '@typemetal/cluster/page'
import type { Conflict } from '../announcer/conflict-machine.js'
import type { Heirs } from '../drain/types.js'
import type { Interfaces, Plan } from '../plan/types.js'
import { conflictText } from './services.js'

/** What rows of addresses are made of. */
export interface Layer2Readings {
  readonly plan: Plan
  /** Addresses that are answered now. */
  readonly answered: ReadonlySet<string>
  readonly conflicts: readonly Conflict[]
  /** Addresses held on to during a drain, with who takes over. */
  readonly held: Heirs
  /** Layer 2 should run, and does not. */
  readonly isDown: boolean
}

/** A row for each address that the plan wants or that is answered, in the order of the plan. */
export function layer2Rows(readings: Layer2Readings): readonly Layer2Facts[] {
  const { plan, answered, conflicts } = readings
  const contested = new Map(conflicts.map(conflict => [conflict.address, conflict]))
  const services = new Map<string, ObjectKey[]>()
  for (const address of [...plan.layer2.keys(), ...answered]) services.set(address, [])
  for (const [key, { addresses }] of plan.services) for (const address of addresses) services.get(address)?.push(key)
  return [...services].map(([address, keys]) => {
    const [verdict, reason] = stateOf(address, readings, contested.get(address))
    return {
      address,
      verdict,
      services: keys,
      interfaces: namesOf(plan.layer2.get(address)),
      ...(reason !== undefined && { reason }),
    }
  })
}

function stateOf(
  address: string,
  { plan, answered, held, isDown }: Layer2Readings,
  conflict: Conflict | undefined,
): readonly [verdict: Verdict, reason: string | undefined] {
  if (conflict) return ['bad', conflictText(conflict)]
  if (isDown) return ['bad', 'layer 2 is not running']
  if (!answered.has(address)) return ['bad', 'not answered: this is no address that a host on a LAN can have']
  if (plan.layer2.has(address)) return ['good', undefined]
  const heir = held.get(address)
  const next = heir === undefined ? 'nobody can take it over' : `until node ${heir} is heard announcing it`
  return ['note', `this node is being drained and answers on: ${next}`]
}

const namesOf = (interfaces: Interfaces | undefined): readonly string[] =>
  interfaces === undefined || interfaces === 'all' ? [] : interfaces
