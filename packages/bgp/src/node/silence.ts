import type { Clock } from './clock.js'
import { loadSockets } from './sockets.js'

/** What silence may mean. */
export const SILENCE = 'peer down, packets filtered, or another TCP-MD5 key'

/** A peer that is there has answered by then. Milliseconds; before TCP sends its SYN again, which takes a second. */
const PATIENCE = 500

type Counters = ReturnType<Awaited<ReturnType<typeof loadSockets>>['readMd5Counters']>

const NONE = { failure: 0, notFound: 0, unexpected: 0 }
const FAULTS = {
  failure: 'signed with another key',
  notFound: 'not signed though a key is set',
  unexpected: 'signed though no key is set',
} as const

/** Where the kernel says how many TCP segments it dropped for their MD5 signature (RFC 2385), if it does. */
async function findCounters(): Promise<() => Counters> {
  try {
    const { readMd5Counters } = await loadSockets()
    return readMd5Counters
  } catch {
    // Only a hint is lost: whoever set a key has the package.
    return () => undefined
  }
}

/**
 * Waits beside an attempt to connect, and says afterwards what is known about the silence. The counters are the machine's: they
 * hint, they do not prove.
 */
export class SilenceWatch implements Disposable {
  readonly #cancel: () => void
  #read: () => Counters = () => undefined
  #before: Counters

  constructor(clock: Clock) {
    // Not at once: most peers answer, and reading the counters costs more than connecting to them.
    this.#cancel = clock.after(PATIENCE, () => void this.#begin())
  }

  async #begin(): Promise<void> {
    this.#read = await findCounters()
    this.#before = this.#read()
  }

  /** What silence may mean, and which signatures were wrong meanwhile. */
  explain(): string {
    const before = this.#before ?? NONE
    const now = (this.#before && this.#read()) ?? NONE
    const names = ['failure', 'notFound', 'unexpected'] as const
    const said = names.flatMap(name => {
      const count = now[name] - before[name]
      return count > 0 ? [`${count} ${FAULTS[name]}`] : []
    })
    return said.length === 0 ? SILENCE : `${SILENCE}; TCP segments dropped here meanwhile: ${said.join(', ')}`
  }

  [Symbol.dispose](): void {
    this.#cancel()
  }
}
