/** What tells a session's packets from others while the remote system does not know its discriminator yet. */
export interface Addressed {
  /** The remote system's, canonical text. */
  readonly address: string
  /** Ours; `undefined`: whatever the packets are sent to. */
  readonly localAddress: string | undefined
  /** Interface that single-hop packets must come in by; 0: any; -1: it is not there, none. */
  readonly interfaceIndex: number
}

/**
 * Sessions behind one socket, by remote address: RFC 5881 section 3 (interface and source address) and RFC 5883 section 4 (source
 * and destination address), for packets whose Your Discriminator is 0.
 */
export class Demultiplexer<S extends Addressed> {
  readonly #bySource = new Map<string, S[]>()

  add(session: S): void {
    const known = this.#bySource.get(session.address)
    if (known === undefined) this.#bySource.set(session.address, [session])
    else known.push(session)
  }

  delete(session: S): void {
    const rest = this.#bySource.get(session.address)?.filter(known => known !== session) ?? []
    if (rest.length > 0) this.#bySource.set(session.address, rest)
    else this.#bySource.delete(session.address)
  }

  /** Sessions with a remote system of this address. */
  withSource(source: string): readonly S[] {
    return this.#bySource.get(source) ?? []
  }
}

/** Whether packets that come in by this interface are the session's. */
export const isFrom = ({ interfaceIndex }: Addressed, index: number): boolean =>
  interfaceIndex === 0 || interfaceIndex === index

/** The session of these that a packet with such an interface and destination belongs to: one that names the destination first. */
export function select<S extends Addressed>(
  candidates: readonly S[],
  interfaceIndex: number,
  destination: string,
): S | undefined {
  let anyDestination: S | undefined
  for (const candidate of candidates) {
    if (!isFrom(candidate, interfaceIndex)) continue
    if (candidate.localAddress === destination) return candidate
    if (candidate.localAddress === undefined) anyDestination ??= candidate
  }
  return anyDestination
}
