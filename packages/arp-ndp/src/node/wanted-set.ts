import { checkOptions, listOf, text, wrongType, wrongValue, type Kind, type Kinds } from '@typemetal/options'
import { parseAddress } from '../address.js'
import { isInterfaceName, parseAnswerable } from '../responder/answerable.js'
import type { InterfaceSelection } from '../responder/owned-addresses.js'
import type { AddressChange } from './packed-change.js'

/** An address to answer for. */
export interface WantedAddress {
  /** IPv4 or IPv6, in any spelling. Not a multicast, loopback, link-local, unspecified or IPv4-mapped address. */
  readonly address: string
  /** On all interfaces that are not excluded, or on those of exactly these names. */
  readonly interfaces: InterfaceSelection
}

const selection: Kind<InterfaceSelection> = (name, value) => {
  if (value === 'all') return value
  if (!Array.isArray(value)) throw wrongType(name, "'all' or an array of names", value)
  return value as readonly string[]
}
const KINDS: Kinds<WantedAddress> = { address: text, interfaces: selection }
const texts = listOf(text)
const entries = (name: string, value: unknown): void => {
  if (!Array.isArray(value)) throw wrongType(name, 'an array', value)
}

/** Whether an entry has what it must have and nothing else: thousands come at once. */
function isPlain(entry: WantedAddress): boolean {
  if (typeof entry !== 'object' || entry === null || typeof entry.address !== 'string') return false
  if (entry.interfaces !== 'all' && !Array.isArray(entry.interfaces)) return false
  for (const name in entry) if (name !== 'address' && name !== 'interfaces') return false
  return true
}

/** What turns one set into the next. */
export interface WantedDifference {
  /** New, or with other interfaces than before. */
  readonly set: readonly AddressChange[]
  /** Canonical texts. */
  readonly remove: readonly string[]
}

/** An entry of the caller's list, kept. */
interface Entry {
  readonly spelling: string
  /** Canonical. */
  readonly text: string
  readonly interfaces: InterfaceSelection
}

const NOTHING: WantedDifference = { set: [], remove: [] }

/**
 * The set of addresses that is wanted, which the caller replaces as a whole. Callers keep the order of their lists mostly:
 * what has stayed at the begin and at the end is passed over with one comparison each, and work is done for what is between.
 */
export class WantedSet {
  /** `undefined` after a {@link change}, which keeps no list: then it is made when the next one comes to be compared. */
  #entries: readonly Entry[] | undefined = []
  /** Canonical text → what all entries for the address ask for. */
  readonly #selections = new Map<string, readonly InterfaceSelection[]>()
  /** Mostly one entry asks for an address, and all ask for the same: they share this list. */
  #single: readonly InterfaceSelection[] = ['all']

  /** Whether an address, by its canonical text, is wanted. */
  has(text: string): boolean {
    return this.#selections.has(text)
  }

  /**
   * Takes the next set. Interfaces of entries for the same address are united.
   * @throws {TypeError} an entry without the fields it must have; nothing has changed then
   * @throws {RangeError} an address that cannot be answered for, or no interface name; nothing has changed then
   */
  replace(wanted: readonly WantedAddress[]): WantedDifference {
    entries('wanted', wanted)
    const before = this.#entries ?? this.#listEntries()
    const shorter = Math.min(before.length, wanted.length)
    let head = 0
    while (head < shorter && isSame(before[head], wanted[head])) head++
    if (head === before.length && head === wanted.length) return NOTHING
    let tail = 0
    while (tail < shorter - head && isSame(before.at(-1 - tail), wanted.at(-1 - tail))) tail++
    const middle = read(wanted.slice(head, wanted.length - tail), before.slice(head, before.length - tail))
    this.#entries = [...before.slice(0, head), ...middle.entries, ...before.slice(before.length - tail)]
    return this.#exchange(middle)
  }

