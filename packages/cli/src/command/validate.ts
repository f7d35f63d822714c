/** `typemetal validate DIR…`: would this configuration be taken, and is it what is meant? */
import { formatConfigError, KIND_NAMES } from '@typemetal/cluster'
import type { ConfigError } from '@typemetal/cluster'
import { type Answer, ExitCode } from '../exit-code.js'
import { type Format, type Paint, plain, render } from '../output.js'
import type { Cluster } from '../source/cluster.js'
import { findWarnings, type Warning } from '../warnings/warnings.js'

/** How to check. */
export interface ValidateRequest {
  /** Namespace of the `metallb.io` objects. */
  readonly namespace: string
  /** Warnings count as errors, and so does a folder without objects. @default false */
  readonly strict?: boolean
  /** Classes that the processes are started with. @default '' */
  readonly lbClass?: string
  /** Colours of a table. @default none */
  readonly paint?: Paint
}

/**
 * Every fault of the configuration, one a line, then what is probably not meant; code 1 when there is an error.
 *
 * @example
 * ```ts
 * import { readCluster, validate } from 'typemetal'
 *
 * const { text, code } = validate(await readCluster(['manifests'], 'metallb-system'), { namespace: 'metallb-system' }, 'table')
 * console.log(text)
 * process.exitCode = code
 * ```
 */
export function validate(cluster: Cluster, request: ValidateRequest, format: Format): Answer {
  const { snapshot, result, notes, missingSecrets } = cluster
  // Objects that have nothing to do with the configuration can be broken too: a Service that does not parse.
  const others = snapshot.faults.filter(fault => !result.errors?.includes(fault))
  const errors = [...(result.errors ?? []), ...others]
  const { namespace, strict = false, lbClass = '' } = request
  const warnings = result.config
    ? findWarnings({ snapshot, config: result.config, namespace, lbClass, ...(missingSecrets && { missingSecrets }) })
    : []
  const isNothing = errors.length === 0 && KIND_NAMES.every(kind => snapshot.objects(kind).size === 0)
  const valid = errors.length === 0 && !(strict && (warnings.length > 0 || isNothing))
  const { pools, peers } = result.config ?? { pools: new Map(), peers: new Map() }
  const counts = { pools: pools.size, peers: peers.size, services: snapshot.objects('Service').size }
  const text = render(format, { valid, errors, warnings, ...(result.config && counts) }, () =>
    [...lines(errors, warnings, request.paint ?? plain), ...(valid ? [summary(counts, warnings)] : [])]
      .map(line => `${line}\n`)
      .join(''),
  )
  const nothing = 'no object that controller or speakers read was found: is it the right folder?'
  return {
    text,
    code: valid ? ExitCode.ok : ExitCode.refused,
    notes: [...(notes ?? []), ...(isNothing ? [nothing] : [])],
  }
}

const lines = (errors: readonly ConfigError[], warnings: readonly Warning[], paint: Paint): readonly string[] => [
  ...errors.map(error => `${paint('bad', 'error:')} ${formatConfigError(error)}`),
  ...warnings.map(warning => `${paint('warn', 'warning:')} ${formatConfigError(warning)}`),
]

const summary = (
  { pools, peers, services }: { readonly pools: number; readonly peers: number; readonly services: number },
  warnings: readonly Warning[],
): string =>
  `valid: ${count(pools, 'pool')}, ${count(peers, 'peer')}, ${count(services, 'Service')}` +
  (warnings.length > 0 ? `; ${count(warnings.length, 'warning')}` : '')

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`

/** The answer to any question about a configuration that would not be taken. */
export const invalid = (cluster: Cluster, format: Format, paint?: Paint): Answer =>
  validate(cluster, { namespace: '', ...(paint && { paint }) }, format)
