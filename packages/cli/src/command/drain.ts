/** `typemetal drain NODE --simulate`: a drain on paper. */
import { forecast, type Forecast, type ForecastOptions } from '../drain/forecast.js'
import { type Answer, ExitCode } from '../exit-code.js'
import { type Format, type Paint, plain, render, table, type Tone } from '../output.js'
import type { Cluster } from '../source/cluster.js'
import { noSuchNode, viewOf, type ViewRequest } from '../view.js'
import { notesOf } from './plan.js'
import { invalid } from './validate.js'

/** Which drain. */
export interface DrainRequest extends ViewRequest, Pick<ForecastOptions, 'cause' | 'options' | 'successorAfter'> {
  readonly paint?: Paint
}

/**
 * Runs the speaker's own drain machine in virtual time. Code 1 when something would be announced by nobody.
 *
 * @throws {CommandError} there is no such node
 */
export function drain(cluster: Cluster, node: string, request: DrainRequest, format: Format): Answer {
  const view = viewOf(cluster, { ...request, nodes: [] })
  if (!view) return invalid(cluster, format, request.paint)
  if (!view.plans.has(node)) throw noSuchNode(node, [...view.plans.keys()])
  const found = forecast(view, node, request)
  const text = render(format, found, () => forPeople(found, request.paint ?? plain))
  const lost =
    found.layer2.some(({ heir }) => heir === undefined) || found.bgp.some(({ others }) => others.length === 0)
  const dead = view.members.includes(node)
    ? []
    : [`the speaker of ${node} is not alive: others have taken over already`]
  return {
    text,
    code: lost ? ExitCode.refused : ExitCode.ok,
    notes: [...notesOf(cluster, view, request.namespace), ...dead],
  }
}

function forPeople(found: Forecast, paint: Paint): string {
  const { node, layer2, bgp, timeline } = found
  const tone = (_: string, cell: string): Tone | undefined => (cell.startsWith('nobody') ? 'bad' : undefined)
  const parts = [
    layer2.length === 0
      ? `${node} answers for no layer-2 address\n`
      : `${paint('strong', 'layer 2: who takes over')}\n${table(
          layer2.map(({ address, services, heir = 'nobody' }) => ({
            address,
            services: services.join(','),
            from: node,
            to: heir,
          })),
          { paint, tone },
        )}`,
    bgp.length === 0
      ? `${node} announces nothing by BGP\n`
      : `${paint('strong', 'BGP: what the routers have left')}\n${table(
          bgp.map(({ prefix, services, peers, others }) => ({
            prefix,
            services: services.join(','),
            withdrawn_from: peers.join(','),
            still_from: others.join(',') || 'nobody else',
          })),
          { paint, tone },
        )}`,
    `${paint('strong', 'in time')} (bounds as the speaker has them; what others do is assumed)\n${timeline
      .map(({ at, who, what }) => `${(at / 1000).toFixed(3).padStart(8)} s  ${who}: ${what}\n`)
      .join('')}`,
  ]
  return parts.join('\n')
}
