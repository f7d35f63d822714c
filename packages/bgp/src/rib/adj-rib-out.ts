import {
  encodePathAttributes,
  encodeUpdateParts,
  familyOf,
  updateRoom,
  type FamilyName,
  type MessageContext,
  type Nlri,
  type PathAttributes,
} from '../wire/index.js'
import { AttributeTable, type AttributeSet } from './attribute-table.js'
import { keyFamily, keyNlri, keyNlriLength, type PrefixKey } from './prefix-key.js'

/** Octets of MP_REACH_NLRI besides next hop and prefixes: attribute header, AFI, SAFI, next hop length, reserved. */
const MP_REACH_OVERHEAD = 9
/** Octets of MP_UNREACH_NLRI besides prefixes. */
const MP_UNREACH_OVERHEAD = 7

/** Prefixes that wait for the same UPDATE; without attributes they are to be withdrawn. */
type Group = Set<PrefixKey>
type Waiting = Map<AttributeSet | undefined, Group>

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}

/** As many prefixes as fit into `room` octets, from the front of the group. */
function takeWhileFits(group: Group, room: number): PrefixKey[] {
  const taken: PrefixKey[] = []
  for (const key of group) {
    room -= keyNlriLength(key)
    if (room < 0) break
    taken.push(key)
  }
  return taken
}

/**
 * Adj-RIB-Out, RFC 4271 section 3.2: what one peer should know of us, what it was told, and the UPDATEs between the two.
 * Setting and deleting is cheap and may go on while {@link next} is drained; what changes back before it was sent is not sent.
 */
export class AdjRibOut {
  readonly #context: MessageContext
  readonly #table: AttributeTable
  readonly #wanted = new Map<PrefixKey, AttributeSet>()
  readonly #sent = new Map<PrefixKey, AttributeSet>()
  readonly #waiting: { readonly [F in FamilyName]: Waiting } = { 'ipv4-unicast': new Map(), 'ipv6-unicast': new Map() }

  /** @param context how the session writes its messages */
  constructor(context: MessageContext) {
    this.#context = context
    this.#table = new AttributeTable(context)
  }

  /** Prefixes that the peer has been told of. */
  get size(): number {
    return this.#sent.size
  }

  /** Prefixes that the peer should know of. */
  get wantedSize(): number {
    return this.#wanted.size
  }

  /**
   * Wants a prefix announced with these attributes, in the place of earlier ones.
   *
   * @throws {RangeError} a value that its attribute cannot hold, or attributes that leave no room for a prefix
   */
  set(key: PrefixKey, attributes: PathAttributes, nextHop: Uint8Array): void {
    const set = this.#table.intern(attributes, nextHop)
    if (this.#room(keyFamily(key), set) < keyNlriLength(key)) {
      this.#table.release(set)
      throw new RangeError('path attributes leave no room for a prefix')
    }
    this.#want(key, set)
  }

  /** Wants a prefix withdrawn, if it was announced at all. */
  delete(key: PrefixKey): void {
    this.#want(key, undefined)
  }

  /** Sends a family's prefixes again, as ROUTE-REFRESH asks (RFC 2918 section 4). */
  refresh(family: FamilyName): void {
    for (const [key, set] of this.#wanted) if (keyFamily(key) === family) this.#enqueue(key, set)
  }

  /**
   * The next UPDATE to send, or `undefined` when the peer knows all: withdrawals first, then announcements packed by shared
   * attributes, none above 4096 octets. The prefixes in it count as told.
   */
  next(): Uint8Array | undefined {
    return (
      this.#withdrawal('ipv4-unicast') ??
      this.#withdrawal('ipv6-unicast') ??
      this.#announcement('ipv4-unicast') ??
      this.#announcement('ipv6-unicast')
    )
  }

  #want(key: PrefixKey, set: AttributeSet | undefined): void {
    const before = this.#wanted.get(key)
    this.#dequeue(key, before)
    if (set) this.#wanted.set(key, set)
    else this.#wanted.delete(key)
    if (this.#sent.get(key) !== set) this.#enqueue(key, set)
    if (before) this.#table.release(before)
  }

  #enqueue(key: PrefixKey, set: AttributeSet | undefined): void {
    const waiting = this.#waiting[keyFamily(key)]
    const group = waiting.get(set)
    if (group) group.add(key)
    else waiting.set(set, new Set([key]))
  }

  #dequeue(key: PrefixKey, set: AttributeSet | undefined): void {
    const waiting = this.#waiting[keyFamily(key)]
    const group = waiting.get(set)
    if (group?.delete(key) && group.size === 0) waiting.delete(set)
  }

  /** Octets for prefixes in one UPDATE with these attributes. */
  #room(family: FamilyName, set: AttributeSet): number {
    const room = updateRoom(this.#context) - set.octets.length
    return family === 'ipv4-unicast' ? room : room - MP_REACH_OVERHEAD - set.nextHop.length
  }

  #take(set: AttributeSet | undefined, group: Group, room: number): Nlri[] {
    const keys = takeWhileFits(group, room)
    for (const key of keys) {
      this.#dequeue(key, set)
      this.#told(key, set)
    }
    return keys.map(keyNlri)
  }

  #told(key: PrefixKey, set: AttributeSet | undefined): void {
    const before = this.#sent.get(key)
    if (set) {
      this.#table.retain(set)
      this.#sent.set(key, set)
    } else {
      this.#sent.delete(key)
    }
    if (before) this.#table.release(before)
  }

  #withdrawal(family: FamilyName): Uint8Array | undefined {
    const group = this.#waiting[family].get(undefined)
    if (!group) return undefined
    if (family === 'ipv4-unicast') {
      return encodeUpdateParts(this.#take(undefined, group, updateRoom(this.#context)), new Uint8Array(0), [])
    }
    const withdrawnRoutes = this.#take(undefined, group, updateRoom(this.#context) - MP_UNREACH_OVERHEAD)
    const mpUnreachNlri = { ...familyOf(family), withdrawnRoutes }
    return encodeUpdateParts([], encodePathAttributes({ mpUnreachNlri }, this.#context), [])
  }

  #announcement(family: FamilyName): Uint8Array | undefined {
    const first = this.#waiting[family].entries().next()
    if (first.done) return undefined
    const [set, group] = first.value
    if (!set) return undefined
    const nlri = this.#take(set, group, this.#room(family, set))
    if (family === 'ipv4-unicast') return encodeUpdateParts([], set.octets, nlri)
    const mpReachNlri = { ...familyOf(family), nextHop: set.nextHop, nlri }
    return encodeUpdateParts([], concat(encodePathAttributes({ mpReachNlri }, this.#context), set.octets), [])
  }
}
