/** Source ports of control packets, RFC 5881 section 4. */
const LEAST = 49_152
const COUNT = 16_384
/** Ports tried for one session; others on this host may have some of them. */
const ATTEMPTS = 64

/** Gives every session a source port of its own, and another one only when the kernel refuses it. */
export class SourcePorts {
  readonly #random: () => number
  readonly #taken = new Set<number>()

  constructor(random: () => number) {
    this.#random = random
  }

  /**
   * @param preferred port that the session had before
   * @param open is called with one port after the other until one is free
   * @returns what `open` has made, and its port
   * @throws what `open` throws, unless its code is `EADDRINUSE`
   */
  open<T>(preferred: number | undefined, open: (port: number) => T): { readonly socket: T; readonly port: number } {
    for (let attempt = 1; ; attempt++) {
      const port = attempt === 1 && preferred !== undefined ? preferred : this.#next()
      try {
        const socket = open(port)
        if (preferred !== undefined && port !== preferred) this.release(preferred)
        this.#taken.add(port)
        return { socket, port }
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'EADDRINUSE' || attempt === ATTEMPTS) throw error
      }
    }
  }

  /** The session is over. */
  release(port: number): void {
    this.#taken.delete(port)
  }

  #next(): number {
    let port = LEAST + Math.floor(this.#random() * COUNT)
    // With more sessions than ports they may be used again (RFC 5881 section 4).
    for (let step = 0; step < COUNT && this.#taken.has(port); step++) port = port + 1 < LEAST + COUNT ? port + 1 : LEAST
    return port
  }
}
