/** `typemetal explain service/NAME`: one Service from pool to wire, each step with its reason. */
import { announcers } from '../compare/compare.js'
import { type Answer, CommandError, ExitCode } from '../exit-code.js'
import { bgpSteps } from '../explain/bgp.js'
import { endpointStep } from '../explain/endpoints.js'
import { layer2Steps } from '../explain/layer2.js'
import { poolSteps } from '../explain/pool.js'
import { reportedSteps } from '../explain/reported.js'
import { type Stage, step, type Step, type Subject, type Verdict } from '../explain/step.js'
import { type Format, type Paint, plain, render, type Tone } from '../output.js'
import type { Cluster } from '../source/cluster.js'
import type { SaidEvent } from '../source/events.js'
import { viewOf, type ViewRequest } from '../view.js'
import { listed } from '../warnings/warning.js'
import { invalid } from './validate.js'
import { notesOf } from './plan.js'

/** What {@link explain} needs to know beside the cluster. */
export interface ExplainRequest extends ViewRequest {
  /** What controller and speakers have said about the Service. @default nothing is known */
  readonly events?: readonly SaidEvent[]
  /** Colours of a table. @default none */
  readonly paint?: Paint
}

/** The whole story of one Service. */
export interface Explanation {
  readonly service: string
  readonly layer2: readonly string[]
  readonly bgp: readonly string[]
  readonly steps: readonly Step[]
}

/**
 * @param key `namespace/name`
 * @returns the story; code 1 when there is no valid configuration
 * @throws {CommandError} there is no such Service
 */
export function explain(cluster: Cluster, key: string, request: ExplainRequest, format: Format = 'table'): Answer {
  const view = viewOf(cluster, { ...request, about: key })
  if (!view) return invalid(cluster, format, request.paint)
  const service = view.snapshot.objects('Service').get(key)
  const present = cluster.snapshot.objects('Service').get(key)
  if (!service || !present) {
    const similar = [...view.snapshot.objects('Service').keys()].filter(other =>
      other.endsWith(`/${key.split('/')[1]}`),
    )
    const hint = similar.length > 0 ? `; there is ${listed(similar)}` : ''
    throw new CommandError(`there is no Service ${key}${hint}`)
  }
  const slices = view.snapshot.endpointSlicesOf(key)
  const subject: Subject = { ...view, key, service, present, slices, namespace: request.namespace }
  const found = explanation(subject, request)
  const text = render(format, found, () => forPeople(found, request.paint ?? plain))
  return { text, code: ExitCode.ok, notes: notesOf(cluster, view, request.namespace) }
}

/** Stops where the story ends: a Service without an address has no election. */
function explanation(
  subject: Subject,
  { lbClass = '', electionLevel = 'main', events = [] }: ExplainRequest,
): Explanation {
  const { key } = subject
  const allocation = poolSteps(subject, lbClass)
  const ends = allocation.some(({ verdict }) => verdict === 'bad')
  const rest = ends
    ? []
    : [endpointStep(subject), ...layer2Steps(subject, electionLevel), ...bgpSteps(subject), ...reportedSteps(subject)]
  return {
    service: key,
    layer2: announcers(subject, key, 'layer2'),
    bgp: announcers(subject, key, 'bgp'),
    steps: [...allocation, ...rest, ...eventStep(events)],
  }
}

/** The newest last, as `kubectl describe` has them. */
const eventStep = (events: readonly SaidEvent[]): readonly Step[] =>
  events.length === 0
    ? []
    : [
        step(
          'events',
          events.at(-1)?.type === 'Warning' ? 'note' : 'good',
          'what controller and speakers have said',
          events.map(
            ({ type, reason, message, count, last, source }) =>
              `${last} ${type} ${reason}${count > 1 ? ` (${count} times)` : ''}, ${source}: ${message}`,
          ),
        ),
      ]

const TONES: Readonly<Record<Verdict, Tone>> = { good: 'good', bad: 'bad', note: 'warn' }
const MARKS: Readonly<Record<Verdict, string>> = { good: '✓', bad: '✗', note: '·' }
const TITLES: Readonly<Record<Stage, string>> = {
  service: 'Service',
  pool: 'pool',
  address: 'address',
  endpoints: 'endpoints',
  election: 'election',
  layer2: 'layer 2',
  bgp: 'BGP',
  session: 'session',
  frames: 'frames',
  reported: 'reported',
  events: 'events',
}

function forPeople({ service, steps }: Explanation, paint: Paint): string {
  const lines = steps.flatMap(({ stage, verdict, text, details }) => [
    `  ${paint(TONES[verdict], MARKS[verdict])} ${TITLES[stage].padEnd(9)}  ${text}`,
    ...details.map(detail => `               ${paint('dim', detail)}`),
  ])
  return `${paint('strong', `Service ${service}`)}\n${lines.map(line => `${line}\n`).join('')}`
}
