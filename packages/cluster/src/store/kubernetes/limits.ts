/** Milliseconds. */
export type Milliseconds = number

/** How much, how often and how long a store asks an API server. */
export interface ClientLimits {
  /** Objects in one page of a list. */
  readonly pageSize: number
  /** Seconds after which the server ends a watch: between these two, so that not all are renewed at once. */
  readonly watchSeconds: readonly [least: number, most: number]
  /** After this long without an event or bookmark a watch is opened anew, in case nobody is there any more. */
  readonly watchSilence: Milliseconds
  /** A watch that ends sooner is not opened again at once. */
  readonly shortWatch: Milliseconds
  /** How long the server may keep silent in answer to a list. */
  readonly readTimeout: Milliseconds
  /** From the call until a write has been answered or will never happen, further attempts included. */
  readonly writeTimeout: Milliseconds
  /** Pauses between attempts: the first one, which doubles until it is the longest. */
  readonly firstPause: Milliseconds
  readonly longestPause: Milliseconds
  /** How long a server that is too busy is asked again before a store gives up to start. */
  readonly startPatience: Milliseconds
}

/** Fit for a cluster of thousands of Services and nodes. */
export const DEFAULT_LIMITS: ClientLimits = {
  pageSize: 500,
  watchSeconds: [300, 600],
  watchSilence: 180_000,
  shortWatch: 1000,
  readTimeout: 30_000,
  writeTimeout: 5000,
  firstPause: 500,
  longestPause: 30_000,
  startPatience: 30_000,
}

/** @throws {RangeError} a limit is no positive number, or a range the wrong way round */
export function checkLimits(limits: Partial<ClientLimits> = {}): ClientLimits {
  const all = { ...DEFAULT_LIMITS, ...limits }
  for (const [name, value] of Object.entries(all)) {
    for (const number of Array.isArray(value) ? value : [value]) {
      if (typeof number !== 'number' || !(number > 0)) throw new RangeError(`limits.${name}: is not above 0: ${number}`)
    }
  }
  const [least, most] = all.watchSeconds
  if (least > most) throw new RangeError(`limits.watchSeconds: ${least} is above ${most}`)
  return all
}
