/** What controller and speakers have said about a Service. */
import { readEvents } from '@typemetal/cluster'
import type { ApiClient, Event } from '@typemetal/cluster'
import { itemsOf } from './live.js'

/** An event, however it was kept. */
export interface SaidEvent {
  readonly type: string
  readonly reason: string
  readonly message: string
  readonly count: number
  /** RFC 3339; empty when unknown. */
  readonly last: string
  /** Component, with its node if it has one. */
  readonly source: string
}

/** Most events that are worth reading. */
const MOST = 10

/** Events about a Service on an API server, oldest first. @throws what the server has against it */
export async function liveEvents(api: ApiClient, key: string): Promise<readonly SaidEvent[]> {
  const [namespace = '', name = ''] = key.split('/')
  const list = await api.send({
    method: 'GET',
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`,
    query: { fieldSelector: `involvedObject.kind=Service,involvedObject.name=${name}` },
  })
  const events = itemsOf(list) as unknown as readonly Event[]
  return newest(
    events.map(({ type, reason, message, count = 1, lastTimestamp, source }) => ({
      type,
      reason,
      message,
      count,
      last: lastTimestamp ?? '',
      source: [source?.component, source?.host].filter(Boolean).join(' on '),
    })),
  )
}

/** Events about a Service that lie in a folder of statuses, oldest first; none where there is no such folder. */
export async function folderEvents(statusDirectory: string, key: string): Promise<readonly SaidEvent[]> {
  const events = await readEvents(statusDirectory)
  return newest(
    events
      .filter(({ object }) => object === `Service ${key}`)
      .map(({ type, reason, message, count, lastTimestamp, component, host }) => ({
        type,
        reason,
        message,
        count,
        last: lastTimestamp,
        source: [component, host].filter(Boolean).join(' on '),
      })),
  )
}

const newest = (events: readonly SaidEvent[]): readonly SaidEvent[] =>
  events.toSorted((a, b) => (a.last < b.last ? -1 : 1)).slice(-MOST)
