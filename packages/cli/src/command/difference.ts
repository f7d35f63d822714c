/** `typemetal plan DIR --against OTHER`: what would change. */
import { compare, type Difference, isEmpty } from '../compare/compare.js'
import { attributes } from '../compare/routes.js'
import { type Answer, ExitCode } from '../exit-code.js'
import { type Format, type Paint, type Row, render, table, type Tone } from '../output.js'
import type { Cluster } from '../source/cluster.js'
import { keepingAddresses, viewOf, type ViewRequest } from '../view.js'
import { invalid } from './validate.js'
import { notesOf } from './plan.js'

/** What to compare with. */
export interface DifferenceRequest extends ViewRequest {
  /** Exit with {@link ExitCode.differs} when something would change. @default false */
  readonly exitCode?: boolean
  /** Colours of a table. @default none */
  readonly paint?: Paint
}

/**
 * Compares what is with what would be. Services keep the addresses that they have where the new configuration lets them. Refuses, with
 * the faults, when one of the two configurations would not be taken.
 */
export function difference(before: Cluster, after: Cluster, request: DifferenceRequest, format: Format): Answer {
  const was = viewOf(before, request)
  if (!was) return invalid(before, format, request.paint)
  const now = viewOf(keepingAddresses(after, was.snapshot), request)
  if (!now) return invalid(after, format, request.paint)
  const found = compare(was, now)
  const text = render(format, found, () => forPeople(found, request.paint))
  return {
    text,
    code: request.exitCode && !isEmpty(found) ? ExitCode.differs : ExitCode.ok,
    notes: [...new Set([...notesOf(before, was, request.namespace), ...notesOf(after, now, request.namespace)])],
  }
}

function forPeople(found: Difference, paint: Paint | undefined): string {
  if (isEmpty(found)) return 'nothing would change\n'
  const tone = (column: string, cell: string): Tone | undefined =>
    column === 'change' ? TONES[cell.split(' ')[0] ?? ''] : undefined
  const sections: readonly (readonly [title: string, rows: readonly Row[]])[] = [
    ['addresses', addressRows(found)],
    ['announcements', announcementRows(found)],
    ['BGP sessions', sessionRows(found)],
    ['routes', routeRows(found)],
  ]
  const text = sections
    .filter(([, rows]) => rows.length > 0)
    .map(
      ([title, rows]) =>
        `${(paint ?? ((_, text) => text))('strong', title)}\n${table(rows, { tone, ...(paint && { paint }) })}`,
    )
    .join('\n')
  return text + stranded(found)
}

const TONES: Readonly<Record<string, Tone>> = {
  new: 'good',
  begins: 'good',
  opened: 'good',
  told: 'good',
  moves: 'warn',
  changes: 'warn',
  otherwise: 'warn',
  spreads: 'warn',
  carried: 'dim',
  gone: 'bad',
  ends: 'bad',
  closed: 'bad',
  reset: 'bad',
  withdrawn: 'bad',
}

const some = (names: readonly string[]): string => names.join(',') || '-'

const addressRows = ({ addresses }: Difference): readonly Row[] =>
  addresses.map(({ service, before, after, why = '' }) => ({
    change: before.length === 0 ? 'new' : after.length === 0 ? 'gone' : 'changes',
    service,
    before: some(before),
    after: some(after),
    why,
  }))

const announcementRows = ({ announcements }: Difference): readonly Row[] =>
  announcements.map(({ service, protocol, addresses, before, after, reasons }) => ({
    change: before.length === 0 ? 'begins' : after.length === 0 ? 'ends' : protocol === 'layer2' ? 'moves' : 'spreads',
    service,
    addresses: some(addresses),
    protocol,
    before: some(before),
    after: some(after),
    why: [...new Set(Object.values(reasons))].join(', '),
  }))

const sessionRows = ({ sessions }: Difference): readonly Row[] =>
  sessions.map(({ node, peer, target, change, fields }) => ({
    change,
    node,
    peer,
    target,
    why:
      fields.length === 0
        ? ''
        : `${change === 'reset' ? 'must be agreed on anew' : 'without a reset'}: ${fields.join(', ')}`,
  }))

const routeRows = ({ routes }: Difference): readonly Row[] =>
  routes.map(({ node, peer, prefix, before, after }) => ({
    change: before && after ? 'otherwise' : after ? 'told' : 'withdrawn',
    node,
    peer,
    prefix,
    before: before && after ? attributes(before) || '-' : '',
    after: after ? attributes(after) : '',
  }))

const stranded = ({ stranded: services }: Difference): string =>
  services.length === 0
    ? ''
    : `\nSpeakers stay with the old configuration until the controller has given new addresses to ${services.join(', ')}\n`
