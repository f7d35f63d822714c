/** `typemetal validate DIR…`: would this configuration be taken? */
import { formatConfigError } from '@typemetal/cluster'
import type { Cluster } from '../cluster.js'
import { render } from '../output.js'
import type { Format } from '../output.js'

/** What a command prints, and the exit code that goes with it. */
export interface Answer {
  readonly text: string
  readonly code: 0 | 1
}

/** Every fault of the configuration, one a line; code 1 when there is any. */
export function validate({ snapshot, result }: Cluster, format: Format): Answer {
  // Objects that have nothing to do with the configuration can be broken too: a Service that does not parse.
  const others = snapshot.faults.filter(fault => !result.errors?.includes(fault))
  const errors = [...(result.errors ?? []), ...others]
  const code = errors.length === 0 ? 0 : 1
  if (format !== 'table') return { text: render(format, { valid: code === 0, errors }, []), code }
  if (code === 1) return { text: errors.map(error => `${formatConfigError(error)}\n`).join(''), code }
  const { pools, peers } = result.config ?? { pools: new Map(), peers: new Map() }
  const services = snapshot.objects('Service').size
  return { text: `valid: ${pools.size} pools, ${peers.size} peers, ${services} Services\n`, code }
}
