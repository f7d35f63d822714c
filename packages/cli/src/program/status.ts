import { DirectoryStore } from '@typemetal/cluster'
import { type Command, Option } from 'commander'
import { status, type StatusRequest } from '../command/status.js'
import { type Cluster, clusterOf, STDIN } from '../source/cluster.js'
import { type LiveCluster, openLive } from '../source/live.js'
import { readSpeakers, type SpeakerReading } from '../status/metrics.js'
import type { Terminal } from '../terminal.js'
import {
  type DecisionOptions,
  examples,
  type OutputOptions,
  paintOf,
  port,
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
  readonly watch: boolean
  readonly metrics?: number
}

/** Milliseconds in which changes are gathered before the screen is drawn anew. */
const REDRAW = 200
/** Milliseconds after which speakers are asked again when nothing else happens. */
const ASK_AGAIN = 5000

/** `typemetal status`. */
export function addStatus(program: Command, terminal: Terminal): void {
  withDecisions(withCluster(withOutput(withNamespace(program.command('status')))))
    .summary('show pools, Services, nodes and sessions')
    .description(
      'Shows pools and their use, Services with owner and reason, nodes, BGP and BFD sessions, and what keeps a configuration from being in force; exit code 1 in that case. Without sources: the live cluster, whose speakers are asked for their sessions through the API server where that is allowed (get pods/proxy). What speakers report otherwise than expected is marked.',
    )
    .argument('[source...]', 'folders or files of manifests; - for standard input')
    .option('-w, --watch', 'go on, and print again whenever something changes', false)
    .addOption(
      new Option('--metrics [port]', "ask the speakers' metrics for the state of sessions, at the Nodes' InternalIPs")
        .argParser(port)
        .preset('7472'),
    )
    .addHelpText(
      'after',
      examples(
        'typemetal status',
        'typemetal status --watch',
        'typemetal status --metrics',
        'typemetal status deploy/cluster -o json',
      ),
    )
    .action(async (sources: string[], options: Options) => {
      if (sources.length > 0 && (!options.watch || sources.includes(STDIN)))
        return print(await read(sources, options, terminal), options, terminal)
      if (sources.length > 0) refuseCluster(sources, options)
      await using live = sources.length > 0 ? await openFolder(sources, options.namespace) : await openLive(options)
      if (options.watch) await watch(live, options, terminal)
      else await show(live, options, terminal)
    })
}

/**
 * Prints once, with what the speakers say where they can be asked.
 *
 * @param outage why the cluster cannot be read
 * @returns whether a speaker was asked
 */
async function show(live: Watched, options: Options, terminal: Terminal, outage?: string): Promise<boolean> {
  const cluster = await live.read()
  const asked = options.metrics === undefined ? await live.askSpeakers?.() : undefined
  const notes = [...(cluster.notes ?? []), ...(asked?.notes ?? [])]
  await print({ ...cluster, notes }, options, terminal, { ...(outage !== undefined && { outage }), ...asked })
  return options.metrics !== undefined || (asked?.readings.size ?? 0) > 0
}

/** What else there is to print. */
interface More {
  readonly outage?: string
  /** What speakers say, by node. */
  readonly readings?: ReadonlyMap<string, SpeakerReading>
}

async function print(
  cluster: Cluster,
  options: Options,
  terminal: Terminal,
  { outage, ...more }: More = {},
): Promise<void> {
  const { metrics } = options
  const readings = metrics === undefined ? more.readings : await readSpeakers(cluster.snapshot, metrics)
  const request: StatusRequest = {
    ...options,
    members: options.member,
    paint: paintOf(terminal),
    ...(readings && { readings }),
  }
  const answer = status(cluster, request, options.output)
  const clear = options.watch && terminal.interactive ? '\u001B[2J\u001B[3J\u001B[H' : ''
  const notes = [...(answer.notes ?? []), ...(outage === undefined ? [] : [outage])]
  // One answer after the other must be told apart: documents of YAML, and tables.
  const start = options.watch && options.output === 'yaml' ? '---\n' : ''
  const end = options.watch && !terminal.interactive && options.output === 'table' ? '\n' : ''
  say(terminal, { ...answer, text: clear + start + answer.text + end, notes })
}

type Watched = Pick<LiveCluster, 'read' | 'watch'> & Partial<Pick<LiveCluster, 'askSpeakers'>> & AsyncDisposable

/** A folder that goes on being read. */
async function openFolder(sources: readonly string[], namespace: string): Promise<Watched> {
  const store = new DirectoryStore({ directory: sources, component: 'typemetal', namespace, readOnly: true })
  await store.start()
  return {
    read: async () => clusterOf(store.snapshot(), namespace),
    watch: onChange => {
      store.on('change', () => onChange()).on('outage', onChange)
      return () => {}
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

/** Prints now and after every burst of changes, until the terminal says stop. @throws what printing throws */
async function watch(live: Watched, options: Options, terminal: Terminal): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  let outage: string | undefined
  /** Nobody else tells when a session goes. */
  let asked = false
  let printing = Promise.resolve()
  const end = new Ending(terminal.signal)
  const again = (): void => {
    timer = undefined
    printing = printing.then(async () => void (asked = await show(live, options, terminal, outage))).catch(end.fail)
  }
  const unwatch = live.watch(reason => {
    outage = reason
    timer ??= setTimeout(again, REDRAW)
  })
  const ask = (): void => void (timer ??= setTimeout(again, 0))
  const asking = setInterval(() => asked && ask(), ASK_AGAIN)
  try {
    again()
    await end.reached
  } finally {
    unwatch()
    clearTimeout(timer)
    clearInterval(asking)
    end.close()
    await printing
  }
}

/** Waits for the abort of a signal or for a failure, and keeps the process alive meanwhile. */
class Ending {
  /** Resolves when the signal aborts; rejects after {@link fail}. */
  readonly reached: Promise<void>
  fail: (error: unknown) => void = () => {}
  readonly #alive = setInterval(() => {}, 60_000)

  constructor(signal: AbortSignal | undefined) {
    this.reached = new Promise((resolve, reject) => {
      this.fail = reject
      if (signal?.aborted) resolve()
      else signal?.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  close(): void {
    clearInterval(this.#alive)
  }
}
