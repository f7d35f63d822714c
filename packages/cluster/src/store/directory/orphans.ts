import type { Logger } from '../../process/log.js'
import { removeIfThere } from './versioned-file.js'

/** Removes status files some time after their objects have gone. */
export class Orphans {
  readonly #delay: number
  readonly #isOrphan: (path: string) => 'yes' | 'no' | 'unknown'
  readonly #log: Logger
  readonly #timers = new Map<string, NodeJS.Timeout>()

  /**
   * @param delay milliseconds
   * @param isOrphan asked when a file is considered and again after the delay; `unknown` puts the answer off
   */
  constructor(delay: number, isOrphan: (path: string) => 'yes' | 'no' | 'unknown', log: Logger) {
    this.#delay = delay
    this.#isOrphan = isOrphan
    this.#log = log
  }

  /** Looks whether a status file belongs to nothing; if so, it will be removed unless its object comes back. */
  consider(path: string): void {
    if (this.#timers.has(path) || this.#isOrphan(path) === 'no') return
    const timer = setTimeout(() => void this.#decide(path), this.#delay)
    this.#timers.set(path, timer.unref())
  }

  clear(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }

  async #decide(path: string): Promise<void> {
    this.#timers.delete(path)
    const answer = this.#isOrphan(path)
    if (answer === 'unknown') return this.consider(path)
    if (answer === 'no') return
    try {
      await removeIfThere(path) // the watch reports it
    } catch (error) {
      this.#log.warn({ op: 'removeStatus', error, file: path }, 'cannot remove the status of an object that is gone')
    }
  }
}
