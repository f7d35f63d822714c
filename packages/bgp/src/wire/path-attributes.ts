import { AttributeFlag, MalformedValue } from './attribute/codec.js'
import { KNOWN_ATTRIBUTES, knownAttribute, type KnownAttribute } from './attribute/index.js'
import type { KnownAttributes, PathAttributes, UnknownAttribute } from './attribute/path-attributes.js'
import type { MessageContext } from './context.js'
import { WireError, type Disposition } from './error.js'
import { readUint16, writeUint16, type Octets } from './octets.js'

/** What {@link decodePathAttributes} found. */
export interface DecodedAttributes {
  readonly attributes: PathAttributes
  /** Faults milder than a session reset, in the order they were met. */
  readonly faults: readonly WireError[]
}

/** Categories: the bits that RFC 4271 section 6.3 compares with the attribute's definition. */
const CATEGORY = AttributeFlag.Optional | AttributeFlag.Transitive
const isMultiprotocol = (key: keyof KnownAttributes): boolean => key === 'mpReachNlri' || key === 'mpUnreachNlri'

/** One attribute as it stands in the Path Attributes field: where it and its value start, and where both end. */
interface RawAttribute {
  readonly flags: number
  readonly code: number
  readonly at: number
  readonly start: number
  readonly end: number
}

/** Collects what one UPDATE's attributes say; a fault that resets the session is thrown at once, the milder ones kept. */
class AttributeCollector {
  readonly #octets: Uint8Array
  readonly #context: MessageContext
  readonly #offset: number
  readonly #known: { -readonly [K in keyof KnownAttributes]?: unknown } = {}
  readonly #seen = new Set<number>()
  readonly #unknown: UnknownAttribute[] = []
  readonly #partial: number[] = []
  readonly faults: WireError[] = []

  constructor(octets: Uint8Array, context: MessageContext, offset: number) {
    this.#octets = octets
    this.#context = context
    this.#offset = offset
  }

  #fault(raw: RawAttribute, text: string, subcode: number, disposition: Disposition): void {
    // Type, length and value are the data of most UPDATE errors.
    const data = this.#octets.subarray(raw.at, raw.end)
    const error = new WireError(text, this.#offset + raw.at, [3, subcode], disposition, data)
    if (disposition === 'session-reset') throw error
    this.faults.push(error)
  }

  add(raw: RawAttribute): void {
    const known = knownAttribute(raw.code)
    if (this.#seen.has(raw.code)) {
      // RFC 7606 section 3 (g)
      const disposition = known && isMultiprotocol(known.key) ? 'session-reset' : 'attribute-discard'
      this.#fault(raw, `attribute ${raw.code} twice`, 1, disposition)
      return
    }
    this.#seen.add(raw.code)
    if (known) this.#addKnown(raw, known)
    else this.#addUnknown(raw)
  }

