/** `typemetal status`: how the cluster is. */
import { type Answer, ExitCode } from '../exit-code.js'
import { type Format, type Paint, plain, render, type Row, table, type Tone } from '../output.js'
import type { Cluster } from '../source/cluster.js'
import type { SpeakerReading } from '../status/metrics.js'
import { report, type ServiceStatus, type StatusReport } from '../status/report.js'
import { viewOf, type ViewRequest } from '../view.js'
import { notesOf } from './plan.js'
import { invalid } from './validate.js'

/** What to show. */
export interface StatusRequest extends ViewRequest {
  /** What speakers say themselves, by node. @default they were not asked */
  readonly readings?: ReadonlyMap<string, SpeakerReading>
  /** Colours of a table. @default none */
  readonly paint?: Paint
}

/** Pools, Services, nodes, sessions and configuration; code 1 when a component cannot use the newest configuration. */
export function status(cluster: Cluster, request: StatusRequest, format: Format): Answer {
  const view = viewOf(cluster, request)
  if (!view) return invalid(cluster, format, request.paint)
  const found = report(view, request.namespace, request.readings)
  const text = render(format, found, () => forPeople(found, request.paint ?? plain))
  const sound = found.configuration.every(({ result }) => result !== 'Invalid')
  return { text, code: sound ? ExitCode.ok : ExitCode.refused, notes: notesOf(cluster, view, request.namespace) }
}

function forPeople(found: StatusReport, paint: Paint): string {
  const sections: readonly (readonly [title: string, rows: readonly Row[]])[] = [
    ['pools', poolRows(found)],
    ['Services', found.services.map(serviceRow)],
    ['nodes', nodeRows(found)],
    ['BGP sessions', sessionRows(found)],
    ['configuration', stateRows(found)],
  ]
  return sections
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => `${paint('strong', title)}\n${table(rows, { paint, tone })}`)
    .join('\n')
}

function tone(column: string, cell: string): Tone | undefined {
  if (cell === 'down' || cell === 'Invalid' || (column === 'alive' && cell === 'no')) return 'bad'
  if (cell === 'up' || cell === 'Valid') return 'good'
  if (column === 'use' && Number.parseInt(cell) >= 85) return Number.parseInt(cell) >= 95 ? 'bad' : 'warn'
  return column === 'reason' || cell.includes('(says') ? 'warn' : undefined
}

const poolRows = ({ pools }: StatusReport): readonly Row[] =>
  pools.map(({ pool, addresses, assigned, available, percent, announced }) => ({
    pool,
    use: `${percent}%`,
    assigned: String(assigned),
    free: String(available),
    announced: announced.join(',') || 'by nobody',
    addresses: addresses.join(','),
  }))

const serviceRow = ({ service, addresses, pool, layer2, bgp, reason = '' }: ServiceStatus): Row => ({
  service,
  addresses: addresses.join(',') || '-',
  pool: pool ?? '-',
  layer2: withReported(layer2.node === undefined ? [] : [layer2.node], layer2.reported),
  bgp: withReported(bgp.nodes, bgp.reported),
  reason,
})

/** What should be, and what the speakers say where that is something else. */
function withReported(wanted: readonly string[], said: readonly string[] | undefined): string {
  const text = wanted.join(',') || '-'
  return said === undefined || said.join() === wanted.join() ? text : `${text} (says ${said.join(',') || 'nobody'})`
}

const nodeRows = ({ nodes }: StatusReport): readonly Row[] =>
  nodes.map(({ node, alive, layer2, bgp, sessions, notes }) => ({
    node,
    alive: alive ? 'yes' : 'no',
    layer2: String(layer2),
    bgp: String(bgp),
    sessions: String(sessions),
    notes: notes.join('; '),
  }))

const sessionRows = ({ sessions }: StatusReport): readonly Row[] =>
  sessions.map(({ node, peer, target, state, bfd = '-', routes, announced }) => ({
    node,
    peer,
    target,
    state,
    bfd,
    routes: String(routes),
    told: announced === undefined ? '-' : String(announced),
  }))

const stateRows = ({ configuration }: StatusReport): readonly Row[] =>
  configuration.map(({ component, result, summary = '' }) => ({
    component,
    result,
    summary: summary.split('\n').join('; '),
  }))
