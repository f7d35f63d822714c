import { parseDuration } from '@typemetal/cluster'
import { DRAIN_CAUSES, DRAIN_DEFAULTS } from '@typemetal/speaker'
import type { DrainScenario } from '@typemetal/speaker'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { drain } from '../command/drain.js'
import { CommandError, ExitCode } from '../exit-code.js'
import type { Terminal } from '../terminal.js'
import {
  type DecisionOptions,
  examples,
  type OutputOptions,
  paintOf,
  read,
  say,
  type SourceOptions,
  withCluster,
  withDecisions,
  withNamespace,
  withOutput,
} from './options.js'

interface Options extends SourceOptions, OutputOptions, DecisionOptions {
  readonly simulate: boolean
  readonly cause: DrainScenario['cause']
  readonly drainTimeout: number
  readonly drainPeerWait: number
  readonly drainSuccessorWait: number
  readonly successor: boolean
}

const ONLY_SIMULATED = `this command changes nothing: add --simulate. The drain itself is the speaker's: it begins with "kubectl cordon NODE" where the
speakers run with --drain-on=cordon, and whenever a speaker is told to end`

/** `typemetal drain`. */
export function addDrain(program: Command, terminal: Terminal): void {
  const command = withDecisions(withCluster(withOutput(withNamespace(program.command('drain')))))
    .summary('say what would happen if a node were drained')
    .description(
      "Says who takes over each address of a node, what each peer is told, and when: the speaker's own drain in virtual time. Without sources: in the live cluster. Exit code 1 when something would be announced by nobody.",
    )
    .argument('<node>', 'name of the Node')
    .argument('[source...]', 'folders or files of manifests; - for standard input')
    .option('--simulate', 'required: this command only simulates', false)
    .addOption(new Option('--cause <cause>', 'why').choices([...DRAIN_CAUSES, 'signal', 'upgrade']).default('cordon'))
    .option('--no-successor', 'assume that no successor is ever heard')
  for (const [flag, what, value] of BOUNDS) {
    command.addOption(
      new Option(`${flag} <duration>`, `${what}, as the speakers have it`)
        .default(value, `${value / 1000}s`)
        .argParser(duration),
    )
  }
  command
    .addHelpText(
      'after',
      examples(
        'typemetal drain node-3 --simulate',
        'typemetal drain node-3 deploy/cluster --simulate --cause upgrade -o json',
      ),
    )
    .action(async (node: string, sources: string[], options: Options) => {
      if (!options.simulate) throw new CommandError(ONLY_SIMULATED, ExitCode.usage)
      const cluster = await read(sources, options, terminal)
      const { lbClass, ignoreExcludeLb, electionLevel, namespace, cause } = options
      const request = {
        namespace,
        lbClass,
        ignoreExcludeLb,
        electionLevel,
        cause,
        members: options.member,
        paint: paintOf(terminal),
        options: {
          timeout: options.drainTimeout,
          peerWait: options.drainPeerWait,
          successorWait: options.drainSuccessorWait,
        },
        ...(!options.successor && { successorAfter: undefined }),
      }
      say(terminal, drain(cluster, node, request, options.output))
    })
}

const BOUNDS = [
  ['--drain-timeout', 'most time for all of it', DRAIN_DEFAULTS.timeout],
  ['--drain-peer-wait', 'what routers get to move traffic elsewhere', DRAIN_DEFAULTS.peerWait],
  ['--drain-successor-wait', 'how long an address is answered on without a successor', DRAIN_DEFAULTS.successorWait],
] as const

/** @returns milliseconds */
function duration(text: string): number {
  const seconds = parseDuration(text)
  if (seconds === undefined || seconds < 0) throw new InvalidArgumentError('must be a duration such as 20s or 1m30s.')
  return seconds * 1000
}