  #addUnknown(raw: RawAttribute): void {
    if (!(raw.flags & AttributeFlag.Optional)) {
      this.#fault(raw, `unknown well-known attribute ${raw.code}`, 2, 'session-reset')
    }
    const value = this.#octets.subarray(raw.start, raw.end)
    this.#unknown.push({ code: raw.code, flags: raw.flags & ~AttributeFlag.ExtendedLength, value })
  }

  #addKnown(raw: RawAttribute, { key, codec }: KnownAttribute): void {
    if ((raw.flags & CATEGORY) !== codec.flags) {
      // RFC 7606 section 3 (c). The value is read all the same: it may hold the prefixes to withdraw.
      this.#fault(raw, `${codec.name} with flags ${raw.flags}`, 4, 'treat-as-withdraw')
    }
    if (codec.internalOnly && !this.#context.internal) {
      this.#fault(raw, `${codec.name} from an external peer`, 9, 'attribute-discard')
      return
    }
    try {
      const value = this.#octets.subarray(raw.start, raw.end)
      this.#known[key] = codec.decode(value, this.#context, this.#offset + raw.start)
      if (raw.flags & AttributeFlag.Partial) this.#partial.push(raw.code)
    } catch (error) {
      if (!(error instanceof MalformedValue)) throw error
      this.#fault(raw, `${codec.name}: ${error.message}`, error.subcode, codec.disposition)
    }
  }

  finish(): PathAttributes {
    const byCode = (a: UnknownAttribute, b: UnknownAttribute): number => a.code - b.code
    return {
      ...(this.#known as KnownAttributes),
      ...(this.#partial.length && { partial: this.#partial.toSorted((a, b) => a - b) }),
      ...(this.#unknown.length && { unknown: this.#unknown.toSorted(byCode) }),
    }
  }
}

/** The attribute at `at`, or `undefined` when the octets end within it. */
function readAttribute(octets: Uint8Array, at: number): RawAttribute | undefined {
  const flags = octets[at]!
  const extended = (flags & AttributeFlag.ExtendedLength) !== 0
  const start = at + (extended ? 4 : 3)
  if (start > octets.length) return undefined
  const end = start + (extended ? readUint16(octets, at + 2) : octets[at + 2]!)
  if (end > octets.length) return undefined
  return { flags, code: octets[at + 1]!, at, start, end }
}

/**
 * Reads the Path Attributes field of an UPDATE, RFC 4271 section 4.3, and goes on past faults as RFC 7606 section 3 asks.
 *
 * @param offset where `octets` starts in the message, for errors
 * @returns values that may be views into the input
 * @throws {WireError} a fault that resets the session
 */
export function decodePathAttributes(octets: Uint8Array, context: MessageContext, offset: number): DecodedAttributes {
  const collector = new AttributeCollector(octets, context, offset)
  for (let at = 0; at < octets.length;) {
    const raw = readAttribute(octets, at)
    if (!raw) {
      // RFC 7606 section 4: Total Attribute Length still says where the NLRI starts.
      collector.faults.push(new WireError('attribute cut off', offset + at, [3, 1], 'treat-as-withdraw'))
      break
    }
    collector.add(raw)
    at = raw.end
  }
  return { attributes: collector.finish(), faults: collector.faults }
}

/** An attribute ready to be written. */
interface Outgoing {
  readonly code: number
  readonly flags: number
  readonly length: Octets
  readonly write: (into: Uint8Array) => void
}

function outgoing(attributes: PathAttributes, context: MessageContext): Outgoing[] {
  const list: Outgoing[] = []
  for (const { key, codec } of KNOWN_ATTRIBUTES) {
    const value = attributes[key]
    if (value === undefined) continue
    const partial = attributes.partial?.includes(codec.code) ? AttributeFlag.Partial : 0
    const length = codec.length(value, context)
    const write = (into: Uint8Array): void => codec.encode(value, into, context)
    list.push({ code: codec.code, flags: codec.flags | partial, length, write })
  }
  for (const { code, flags, value } of attributes.unknown ?? []) {
    list.push({ code, flags, length: value.length, write: into => into.set(value) })
  }
  return attributes.unknown ? sorted(list) : list
}

/** Unknown attributes among the known ones by Type Code; those with prefixes stay in front. */
function sorted(list: Outgoing[]): Outgoing[] {
  const rank = ({ code }: Outgoing): number => (code === 14 || code === 15 ? code - 256 : code)
  return list.toSorted((a, b) => rank(a) - rank(b))
}

const headerLength = (length: Octets): Octets => (length > 255 ? 4 : 3)

/** Octets that {@link encodePathAttributes} writes. */
export const pathAttributesLength = (attributes: PathAttributes, context: MessageContext): Octets =>
  outgoing(attributes, context).reduce((sum, { length }) => sum + headerLength(length) + length, 0)

/**
 * The Path Attributes field of an UPDATE.
 *
 * @throws {RangeError} caller's fault: a value that its attribute cannot hold
 */
export function encodePathAttributes(attributes: PathAttributes, context: MessageContext): Uint8Array {
  const list = outgoing(attributes, context)
  const into = new Uint8Array(list.reduce((sum, { length }) => sum + headerLength(length) + length, 0))
  let at = 0
  for (const { code, flags, length, write } of list) {
    const extended = length > 255
    into[at] = extended ? flags | AttributeFlag.ExtendedLength : flags
    into[at + 1] = code
    if (extended) writeUint16(into, at + 2, length)
    else into[at + 2] = length
    at += headerLength(length)
    write(into.subarray(at, at + length))
    at += length
  }
  return into
}
