import { seeded, type Random } from './random.js'
import { shrink } from './shrink.js'
import type { FuzzTarget } from './target.js'

/** How long to go on: until either limit is reached. */
export interface FuzzLimits {
  readonly milliseconds?: number
  readonly executions?: number
  /** Called with each input before it is tried. */
  readonly before?: (input: Uint8Array) => void
  /** Called every now and then, while shrinking too: it goes on. */
  readonly beat?: () => void
}

/** An input for which a claim does not hold. */
export interface FuzzFailure {
  readonly input: Uint8Array
  readonly error: Error
}

/** What came of it. */
export interface FuzzResult {
  readonly executions: number
  readonly milliseconds: number
  /** How much the heap has grown between the first quarter and the end, in octets; `undefined` where it cannot be told. */
  readonly growth: number | undefined
  readonly failure: FuzzFailure | undefined
}

/** A whole batch without looking at the clock or giving way to timers. */
const BATCH = 64

async function errorOf(target: FuzzTarget, input: Uint8Array): Promise<Error | undefined> {
  try {
    const attempt = await target.open()
    try {
      await attempt.run(input)
    } finally {
      await attempt.close?.()
    }
    return undefined
  } catch (error) {
    return error as Error
  }
}

/** Runs one input by itself. @throws what the target throws when its claim does not hold */
export async function runOnce(target: FuzzTarget, input: Uint8Array): Promise<void> {
  const error = await errorOf(target, input)
  if (error) throw error
}

function heapUsed(): number | undefined {
  if (!globalThis.gc) return undefined
  globalThis.gc()
  // Array buffers are freed behind the back of the first one.
  globalThis.gc()
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
}

/**
 * Throws inputs at a target until one fails or a limit is reached. The same seed gives the same inputs.
 *
 * @param mutate makes an input of those in the corpus
 */
export async function fuzz(
  target: FuzzTarget,
  seed: number,
  limits: FuzzLimits,
  mutate: (random: Random, corpus: readonly Uint8Array[]) => Uint8Array,
): Promise<FuzzResult> {
  const { milliseconds: time = Infinity, executions: most = Infinity, before, beat } = limits
  const random = seeded(seed)
  const corpus = target.corpus()
  const attempt = await target.open()
  const started = performance.now()
  let executions = 0
  let early: number | undefined
  let failure: FuzzFailure | undefined
  const elapsed = (): number => performance.now() - started
  try {
    while (!failure && executions < most && elapsed() < time) {
      if (early === undefined && (elapsed() > time / 4 || executions > most / 4)) early = heapUsed()
      for (let i = 0; i < BATCH && executions < most && elapsed() < time; i++, executions++) {
        const input = executions < corpus.length ? corpus[executions]!.slice() : mutate(random, corpus)
        const kept = input.slice()
        before?.(kept)
        try {
          const running = attempt.run(input)
          if (running) await running
        } catch (error) {
          failure = { input: kept, error: error as Error }
          break
        }
      }
      beat?.()
      await new Promise(resolve => setImmediate(resolve))
    }
    const end = failure ? undefined : heapUsed()
    const growth = early !== undefined && end !== undefined ? end - early : undefined
    return { executions, milliseconds: elapsed(), growth, failure: failure && (await shrunk(target, failure, limits)) }
  } finally {
    await attempt.close?.()
  }
}

/** The same failure by a shorter input, where it fails by itself. */
async function shrunk(target: FuzzTarget, failure: FuzzFailure, { before, beat }: FuzzLimits): Promise<FuzzFailure> {
  if (!(await errorOf(target, failure.input.slice()))) return failure
  const input = await shrink(failure.input, async candidate => {
    before?.(candidate)
    beat?.()
    return (await errorOf(target, candidate)) !== undefined
  })
  return { input, error: (await errorOf(target, input.slice())) ?? failure.error }
}
