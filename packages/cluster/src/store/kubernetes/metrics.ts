import { Counter, Gauge, type Registry } from 'prom-client'
import type { Kind } from '../store.js'
import type { Failure } from './api-error.js'
import type { RestartReason } from './resume.js'

/** What a store on the Kubernetes API counts. */
export interface ClientMetrics {
  /** A request was answered: `code` is the HTTP status, or `<connection>`, `<silent>` when there was no answer. */
  countRequest(method: string, code: string): void
  /** A kind was listed, or not. */
  countList(kind: Kind, result: 'ok' | Failure): void
  /** A watch was opened. */
  countWatch(kind: Kind): void
  /** A list or watch has ended and is begun anew. */
  countRestart(kind: Kind, reason: RestartReason): void
  /** The server told of a change, or by a bookmark that there was none. */
  countEvent(kind: Kind, type: WatchEventType): void
  /** How many objects of a kind are known. */
  setObjects(kind: Kind, count: number): void
  /** What became of an event that was to be recorded. */
  countRecorded(result: RecordResult): void
}

/** Types of events on a watch. */
export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'

/**
 * What became of an event, see {@link ClientMetrics.countRecorded}: `limited` is one too many about an object, `failed` was refused by
 * the server or not answered, `dropped` never had its turn.
 */
export type RecordResult = 'created' | 'repeated' | 'limited' | 'failed' | 'dropped'

/** Counts nothing. */
export const silentMetrics: ClientMetrics = {
  countRequest: () => {},
  countList: () => {},
  countWatch: () => {},
  countRestart: () => {},
  countEvent: () => {},
  setObjects: () => {},
  countRecorded: () => {},
}

const REFLECTOR = 'typemetal_reflector_'

/**
 * Registers the metrics of a store on the Kubernetes API: `rest_client_requests_total`, as every client has it, and
 * `typemetal_reflector_*` for each kind that is watched.
 *
 * @param now milliseconds on a monotonic clock
 */
export function createClientMetrics(registry: Registry, now: () => number = () => performance.now()): ClientMetrics {
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, ...labelNames: readonly L[]) =>
    new Counter<L>({ name, help, registers, labelNames })
  const requests = counter(
    'rest_client_requests_total',
    'Requests to the API server by method and status',
    'code',
    'method',
  )
  const lists = counter(`${REFLECTOR}lists_total`, 'Complete lists of a kind, by how they ended', 'kind', 'result')
  const watches = counter(`${REFLECTOR}watches_total`, 'Watches opened', 'kind')
  const restarts = counter(`${REFLECTOR}restarts_total`, 'Lists and watches begun anew, by reason', 'kind', 'reason')
  const events = counter(`${REFLECTOR}events_total`, 'Events received on watches', 'kind', 'type')
  const recorded = counter('typemetal_event_records_total', 'Kubernetes events by what became of them', 'result')
  const objects = new Gauge({ name: `${REFLECTOR}objects`, help: 'Objects known', registers, labelNames: ['kind'] })
  const heard = new Map<Kind, number>()
  const age = new Gauge({
    name: `${REFLECTOR}last_event_age_seconds`,
    help: 'Time since the API server last said anything about a kind: an event, a bookmark or a list',
    labelNames: ['kind'],
    registers: [],
    collect() {
      for (const [kind, at] of heard) this.set({ kind }, (now() - at) / 1000)
    },
  })
  registry.registerMetric(age)
  return {
    countRequest: (method, code) => requests.inc({ method, code }),
    countList: (kind, result) => {
      lists.inc({ kind, result })
      if (result === 'ok') heard.set(kind, now())
    },
    countWatch: kind => watches.inc({ kind }),
    countRestart: (kind, reason) => restarts.inc({ kind, reason }),
    countEvent: (kind, type) => {
      events.inc({ kind, type })
      heard.set(kind, now())
    },
    setObjects: (kind, count) => objects.set({ kind }, count),
    countRecorded: result => recorded.inc({ result }),
  }
}
