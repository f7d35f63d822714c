/** A place in the ring: a name, an address and a host that stay, while processes come and go there. */
import type { Host } from '../../host.js'
import type { RingKind, RingProcess } from '../ring-process.js'

/** One place. */
export class Slot {
  /** Whose implementation runs here, or did last. */
  kind: RingKind
  /** What its node tells about itself. */
  meta = ''
  /** The node, while there is one. */
  node: RingProcess | undefined
  /** Things that its node could not read and that are counted already. */
  counted = 0
  #disturbedAt = 0

  constructor(
    readonly name: string,
    readonly address: string,
    readonly host: Host,
    kind: RingKind,
  ) {
    this.kind = kind
    this.disturb()
  }

  /** It was started, ended or cut off: from now on, for a while, news of its death may be on the way. */
  disturb(): void {
    this.#disturbedAt = performance.now()
  }

  /** Milliseconds since the last time. */
  get quietFor(): number {
    return performance.now() - this.#disturbedAt
  }
}

/** Names, as {@link RingProcess.view} has them. */
export const namesOf = (slots: readonly Slot[]): string =>
  slots
    .map(({ name }) => name)
    .toSorted()
    .join(' ')
