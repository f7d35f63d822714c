import type { FamilyName } from '../wire/index.js'
import type { Octets } from '../wire/octets.js'
import { Group } from './groups.js'
import type { LocRib } from './loc-rib.js'
import type { PrefixTable } from './prefix-table.js'
import { PAGE_MASK, type Row } from './rows.js'
import {
  pack,
  packedHow,
  packedSet,
  SentPaths,
  SentPrefixes,
  unpack,
  type Packed,
  type Sent,
  type Told,
} from './sent.js'
import type { PathSource } from './source.js'
import type { PackedAttributes, UpdatePacker, UpdateTaker } from './update-packer.js'

/**
 * Prefixes that are looked at before their UPDATEs are written, as many as may share attributes: few at first, so that the first UPDATE goes
 * out at once, and twice as many each time.
 */
const FIRST_WINDOW = 16
const LAST_WINDOW = 4096
/** Octets of different attributes that they have at most, about. */
const WINDOW_OCTETS = 131_072

/** Takes the paths to tell, one by one: an object, for a function of each session's own would be compiled for each. */
export interface PathTaker {
  /**
   * One path to tell, by its set of path attributes.
   *
   * @param pathId 0 in a session without Path Identifiers
   * @param how a number below 8 that {@link Exporter.write} understands
   */
  tell(pathId: number, set: Row, how: number): void
}

/** Decides what of the Loc-RIB one peer is told, and how it is written: RFC 4271 section 9.1.3. */
export interface Exporter {
  /** Called before the decisions of one round, in which the RIBs stay as they are. */
  begin(): void
  /** Whether there is anything that the peer might be told of the prefix; asked for each change, so it must be quick. */
  hasRoute(family: FamilyName, prefix: Row): boolean
  /** Tells the paths to a prefix: the best one, or all where the session has Path Identifiers. */
  decide(family: FamilyName, prefix: Row, all: boolean, taker: PathTaker): void
  /**
   * Collects prefixes from `prefix` on of which the last path that was told in this round is told too, in a session without Path
   * Identifiers; of those that it may collect it need not.
   *
   * @param into where they go, from `at` on
   * @param most of them at most
   * @returns how many
   */
  alike(family: FamilyName, prefix: Row, into: Row[], at: number, most: number): number
  /** The attributes in the session's form. */
  write(family: FamilyName, set: Row, how: number): PackedAttributes
}

/** Options of an {@link AdjRibOut}. */
export interface AdjRibOutOptions<S extends PathSource> {
  /** What there is to tell. */
  readonly rib: LocRib<S>
  /** What of it this peer is told. */
  readonly exporter: Exporter
  /** Families of the session. */
  readonly families: readonly FamilyName[]
  /** Families whose prefixes are told with Path Identifiers, RFC 7911. */
  readonly addPath: readonly FamilyName[]
  /** Longest message: 4,096 octets, or 65,535 (RFC 8654). */
  readonly limit: Octets
  /** Writes the messages; one will do for many peers. */
  readonly packer: UpdatePacker
  /** A route does not fit into a message and is not told. */
  readonly oversized?: (family: FamilyName, prefix: Row) => void
}

/** A row list that is taken from the front. */
class Queue {
  #rows: Row[] = []
  #head = 0

  get size(): number {
    return this.#rows.length - this.#head
  }

  push(row: Row): void {
    this.#rows.push(row)
  }

  shift(): Row {
    const row = this.#rows[this.#head++]!
    if (this.#head > 1024 && this.#head * 2 > this.#rows.length) {
      this.#rows = this.#rows.slice(this.#head)
      this.#head = 0
    }
    return row
  }

  [Symbol.iterator](): Iterator<Row> {
    return this.#rows.slice(this.#head)[Symbol.iterator]()
  }
}

/** What is told and waits to be told of one family. */
class FamilyOut {
  readonly sent: Sent
  /** {@link sent} in a session without Path Identifiers. */
  readonly sentPrefixes: SentPrefixes | undefined
  readonly hasPathIds: boolean
  /** Prefixes that have changed, those that are gone apart: they go first. */
  readonly withdrawn = new Queue()
  readonly changed = new Queue()
  /** Those in the queues. */
  readonly waiting = new Set<Row>()
  /** Where telling everything has got to; 0 when it is not going on. */
  cursor: Row = 0
  /** Tells all again, known or not. */
  again = false
  /** Something may be told at all. */
  started = false
  /** Prefixes to look at next. */
  window = FIRST_WINDOW

