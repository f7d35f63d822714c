import type { Peer } from './peer.js'
import type { CheckedPeerOptions } from './peer-options.js'
import type { Incoming } from './reception.js'

/** The peers of a speaker, by what connections and routes tell of them. */
export class PeerTable {
  /** Each with where it is looked for. */
  readonly #peers = new Map<Peer, string>()
  readonly #places = new Map<string, Set<Peer>>()
  readonly #sources = new Map<number, Peer>()

  get all(): readonly Peer[] {
    return [...this.#peers.keys()]
  }

  add(peer: Peer): void {
    this.#sources.set(peer.source, peer)
    this.#put(peer)
  }

  delete(peer: Peer): void {
    this.#sources.delete(peer.source)
    this.#take(peer)
    this.#peers.delete(peer)
  }

  /** The peer's address or interface may be another. */
  moved(peer: Peer): void {
    if (!this.#peers.has(peer) || this.#peers.get(peer) === placeOf(peer)) return
    this.#take(peer)
    this.#put(peer)
  }

  /**
   * Two peers with one address and port would take each other's connections. Those that came by themselves do not count, nor those that
   * are being closed, nor who waits on either side for connections from there: of those there may be several.
   *
   * @throws {RangeError} they are another peer's; the message begins with the option's name
   */
  checkVacant(options: CheckedPeerOptions): void {
    const { interface: on, address, port } = options
    if (options.passive) return
    for (const other of this.#places.get(placeAt(on, address)) ?? []) {
      if (!other.occupies || !isSameConnection(other.occupies, options)) continue
      const where =
        on === undefined ? `address must be another than ${address}` : `interface must be another than ${on}`
      throw new RangeError(`${where}, which with port ${port} is that of the peer '${other.name}'`)
    }
  }

  /** The peer with this number among the sources of paths. */
  bySource(source: number): Peer | undefined {
    return this.#sources.get(source)
  }

  /** The peer that a connection is from; of several one that can still take it, and those with an address of their own first. */
  find(incoming: Incoming): Peer | undefined {
    const places = [incoming.remote, ...(incoming.zone === undefined ? [] : [onInterface(incoming.zone)])]
    const fitting = places.flatMap(place => [...(this.#places.get(place) ?? [])]).filter(peer => peer.isFrom(incoming))
    return fitting.find(peer => peer.state !== 'Established') ?? fitting[0]
  }

  #put(peer: Peer): void {
    const place = placeOf(peer)
    this.#peers.set(peer, place)
    const known = this.#places.get(place)
    if (known) known.add(peer)
    else this.#places.set(place, new Set([peer]))
  }

  #take(peer: Peer): void {
    const place = this.#peers.get(peer)
    const there = place === undefined ? undefined : this.#places.get(place)
    there?.delete(peer)
    if (place !== undefined && there?.size === 0) this.#places.delete(place)
  }
}

const onInterface = (name: string): string => `%${name}`
const placeAt = (on: string | undefined, address: string): string => (on === undefined ? address : onInterface(on))
const placeOf = ({ interface: on, configuredAddress }: Peer): string => placeAt(on, configuredAddress)

/** Whether two that are at one place connect in one way; what is link-local is told apart by its zone. */
const isSameConnection = (a: CheckedPeerOptions, b: CheckedPeerOptions): boolean =>
  !a.passive &&
  a.port === b.port &&
  a.device === b.device &&
  a.sourceAddress === b.sourceAddress &&
  a.dialAddress.split('%', 2)[1] === b.dialAddress.split('%', 2)[1]
