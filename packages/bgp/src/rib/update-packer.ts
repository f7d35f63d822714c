import { familyOf, type FamilyName } from '../wire/index.js'
import { HEADER_LENGTH, MAX_LENGTH, MessageType } from '../wire/header.js'
import { EMPTY, writeUint16, writeUint32, type Octets } from '../wire/octets.js'
import { AttributeFlag } from '../wire/attribute/codec.js'
import { Groups } from './groups.js'
import type { PrefixTable } from './prefix-table.js'
import type { Row } from './rows.js'

/** Takes whole UPDATEs. @param count how many are in `octets`, which are the taker's to keep */
export type UpdateTaker = (octets: Uint8Array, count: number) => void

/** What announced prefixes have in common, as they are written. */
export interface PackedAttributes {
  /** Path attributes without MP_REACH_NLRI, the first {@link length} octets; good until the next call. */
  readonly octets: Uint8Array
  readonly length: Octets
  /** Next hop in MP_REACH_NLRI; `undefined` where NEXT_HOP is among the attributes. */
  readonly nextHop: Uint8Array | undefined
}

const MARKER = 16
const LENGTH_FIELDS = 4 // Withdrawn Routes Length and Total Path Attribute Length
const MP_REACH = 14
const MP_UNREACH = 15
/** Octets of an MP attribute before its next hop or prefixes: flags, code, extended length, AFI, SAFI. */
const MP_HEADER = 7
/** Holds what a window of prefixes mostly comes to, so that it is written at once. */
const CHUNK: Octets = 98_304
const LONG: Octets = 256

/** The first octets of one into the other. Most are few, and a view on few octets costs more than they do. */
function copy(from: Uint8Array, length: Octets, into: Uint8Array, at: number): void {
  if (length > LONG) into.set(from.subarray(0, length), at)
  else for (let i = 0; i < length; i++) into[at + i] = from[i]!
}

/**
 * Writes UPDATEs one behind the other into chunks, each prefix into the message that has room for it. One will do for many peers, in turn:
 * {@link begin}, write, {@link flush}.
 */
export class UpdatePacker {
  /** @internal What is about to be written; empty between one peer's turn and the next. */
  readonly groups = new Groups()
  #limit: Octets = MAX_LENGTH
  #take: UpdateTaker = () => {}
  #chunk = EMPTY
  #at = 0
  #count = 0
  /** First prefix that {@link #fill} has not written. */
  #next = 0

  /**
   * Starts the turn of one peer.
   *
   * @param limit longest message: 4,096 octets, or 65,535 (RFC 8654)
   * @param take gets whole messages
   */
  begin(limit: Octets, take: UpdateTaker): void {
    this.#limit = limit
    this.#take = take
    this.#at = 0
    this.#count = 0
    // What a turn has left that ended with an exception is none of this peer's.
    this.groups.clear()
  }

