import type { Command } from 'commander'
import { explain } from '../command/explain.js'
import type { Terminal } from '../terminal.js'
import {
  type DecisionOptions,
  examples,
  type OutputOptions,
  paintOf,
  read,
  say,
  serviceKey,
  type SourceOptions,
  withCluster,
  withDecisions,
  withNamespace,
  withOutput,
} from './options.js'

/** `typemetal explain`. */
export function addExplain(program: Command, terminal: Terminal): void {
  withDecisions(withCluster(withOutput(withNamespace(program.command('explain')))))
    .summary('follow one Service from its pool to the wire')
    .description(
      'Follows one Service from its pool to the wire: address, endpoints, election, sessions, frames, each with its reason.\nWithout sources: in the live cluster.',
    )
    .argument('<service>', 'service/NAME, service/NAMESPACE/NAME or NAMESPACE/NAME')
    .argument('[source...]', 'folders or files of manifests; - for standard input')
    .addHelpText(
      'after',
      examples(
        'typemetal explain service/web',
        'typemetal explain service/shop/web deploy/cluster',
        'typemetal explain shop/web --context production --output yaml',
      ),
    )
    .action(async (service: string, sources: string[], options: SourceOptions & OutputOptions & DecisionOptions) => {
      const cluster = await read(sources, options, terminal)
      const request = { ...options, members: options.member, paint: paintOf(terminal) }
      say(terminal, explain(cluster, serviceKey(service), request, options.output))
    })
}