  /**
   * Takes a difference. An address in both is set; one that is not wanted cannot be removed, which is no fault.
   * @throws {TypeError} an entry without the fields it must have; nothing has changed then
   * @throws {RangeError} an address that cannot be answered for, or no interface name; nothing has changed then
   */
  change(set: readonly WantedAddress[], remove: readonly string[]): WantedDifference {
    texts('remove', remove)
    const gone = remove.map(address => parseAnswerable(address).text)
    entries('set', set)
    const { fresh, octets } = read(set, [])
    const touched = new Map<string, InterfaceSelection | undefined>()
    for (const text of [...gone, ...fresh.map(({ text }) => text)]) {
      touched.set(text, united(this.#selections.get(text)))
    }
    for (const text of touched.keys()) this.#selections.delete(text)
    for (const { text, interfaces } of fresh) this.#selections.set(text, this.#alone(interfaces))
    this.#entries = undefined
    return this.#compare(touched, octets)
  }

  #listEntries(): readonly Entry[] {
    return [...this.#selections].flatMap(([text, selections]) =>
      selections.map(interfaces => ({ spelling: text, text, interfaces })),
    )
  }

  #exchange({ stale, fresh, octets }: Middle): WantedDifference {
    const touched = new Map<string, InterfaceSelection | undefined>()
    const touch = (text: string): void => {
      if (!touched.has(text)) touched.set(text, united(this.#selections.get(text)))
    }
    for (const { text, interfaces } of stale) {
      touch(text)
      this.#take(text, interfaces)
    }
    for (const { text, interfaces } of fresh) {
      touch(text)
      const others = this.#selections.get(text)
      this.#selections.set(text, others === undefined ? this.#alone(interfaces) : [...others, interfaces])
    }
    return this.#compare(touched, octets)
  }

  #take(text: string, interfaces: InterfaceSelection): void {
    const selections = this.#selections.get(text) ?? []
    if (selections.length > 1) this.#selections.set(text, selections.toSpliced(selections.indexOf(interfaces), 1))
    else this.#selections.delete(text)
  }

  #alone(interfaces: InterfaceSelection): readonly InterfaceSelection[] {
    if (this.#single[0] !== interfaces) this.#single = [interfaces]
    return this.#single
  }

  #compare(
    touched: ReadonlyMap<string, InterfaceSelection | undefined>,
    octets: ReadonlyMap<string, Uint8Array>,
  ): WantedDifference {
    const set: AddressChange[] = []
    const remove: string[] = []
    for (const [text, was] of touched) {
      const is = united(this.#selections.get(text))
      if (is === undefined) {
        if (was !== undefined) remove.push(text)
      } else if (was === undefined || !hasSameNames(was, is)) {
        set.push({ text, octets: octets.get(text) ?? parseAddress(text).octets, interfaces: is })
      }
    }
    return { set, remove }
  }
}

/** What a part of a list has become. */
interface Middle {
  /** All of the part, in its order. */
  readonly entries: readonly Entry[]
  /** Those that were in no entry before. */
  readonly fresh: readonly Entry[]
  /** Entries of before that are no longer there. */
  readonly stale: readonly Entry[]
  /** Of the addresses of `fresh`, by canonical text. */
  readonly octets: ReadonlyMap<string, Uint8Array>
}

/** @param before the entries that stood there, in whatever order */
function read(wanted: readonly WantedAddress[], before: readonly Entry[]): Middle {
  const known = new Map(before.map(entry => [entry.spelling, entry]))
  const kept = new Set<Entry>()
  const fresh: Entry[] = []
  const octets = new Map<string, Uint8Array>()
  let last: InterfaceSelection = 'all'
  const entries = wanted.map(next => {
    const same = known.get(next?.address)
    if (same !== undefined && !kept.has(same) && isSame(same, next)) {
      kept.add(same)
      return same
    }
    if (!isPlain(next)) checkOptions(next, KINDS, { ip: 'address', interface: 'interfaces' }, 'entry')
    const { address, interfaces } = next
    const parsed = parseAnswerable(address)
    octets.set(parsed.text, parsed.octets)
    // A copy, because the list is the caller's; one for many, because mostly they are alike.
    if (!isSameSelection(last, interfaces)) last = readSelection(interfaces)
    const entry = { spelling: address, text: parsed.text === address ? address : parsed.text, interfaces: last }
    fresh.push(entry)
    return entry
  })
  return { entries, fresh, stale: before.filter(entry => !kept.has(entry)), octets }
}

function readSelection(interfaces: InterfaceSelection): InterfaceSelection {
  if (interfaces === 'all') return 'all'
  if (!Array.isArray(interfaces)) throw wrongType('interfaces', "'all' or an array of names", interfaces)
  return interfaces.map((name, index) => readInterfaceName(`interfaces[${index}]`, name))
}

/**
 * @throws {TypeError} no string
 * @throws {RangeError} a name that no interface can have, with `interfaces` in front
 */
function readInterfaceName(option: string, name: unknown): string {
  if (!isInterfaceName(text(option, name))) throw wrongValue(option, 'the name of an interface', name)
  return name as string
}

const isSame = (entry: Entry | undefined, wanted: WantedAddress | undefined): boolean =>
  entry !== undefined &&
  wanted !== undefined &&
  entry.spelling === wanted.address &&
  isSameSelection(entry.interfaces, wanted.interfaces)

const isSameSelection = (a: InterfaceSelection, b: InterfaceSelection): boolean =>
  a === b || (a !== 'all' && Array.isArray(b) && a.length === b.length && a.every((name, i) => name === b[i]))

function united(selections: readonly InterfaceSelection[] | undefined): InterfaceSelection | undefined {
  if (selections === undefined || selections.length < 2) return selections?.[0]
  const names = new Set<string>()
  for (const selection of selections) {
    if (selection === 'all') return 'all'
    for (const name of selection) names.add(name)
  }
  return [...names]
}

function hasSameNames(a: InterfaceSelection, b: InterfaceSelection): boolean {
  if (a === b) return true
  if (a === 'all' || b === 'all') return false
  const names = new Set(a)
  return new Set(b).size === names.size && b.every(name => names.has(name))
}