  constructor(
    readonly prefixes: PrefixTable,
    readonly name: FamilyName,
    hasPathIds: boolean,
  ) {
    this.hasPathIds = hasPathIds
    this.sentPrefixes = hasPathIds ? undefined : new SentPrefixes()
    this.sent = this.sentPrefixes ?? new SentPaths()
  }
}

/**
 * Adj-RIB-Out, RFC 4271 section 3.2: what one peer was told, and the UPDATEs between that and what it should know. Changes are cheap to
 * {@link changed | note} and may go on while {@link next} is drained; what changes back before it was told is not told. Everything is told in
 * the order of the table, grouped by attributes as it goes, so that the first UPDATE need not wait for the last route.
 */
export class AdjRibOut<S extends PathSource> implements PathTaker {
  readonly #options: AdjRibOutOptions<S>
  readonly #families: readonly FamilyOut[]
  readonly #byName: { [F in FamilyName]?: FamilyOut } = {}
  /** Octets of the groups' attributes. */
  #grouped = 0
  readonly #gone = new Group()
  /** The group that was last added to: neighbours in the table often share it. */
  #lastGroup: Group | undefined
  /** What was told last, whether it had to be written or not. */
  #lastTold: Packed = 0
  /** The last prefix of {@link #announceAlike}. */
  #lastAlike: Row = 0
  /** What {@link tell} is about. */
  #about: FamilyOut | undefined
  #prefix: Row = 0
  #again = false
  #isTold = false
  readonly #gonePaths = new Set<number>()
  #closed = false

  constructor(options: AdjRibOutOptions<S>) {
    this.#options = options
    this.#families = options.families.map(
      name => new FamilyOut(options.rib.family(name).prefixes, name, options.addPath.includes(name)),
    )
    for (const out of this.#families) this.#byName[out.name] = out
  }

  /** Paths that the peer was told of. */
  get size(): number {
    return this.#families.reduce((sum, { sent }) => sum + sent.size, 0)
  }

  /** Something waits to be told. */
  get isPending(): boolean {
    return !this.#closed && this.#families.some(({ waiting, cursor }) => waiting.size > 0 || cursor > 0)
  }

  /** Whether a family's prefixes are all told. */
  isDone(family: FamilyName): boolean {
    const out = this.#out(family)
    return !out || (out.started && out.waiting.size === 0 && out.cursor === 0)
  }

  /** Paths that the peer should know of. Looks at all that wait, so not to be asked too often. */
  get wantedSize(): number {
    let size = this.size
    for (const out of this.#families) {
      for (const row of out.waiting) size += this.#wantedOf(out, row) - out.sent.pathIds(row).length
      const { prefixes } = out
      if (out.cursor === 0) continue
      for (let row = prefixes.nextLive(out.cursor); row < prefixes.limit; row = prefixes.nextLive(row + 1)) {
        if (!out.waiting.has(row)) size += this.#wantedOf(out, row) - out.sent.pathIds(row).length
      }
    }
    return size
  }

  /** Tells a family from its first prefix on, and its changes from then on; `again`: what was told before is told once more, as ROUTE-REFRESH asks (RFC 2918). */
  start(family: FamilyName, again = false): void {
    const out = this.#out(family)
    if (!out) return
    out.started = true
    out.cursor = 1
    out.again ||= again
  }

  /**
   * A route to the prefix may have changed.
   *
   * @param selected the best one; else only others, which matter where several are told
   */
  changed(family: FamilyName, prefix: Row, selected = true): void {
    const out = this.#out(family)
    if (!selected && !out?.hasPathIds) return
    // What is still ahead of the cursor is looked at anyway.
    if (!out?.started || out.waiting.has(prefix) || (out.cursor !== 0 && prefix >= out.cursor)) return
    const isGone = !this.#options.exporter.hasRoute(family, prefix)
    if (isGone && !out.sent.has(prefix)) return
    out.waiting.add(prefix)
    out.prefixes.retain(prefix)
    ;(isGone ? out.withdrawn : out.changed).push(prefix)
  }

