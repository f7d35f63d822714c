/** One run of churn, from nothing to nothing. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom } from '@typemetal/memberlist/simulator'
import { LabError } from '../../errors.js'
import { Lab } from '../../lab.js'
import { nextEvents } from './events.js'
import { ChurnRing } from './ring.js'
import { Tally } from './tally.js'

/** The command line. */
export interface ChurnOptions {
  readonly minutes: number
  /** Places in the ring, half of them Go's. */
  readonly nodes: number
  readonly encrypted: boolean
  readonly label?: string
  /** Part of all packets that is lost, percent. */
  readonly loss: number
  /** The same seed gives the same events, though not the same moments. */
  readonly seed: number
}

const MINUTE = 60_000
/** Between the end of one event and the next, milliseconds. */
const PAUSE = [500, 2500] as const

/**
 * Lets a ring live for some minutes and prints a line for each of them and one at the end.
 * @param print gets the lines
 * @returns whether nothing went wrong until then, or until `signal` ended it
 */
export async function runChurn(
  options: ChurnOptions,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const { minutes, seed } = options
  const tally = new Tally()
  const lab = await Lab.create()
  const logs = join(lab.directory, 'logs')
  const started = performance.now()
  const elapsed = (): number => performance.now() - started
  let failure: unknown
  try {
    print(`churn: ${describe(options)}; again with --seed ${seed}`)
    await Promise.race([live(lab, options, tally, print, signal), aborted(signal)])
  } catch (error) {
    if (!signal.aborted) failure = error
  } finally {
    if (failure !== undefined || tally.failed) print(`logs: ${keep(logs, lab.id)}`)
    await lab[Symbol.asyncDispose]()
  }
  const time = signal.aborted ? `interrupted after ${(elapsed() / MINUTE).toFixed(1)} min` : `${minutes} min`
  print(`churn: ${time}, ${tally.summary}`)
  if (failure !== undefined) throw failure
  return !tally.failed
}

async function live(
  lab: Lab,
  { minutes, seed, ...options }: ChurnOptions,
  tally: Tally,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const random = seededRandom(seed)
  const ring = await ChurnRing.create(lab, { ...options, random, signal }, tally)
  const end = performance.now() + minutes * MINUTE
  const countAll = async (): Promise<void> => {
    for (const slot of ring.running) await ring.count(slot)
  }
  const say = async (minute: number): Promise<void> => {
    await countAll()
    const { agreements, summary } = tally
    print(`minute ${minute}: ${ring.running.length} of ${options.nodes} run, agreed ${agreements} times, ${summary}`)
  }
  await settle(ring, performance.now())
  for (let minute = 1; performance.now() < end;) {
    await ring.sleep(PAUSE[0] + random() * (PAUSE[1] - PAUSE[0]))
    const events = nextEvents(ring, options.encrypted, random)
    for (const { text } of events) ring.log(text)
    const changes = (await Promise.all(events.map(event => event.run()))).filter(at => at !== undefined)
    tally.events += events.length
    await settle(ring, changes.length > 0 ? Math.max(...changes) : undefined)
    for (; performance.now() >= end - (minutes - minute) * MINUTE && minute <= minutes; minute++) await say(minute)
  }
  await countAll()
}

/** Waits until all agree; those that do not are brought together by a join, so that the run can go on. */
async function settle(ring: ChurnRing, since: number | undefined): Promise<void> {
  if (await ring.agree(ring.running, since)) return
  for (const slot of ring.running) await ring.count(slot)
  const [seed, ...others] = ring.running
  if (seed) await Promise.all(others.map(slot => ring.join(slot, [seed])))
  if (!(await ring.agree(ring.running, undefined)))
    throw new LabError('ERR_LAB_CHECK', 'the ring does not come together, not even by joins')
}

function describe({ minutes, nodes, encrypted, label, loss }: ChurnOptions): string {
  const words = [
    `${nodes} nodes, half of them hashicorp's, for ${minutes} min`,
    encrypted ? 'encrypted' : 'plain',
    ...(label ? [`label ${label}`] : []),
    ...(loss > 0 ? [`${loss} % of all packets lost`] : []),
  ]
  return words.join(', ')
}

/** Copies the logs to where they stay. */
function keep(logs: string, id: string): string {
  const kept = join(import.meta.dirname, '..', '..', '..', 'build', `churn-${id}`)
  cpSync(logs, kept, { recursive: true })
  return kept
}

/** Never resolves; rejects when the signal aborts, at once. */
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error)
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
