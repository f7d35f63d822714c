import type { Server } from 'node:net'
import { addressFamily, canonicalAddress, parseAddress } from '../address.js'
import type { loadSockets } from './sockets.js'

type Sockets = Awaited<ReturnType<typeof loadSockets>>

/** What a peer, or all peers of a prefix, need of a listening socket. Told apart by identity, not by value. */
export interface ListenTerms {
  /** The peer's address, or a prefix's first. */
  readonly address: string
  /** For all peers of a prefix; bits. @default the one address */
  readonly prefixLength?: number
  /** Key of TCP-MD5 (RFC 2385), 1 to 80 octets of UTF-8. */
  readonly key?: string
  /** The only interface, or VRF, that its connections may come in by. @default any */
  readonly device?: string
  /** TTL or hop limit of what it is sent; see `Listener.admit`. */
  readonly ttl?: number
  /** Smallest TTL or hop limit that it may come with (GTSM, RFC 5082); see `Listener.admit`. */
  readonly minTtl?: number
}

/** Terms with a key. */
export type KeyTerms = ListenTerms & { readonly key: string }

/** Whether these terms ask for more than Node.js can do. */
export const isDemanding = ({ key, device, ttl, minTtl }: ListenTerms): boolean =>
  [key, device, ttl, minTtl].some(option => option !== undefined)

export const hasKey = (terms: ListenTerms): terms is KeyTerms => terms.key !== undefined

/** GTSM needs 255 from the first packet, our SYN-ACK; other peers do not mind. */
const FARTHEST = 255

/** Two terms with one slot share a key in the kernel. */
function slotOf({ address, prefixLength }: ListenTerms): string {
  const text = canonicalAddress(address)
  return `${text}/${prefixLength ?? (addressFamily(parseAddress(text)) === 'ipv4-unicast' ? 32 : 128)}`
}

/**
 * Keys of one listening socket. Of several terms for one peer the last that was added counts, and after its removal the one
 * before it; those for the socket's own device come before those for all.
 */
export class ListenKeys {
  readonly #sockets: Sockets
  readonly #server: Server
  readonly #slots = new Map<string, KeyTerms[]>()

  /** @param terms whose keys the server has already, in this order */
  constructor(sockets: Sockets, server: Server, terms: readonly KeyTerms[]) {
    this.#sockets = sockets
    this.#server = server
    for (const each of terms) this.#slot(each).push(each)
  }

  /** @throws {SocketError} the kernel refuses; nothing is changed then */
  add(terms: KeyTerms): void {
    const slot = this.#slot(terms)
    const before = currentOf(slot)
    slot.push(terms)
    try {
      this.#apply(before, currentOf(slot))
    } catch (error) {
      this.remove(terms)
      throw error
    }
  }

  /** @throws {SocketError} the kernel refuses; the terms are forgotten all the same */
  remove(terms: KeyTerms): void {
    const slot = this.#slot(terms)
    const before = currentOf(slot)
    const at = slot.indexOf(terms)
    if (at >= 0) slot.splice(at, 1)
    if (slot.length === 0) this.#slots.delete(slotOf(terms))
    this.#apply(before, currentOf(slot))
  }

  #slot(terms: KeyTerms): KeyTerms[] {
    const name = slotOf(terms)
    const known = this.#slots.get(name)
    if (known) return known
    const slot: KeyTerms[] = []
    this.#slots.set(name, slot)
    return slot
  }

  #apply(before: KeyTerms | undefined, after: KeyTerms | undefined): void {
    // A server that has been closed has no keys to lose.
    if (before?.key === after?.key || !this.#server.listening) return
    if (after) this.#sockets.setServerMd5Key(this.#server, after)
    else if (before) this.#sockets.removeServerMd5Key(this.#server, before)
  }
}

const currentOf = (slot: readonly KeyTerms[]): KeyTerms | undefined =>
  slot.findLast(({ device }) => device !== undefined) ?? slot.at(-1)

/** Has a server keep what {@link judge} asks for, and answer from the farthest TTL on. */
export function prepareForTtl(sockets: Sockets, server: Server): void {
  sockets.setServerTcpOptions(server, { ttl: FARTHEST, saveSyn: true })
}

/** Options of a new listening server for these terms. */
export function listenOptions(terms: readonly ListenTerms[]): {
  readonly md5Keys: readonly KeyTerms[]
  readonly ttl?: number
  readonly saveSyn?: boolean
} {
  const slots = new Map<string, KeyTerms[]>()
  for (const each of terms.filter(hasKey)) slots.set(slotOf(each), [...(slots.get(slotOf(each)) ?? []), each])
  const md5Keys = [...slots.values()].flatMap(slot => currentOf(slot) ?? [])
  const judges = terms.some(({ ttl, minTtl }) => ttl !== undefined || minTtl !== undefined)
  return { md5Keys, ...(judges && { ttl: FARTHEST, saveSyn: true }) }
}