  /**
   * Writes the next UPDATEs: of some thousand prefixes at most, withdrawals first. What is written counts as told.
   *
   * @returns whether anything was left to do
   */
  next(take: UpdateTaker): boolean {
    if (this.#closed) return false
    const out =
      this.#families.find(({ withdrawn }) => withdrawn.size > 0) ??
      this.#families.find(({ waiting }) => waiting.size > 0) ??
      this.#families.find(({ cursor }) => cursor > 0)
    if (!out) return false
    this.#options.packer.begin(this.#options.limit, take)
    this.#lastGroup = undefined
    this.#grouped = 0
    this.#options.exporter.begin()
    if (out.withdrawn.size > 0) this.#fromQueue(out, out.withdrawn)
    else if (out.changed.size > 0) this.#fromQueue(out, out.changed)
    else this.#fromCursor(out)
    this.#write(out)
    this.#options.packer.flush()
    out.window = this.isPending ? Math.min(LAST_WINDOW, out.window * 2) : FIRST_WINDOW
    return true
  }

  /** What the peer was told, path by path. */
  *entries(): IterableIterator<readonly [family: FamilyName, prefix: Row, pathId: number, told: Told]> {
    for (const { name, sent } of this.#families) {
      for (const [prefix, pathId, told] of sent.entries()) yield [name, prefix, pathId, unpack(told)]
    }
  }

  /** The session has ended: lets go of everything. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const { sent, prefixes, waiting } of this.#families) {
      for (const [prefix, , told] of sent.entries()) {
        this.#options.rib.attributes.release(packedSet(told))
        prefixes.release(prefix)
      }
      for (const prefix of waiting) prefixes.release(prefix)
    }
  }

  /** @internal For the exporter, while it decides. */
  tell(pathId: number, set: Row, how: number): void {
    this.#isTold = true
    if (this.#gonePaths.size > 0) this.#gonePaths.delete(pathId)
    this.#lastTold = pack(set, how)
    this.#announce(this.#about!, this.#prefix, pathId, this.#lastTold)
  }

  #out(family: FamilyName): FamilyOut | undefined {
    return this.#closed ? undefined : this.#byName[family]
  }

  #wantedOf(out: FamilyOut, prefix: Row): number {
    let count = 0
    this.#options.exporter.begin()
    this.#options.exporter.decide(out.name, prefix, out.hasPathIds, {
      tell: (_, set) => {
        count++
        this.#options.rib.attributes.sweep(set)
      },
    })
    return count
  }

  #fromQueue(out: FamilyOut, queue: Queue): void {
    for (let i = 0; i < out.window && this.#grouped < WINDOW_OCTETS && queue.size > 0; i++) {
      const prefix = queue.shift()
      out.waiting.delete(prefix)
      this.#reconcile(out, prefix, false)
      out.prefixes.release(prefix)
    }
  }

  #fromCursor(out: FamilyOut): void {
    const { prefixes } = out
    const { limit } = prefixes
    let row = prefixes.nextLive(out.cursor)
    for (let seen = 0; seen < out.window && this.#grouped < WINDOW_OCTETS && row < limit;) {
      this.#reconcile(out, row, out.again)
      const alike = this.#announceAlike(out, row + 1, out.window - seen)
      seen += 1 + alike
      row = prefixes.nextLive(alike > 0 ? this.#lastAlike + 1 : row + 1)
    }
    if (row < limit) {
      out.cursor = row
    } else {
      out.cursor = 0
      out.again = false
    }
  }

  /** Finds what differs between what the peer was told of a prefix and what it should know, and notes it as told. */
  #reconcile(out: FamilyOut, prefix: Row, again: boolean): void {
    this.#about = out
    this.#prefix = prefix
    this.#again = again
    this.#isTold = false
    const gone = this.#gonePaths
    gone.clear()
    if (out.hasPathIds) for (const pathId of out.sent.pathIds(prefix)) gone.add(pathId)
    this.#options.exporter.decide(out.name, prefix, out.hasPathIds, this)
    if (!out.hasPathIds) {
      if (!this.#isTold) this.#withdraw(out, prefix, 0)
    } else for (const pathId of gone) this.#withdraw(out, prefix, pathId)
  }

  /** Announces prefixes from `prefix` on that have the path which was told last; neighbours in the table often have. @returns how many */
  #announceAlike(out: FamilyOut, prefix: Row, most: number): number {
    const group = this.#lastGroup
    if (!out.sentPrefixes || !group || group.told !== this.#lastTold) return 0
    const { exporter, rib } = this.#options
    const { rows, size, told } = group
    const count = exporter.alike(out.name, prefix, rows, size, most)
    if (count === 0) return 0
    const end = size + count
    this.#lastAlike = rows[end - 1]!
    if (out.sentPrefixes.setAll(rows, size, end, told)) {
      rib.attributes.retain(packedSet(told), count)
      out.prefixes.retainAll(rows, size, end)
      group.size = end
      // What is announced goes into the group that they stand in, at their place or before it.
    } else for (let at = size; at < end; at++) this.#announce(out, rows[at]!, 0, told)
    return count
  }

  #announce(out: FamilyOut, prefix: Row, pathId: number, told: Packed): void {
    const { attributes } = this.#options.rib
    const before = out.sent.get(prefix, pathId)
    if (before === told) {
      if (!this.#again) return
    } else {
      attributes.retain(packedSet(told))
      if (before === 0) out.prefixes.retain(prefix)
      else attributes.release(packedSet(before))
      out.sent.set(prefix, pathId, told)
    }
    const group = this.#lastGroup?.told === told ? this.#lastGroup : this.#group(told)
    group.rows[group.size] = prefix
    if (out.hasPathIds) group.pathIds[group.size] = pathId
    group.size++
  }

  #group(told: Packed): Group {
    const { groups } = this.#options.packer
    let group = groups.find(told)
    if (!group) {
      const set = packedSet(told)
      group = groups.add(told)
      this.#grouped += this.#options.rib.attributes.page(set).length[set & PAGE_MASK]!
    }
    this.#lastGroup = group
    return group
  }

  #withdraw(out: FamilyOut, prefix: Row, pathId: number): void {
    const before = out.sent.get(prefix, pathId)
    if (before === 0) return
    const gone = this.#gone
    gone.rows[gone.size] = prefix
    if (out.hasPathIds) gone.pathIds[gone.size] = pathId
    gone.size++
    out.sent.delete(prefix, pathId)
    this.#options.rib.attributes.release(packedSet(before))
    // The reference of what was told is now that of what is written.
  }

  #write(out: FamilyOut): void {
    const { packer, exporter } = this.#options
    const { prefixes, name, hasPathIds } = out
    const gone = this.#gone
    if (gone.size > 0) packer.withdraw(name, prefixes, gone.rows, gone.size, hasPathIds ? gone.pathIds : undefined)
    for (let i = 0; i < gone.size; i++) prefixes.release(gone.rows[i]!)
    gone.size = 0
    const { groups } = packer
    for (let place = 0; place < groups.size; place++) {
      const group = groups.at(place)
      const { told, rows, size, pathIds } = group
      const set = packedSet(told)
      const packed = exporter.write(name, set, packedHow(told))
      const count = packer.announce(name, prefixes, rows, size, hasPathIds ? pathIds : undefined, packed)
      if (count < size) this.#untell(out, group, count)
    }
  }

  /** Takes back what does not fit into a message: the peer must not keep what it was told before. */
  #untell(out: FamilyOut, { told, rows, size, pathIds }: Group, from: number): void {
    const left = rows.slice(from, size)
    const leftIds = out.hasPathIds ? pathIds.slice(from, size) : undefined
    this.#options.packer.withdraw(out.name, out.prefixes, left, left.length, leftIds)
    left.forEach((prefix, i) => {
      const pathId = leftIds?.[i] ?? 0
      this.#options.oversized?.(out.name, prefix)
      if (out.sent.get(prefix, pathId) !== told) return
      out.sent.delete(prefix, pathId)
      this.#options.rib.attributes.release(packedSet(told))
      out.prefixes.release(prefix)
    })
  }
}
