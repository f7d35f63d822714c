/** Options that several commands share, and what they choose. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { ELECTION_LEVELS } from '@typemetal/speaker'
import type { ElectionLevel } from '@typemetal/speaker'
import { type Answer, CommandError, ExitCode } from '../exit-code.js'
import { FORMATS, type Format, painter, type Paint } from '../output.js'
import { type Cluster, readCluster } from '../source/cluster.js'
import { openLive } from '../source/live.js'
import { type Terminal, warnOn } from '../terminal.js'

/** Where the objects come from. */
export interface SourceOptions {
  readonly namespace: string
  readonly kubeconfig?: string
  readonly context?: string
}

/** How to print. */
export interface OutputOptions {
  readonly output: Format
}

/** As the processes were started. */
export interface DecisionOptions {
  readonly member: readonly string[]
  readonly lbClass: string
  readonly ignoreExcludeLb: boolean
  readonly electionLevel: ElectionLevel
}

/** Collects an option that is given several times. */
export const append = (value: string, previous: readonly string[]): string[] => [...previous, value]

/** `-n, --namespace`. */
export const withNamespace = (command: Command): Command =>
  command.option('-n, --namespace <name>', 'namespace of the metallb.io resources', 'metallb-system')

/** `-o, --output`. */
export const withOutput = (command: Command): Command =>
  command.addOption(new Option('-o, --output <format>', 'how to print').choices(FORMATS).default('table'))

/** `--kubeconfig`, `--context`. */
export const withCluster = (command: Command): Command =>
  command
    .option('--kubeconfig <file>', 'file that names the API server; default: as kubectl finds it')
    .option('--context <name>', 'context of that file; default: its current one')

/** Flags of the processes that shape decisions. */
export const withDecisions = (command: Command): Command =>
  command
    .option('--member <name>', 'a live speaker; repeatable; default: those that are ready, else every Node', append, [])
    .option('--lb-class <class>', 'as controller and speakers have it', '')
    .option('--ignore-exclude-lb', 'as the speakers have it', false)
    .addOption(
      new Option('--election-level <level>', 'as the speakers have it').choices(ELECTION_LEVELS).default('main'),
    )

/** A TCP port. */
export function port(value: string): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number < 1 || number > 65535)
    throw new InvalidArgumentError('must be a port, 1 to 65535.')
  return number
}

/**
 * Sources that are read instead of a cluster leave no use for its name, and an answer about the wrong one looks like any other.
 *
 * @throws {CommandError} sources and a cluster are named
 */
export function refuseCluster(sources: readonly string[], { kubeconfig, context }: SourceOptions): void {
  const flag = kubeconfig !== undefined ? '--kubeconfig' : context !== undefined ? '--context' : undefined
  if (flag !== undefined)
    throw new CommandError(
      `${flag} names a cluster, and ${sources.join(' ')} would be read instead: leave one of them out`,
      ExitCode.usage,
    )
}

/** Reads folders, files and standard input, or without any the live cluster. @throws {CommandError} both are named */
export async function read(sources: readonly string[], options: SourceOptions, terminal: Terminal): Promise<Cluster> {
  if (sources.length > 0) refuseCluster(sources, options)
  if (sources.length > 0) return readCluster(sources, options.namespace, terminal.readInput)
  await using live = await openLive(options)
  return await live.read()
}

/** Prints an answer, what is to be known about it on the other stream, and sets the exit code. */
export function say(terminal: Terminal, { text, code, notes = [] }: Answer): void {
  for (const note of notes) warnOn(terminal, note.startsWith('error: ') ? `${note}\n` : `note: ${note}\n`)
  terminal.write(text)
  terminal.exitCode(code)
}

/** How this terminal shows tones. */
export const paintOf = (terminal: Terminal): Paint => painter(terminal.color ?? false)

/** `service/web`, `service/shop/web`, `shop/web` and `web` all name a Service. @throws {CommandError} another text */
export function serviceKey(text: string, home = 'default'): string {
  const parts = text.replace(/^(?:services?|svc)\//, '').split('/')
  if (parts.length > 2 || parts.includes(''))
    throw new CommandError(
      `"${text}" names no Service: write service/NAME, service/NAMESPACE/NAME or NAMESPACE/NAME`,
      ExitCode.usage,
    )
  return parts.length === 1 ? `${home}/${parts[0]}` : parts.join('/')
}

/** Lines of examples at the end of a command's help. */
export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map(line => `  ${line}\n`).join('')}`.trimEnd()