  /** Withdraws the first `size` of `rows`. @param pathIds one for each, where the session has them */
  withdraw(
    family: FamilyName,
    prefixes: PrefixTable,
    rows: readonly Row[],
    size: number,
    pathIds: readonly number[] | undefined,
  ): void {
    const isIpv4 = family === 'ipv4-unicast'
    for (let next = 0; next < size;) {
      const start = this.#startMessage()
      const end = start + this.#limit
      const lengthAt = start + HEADER_LENGTH
      let at = isIpv4 ? lengthAt + 2 : this.#startMp(lengthAt + LENGTH_FIELDS, MP_UNREACH, family)
      const nlriAt = at
      // Behind IPv4's prefixes comes the length of no attributes.
      const room = isIpv4 ? end - 2 : end
      at = this.#fill(prefixes, rows, size, pathIds, next, at, room)
      next = this.#next
      if (isIpv4) {
        writeUint16(this.#chunk, lengthAt, at - nlriAt)
        at = writeUint16(this.#chunk, at, 0)
      } else this.#endMp(lengthAt, lengthAt + LENGTH_FIELDS, at, 0)
      this.#endMessage(start, at)
    }
  }

  /**
   * Announces the first `size` of `rows`, which share attributes.
   *
   * @returns how many: all of them, or those before the first that a message with these attributes has no room for
   */
  announce(
    family: FamilyName,
    prefixes: PrefixTable,
    rows: readonly Row[],
    size: number,
    pathIds: readonly number[] | undefined,
    { octets, length, nextHop }: PackedAttributes,
  ): number {
    for (let next = 0; next < size;) {
      const start = this.#startMessage()
      const end = start + this.#limit
      const lengthAt = start + HEADER_LENGTH
      const attributesAt = lengthAt + LENGTH_FIELDS
      let at: number
      if (nextHop) {
        at = this.#startMp(attributesAt, MP_REACH, family)
        this.#chunk[at++] = nextHop.length
        this.#chunk.set(nextHop, at)
        at += nextHop.length
        this.#chunk[at++] = 0
        at = this.#fill(prefixes, rows, size, pathIds, next, at, end - length)
        if (this.#next === next) return next
        this.#endMp(lengthAt, attributesAt, at, length)
        copy(octets, length, this.#chunk, at)
        at += length
      } else {
        if (attributesAt + length > end) return next
        copy(octets, length, this.#chunk, attributesAt)
        writeUint16(this.#chunk, writeUint16(this.#chunk, lengthAt, 0), length)
        at = this.#fill(prefixes, rows, size, pathIds, next, attributesAt + length, end)
        if (this.#next === next) return next
      }
      next = this.#next
      this.#endMessage(start, at)
    }
    return size
  }

  /** Hands over what has been written. */
  flush(): void {
    if (this.#count === 0) return
    const octets = this.#chunk.subarray(0, this.#at)
    const isSmall = this.#at < CHUNK / 4
    this.#take(isSmall ? octets.slice() : octets, this.#count)
    if (!isSmall) this.#chunk = EMPTY
    this.#at = 0
    this.#count = 0
  }

  #startMessage(): number {
    if (this.#at + this.#limit > this.#chunk.length) {
      this.flush()
      // Room for more than one message, however long they may be: most are short.
      const size = Math.max(CHUNK, 2 * this.#limit)
      if (this.#chunk.length < size) this.#chunk = new Uint8Array(size)
    }
    return this.#at
  }

  #endMessage(start: number, end: number): void {
    const chunk = this.#chunk
    for (let at = start; at < start + MARKER; at++) chunk[at] = 0xff
    writeUint16(chunk, start + MARKER, end - start)
    chunk[start + MARKER + 2] = MessageType.Update
    this.#at = end
    this.#count++
  }

  #startMp(at: number, code: number, family: FamilyName): number {
    const { afi, safi } = familyOf(family)
    this.#chunk[at] = AttributeFlag.Optional | AttributeFlag.ExtendedLength
    this.#chunk[at + 1] = code
    writeUint16(this.#chunk, at + 4, afi)
    this.#chunk[at + 6] = safi
    return at + MP_HEADER
  }

  /** Fills in the lengths that were not known: of the MP attribute, and of all attributes. */
  #endMp(lengthAt: number, attributeAt: number, end: number, others: Octets): void {
    writeUint16(this.#chunk, attributeAt + 2, end - attributeAt - 4)
    writeUint16(this.#chunk, writeUint16(this.#chunk, lengthAt, 0), end - attributeAt + others)
  }

  /** Writes prefixes from the `next` one on as long as there is room. @returns where to go on */
  #fill(
    prefixes: PrefixTable,
    rows: readonly Row[],
    size: number,
    pathIds: readonly number[] | undefined,
    next: number,
    at: number,
    end: number,
  ): number {
    if (!pathIds) {
      at = prefixes.encodeAll(rows, next, size, this.#chunk, at, end)
      this.#next = prefixes.written
      return at
    }
    for (; next < size; next++) {
      const row = rows[next]!
      if (at + 4 + prefixes.encodedLength(row) > end) break
      at = writeUint32(this.#chunk, at, pathIds[next]!)
      at = prefixes.encode(row, this.#chunk, at)
    }
    this.#next = next
    return at
  }
}
