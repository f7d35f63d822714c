/** The parts of an explanation. */
import type { EndpointSlice, ObjectKey, Service } from '@typemetal/cluster'
import type { View } from '../view.js'

/** Where on its way from a pool to the wire a Service is. */
export type Stage =
  | 'service'
  | 'pool'
  | 'address'
  | 'endpoints'
  | 'election'
  | 'layer2'
  | 'bgp'
  | 'session'
  | 'frames'
  | 'reported'
  | 'events'

/** How a step went: as it should, not at all, or with something to know. */
export type Verdict = 'good' | 'bad' | 'note'

/** One step, with its reason. */
export interface Step {
  readonly stage: Stage
  readonly verdict: Verdict
  /** One sentence. */
  readonly text: string
  /** What stands behind it, a line each. */
  readonly details: readonly string[]
}

/** What every part of an explanation looks at. */
export interface Subject extends View {
  readonly key: ObjectKey
  /** With the addresses that it has or gets. */
  readonly service: Service
  /** As it is in the cluster: its addresses stand. */
  readonly present: Service
  readonly slices: readonly EndpointSlice[]
  readonly namespace: string
}

/** A step without more to say about it, or with. */
export const step = (stage: Stage, verdict: Verdict, text: string, details: readonly string[] = []): Step => ({
  stage,
  verdict,
  text,
  details,
})
