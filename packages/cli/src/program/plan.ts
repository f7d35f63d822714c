import type { Command } from 'commander'
import { difference } from '../command/difference.js'
import { plan } from '../command/plan.js'
import { CommandError, ExitCode } from '../exit-code.js'
import { type Cluster, clusterOf, readCluster } from '../source/cluster.js'
import { overlay } from '../source/overlay.js'
import type { Terminal } from '../terminal.js'
import {
  append,
  type DecisionOptions,
  examples,
  type OutputOptions,
  paintOf,
  read,
  refuseCluster,
  say,
  type SourceOptions,
  withCluster,
  withDecisions,
  withNamespace,
  withOutput,
} from './options.js'

interface Options extends SourceOptions, OutputOptions, DecisionOptions {
  readonly node: readonly string[]
  readonly against?: string
  readonly prune: boolean
  readonly exitCode: boolean
  readonly all: boolean
}

/** Value of `--against` that means the live cluster. */
const LIVE = 'live'

/** `typemetal plan`. */
export function addPlan(program: Command, terminal: Terminal): void {
  withDecisions(withCluster(withOutput(withNamespace(program.command('plan')))))
    .summary('say which node would announce what, or what a change would do')
    .description(
      'Says which node would announce what, and why not the rest. With --against: what would change, address by address, node by node and session by session. Without sources: the live cluster.',
    )
    .argument('[source...]', 'folders or files of manifests; - for standard input')
    .option('--node <name>', 'only this node; repeatable', append, [])
    .option('--against <where>', 'compare with what another folder or file says, or with the cluster: "live"')
    .option('--prune', 'with --against live: configuration that the sources do not have is taken to be deleted', false)
    .option('--exit-code', `with --against: exit code ${ExitCode.differs} when something would change`, false)
    .option('--all', 'also Services of other types, and protocols for which the pool has no advertisement', false)
    .addHelpText(
      'after',
      examples(
        'typemetal plan deploy/cluster --node node-1',
        'typemetal plan deploy/cluster --against live',
        'git worktree add ../before main && typemetal plan deploy/cluster --against ../before/deploy/cluster',
        'typemetal plan deploy/cluster --member node-1 --member node-2 --output json',
      ),
    )
    .action(async (sources: string[], options: Options) => {
      const paint = paintOf(terminal)
      const request = { ...options, nodes: options.node, members: options.member, paint }
      const idle = idleFlag(options)
      if (idle !== undefined) throw new CommandError(idle, ExitCode.usage)
      if (options.against === undefined) {
        return say(terminal, plan(await read(sources, options, terminal), request, options.output))
      }
      const { before, after } = await readBoth(sources, options.against, options, terminal)
      say(terminal, difference(before, after, request, options.output))
    })
}

/** A pipeline that forgets `--against` must not take "nothing changes" for an answer. */
function idleFlag({ against, exitCode, prune }: Options): string | undefined {
  if (exitCode && against === undefined) return '--exit-code says whether something would change: --against what?'
  if (prune && against !== LIVE)
    return '--prune is about what the cluster has and the sources do not: it needs --against live'
  return undefined
}

async function readBoth(
  sources: readonly string[],
  against: string,
  options: Options,
  terminal: Terminal,
): Promise<{ before: Cluster; after: Cluster }> {
  if (sources.length === 0) throw new CommandError('--against needs a source: what would be applied', ExitCode.usage)
  const { namespace, prune } = options
  const change = await readCluster(sources, namespace, terminal.readInput)
  if (against !== LIVE) refuseCluster([...sources, against], options)
  if (against !== LIVE) return { before: await readCluster([against], namespace), after: change }
  const before = await read([], options, terminal)
  const { result: _, snapshot, ...rest } = before
  return { before, after: clusterOf(overlay(snapshot, change.snapshot, { prune }), namespace, rest) }
}
