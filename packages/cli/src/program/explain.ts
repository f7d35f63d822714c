import { join } from 'node:path'
import type { Command } from 'commander'
import { explain } from '../command/explain.js'
import { type Cluster, STDIN } from '../source/cluster.js'
import { folderEvents, liveEvents, type SaidEvent } from '../source/events.js'
import { openLive } from '../source/live.js'
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
      'Follows one Service from its pool to the wire: address, endpoints, election, sessions, frames, each with its reason. Without sources: in the live cluster.',
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
      const key = serviceKey(service)
      const { cluster, events } = await readWithEvents(key, sources, options, terminal)
      const request = { ...options, members: options.member, events, paint: paintOf(terminal) }
      say(terminal, explain(cluster, key, request, options.output))
    })
}

/** The cluster, and what was said about the Service in it; that nobody may read events is a note. */
async function readWithEvents(
  key: string,
  sources: readonly string[],
  options: SourceOptions,
  terminal: Terminal,
): Promise<{ cluster: Cluster; events: readonly SaidEvent[] }> {
  const [first] = sources
  if (first !== undefined) {
    const events = first === STDIN ? [] : await folderEvents(join(first, 'status'), key)
    return { cluster: await read(sources, options, terminal), events }
  }
  await using live = await openLive(options)
  const cluster = await live.read()
  try {
    return { cluster, events: await liveEvents(live.api, key) }
  } catch (error) {
    const note = `events cannot be read: ${(error as Error).message}`
    return { cluster: { ...cluster, notes: [...(cluster.notes ?? []), note] }, events: [] }
  }
}
