import {
  AttributeFlag,
  familyFault,
  MalformedValue,
  OPTIONAL_TRANSITIVE,
  ValueFault,
  type AttributeCodec,
  type AttributeSite,
} from './attribute/codec.js'
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
  /** Type Codes of all attributes that were there, malformed ones too, each once; 0 for one cut off before its Type Code. */
  readonly codes: readonly number[]
}

/** Categories: the bits that RFC 4271 section 6.3 compares with the attribute's definition. */
const CATEGORY = AttributeFlag.Optional | AttributeFlag.Transitive
/** The four flags; the lower bits are unused and must be ignored (RFC 4271 section 4.3). */
const KEPT_FLAGS = CATEGORY | AttributeFlag.Partial
const MP_REACH_NLRI = 14
const MP_UNREACH_NLRI = 15

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * Reads one UPDATE's attributes, one after the other; a fault that resets the session is thrown at once, the milder ones
 * kept. Is itself the place of the attribute it is at, so that a good one costs no object for it.
 */
class AttributeReader implements AttributeSite, DecodedAttributes {
  readonly #octets: Uint8Array
  readonly #context: MessageContext
  readonly #offset: number
  readonly #values: Writable<{ [K in keyof KnownAttributes]?: unknown }> = {}
  readonly faults: WireError[] = []
  readonly codes: number[] = []
  /** Type Codes that came more than once: each is one fault, however often it came. */
  #repeated: Set<number> | undefined
  #unknown: UnknownAttribute[] | undefined
  #partial: number[] | undefined
  /** Where the attribute and its value start, where both end, and where the field does. */
  #at: number
  #start = 0
  #end = 0
  readonly #fieldEnd: number

  constructor(octets: Uint8Array, at: number, end: number, context: MessageContext, offset: number) {
    this.#octets = octets
    this.#at = at
    this.#fieldEnd = end
    this.#context = context
    this.#offset = offset
  }

  get offset(): number {
    return this.#offset + this.#start
  }

  get octets(): Uint8Array {
    return this.#octets.subarray(this.#at, this.#end)
  }

  get attributes(): PathAttributes {
    return this.#values as PathAttributes
  }

  /** Reads all of the field. */
  read(): void {
    const octets = this.#octets
    const fieldEnd = this.#fieldEnd
    for (let at = this.#at; at < fieldEnd; at = this.#end) {
      const flags = octets[at]!
      const extended = (flags & AttributeFlag.ExtendedLength) !== 0
      this.#at = at
      this.#start = at + (extended ? 4 : 3)
      const length = extended ? readUint16(octets, at + 2) : octets[at + 2]!
      // Behind all octets nothing is read, and the comparison fails then too.
      if (!(this.#start + length <= fieldEnd)) {
        this.#cutOff()
        break
      }
      this.#end = this.#start + length
      this.#attribute(flags, octets[at + 1]!)
    }
    if (this.#partial)
      this.#keep(
        'partial',
        this.#partial.toSorted((a, b) => a - b),
      )
    if (this.#unknown)
      this.#keep(
        'unknown',
        this.#unknown.toSorted((a, b) => a.code - b.code),
      )
  }

  #keep<K extends 'partial' | 'unknown'>(key: K, value: PathAttributes[K]): void {
    ;(this.#values as Writable<PathAttributes>)[key] = value
  }

  #fault(text: string, subcode: number, disposition: Disposition): void {
    const error = new WireError(text, this.#offset + this.#at, [3, subcode], disposition, this.octets)
    if (disposition === 'session-reset') throw error
    this.faults.push(error)
  }

  /** RFC 7606 section 4: Total Attribute Length still says where the NLRI starts. But see section 3 (j) on prefixes in here. */
  #cutOff(): void {
    const code = this.#at + 1 < this.#fieldEnd ? this.#octets[this.#at + 1]! : 0
    this.#end = this.#fieldEnd
    if (code === MP_REACH_NLRI || code === MP_UNREACH_NLRI) this.#cutOffPrefixes(code)
    if (!this.codes.includes(code)) this.codes.push(code)
    this.#fault(`attribute ${code} cut off`, 1, 'treat-as-withdraw')
  }

  #cutOffPrefixes(code: number): void {
    const value = this.#octets.subarray(this.#start, this.#end)
    if (this.codes.includes(code) || value.length < 3) this.#fault(`attribute ${code} cut off`, 1, 'session-reset')
    const fault = familyFault({ afi: readUint16(value, 0), safi: value[2]! }, this)
    this.faults.push(fault(`attribute ${code} cut off`, this.#offset + this.#at))
  }

  #attribute(flags: number, code: number): void {
    if (this.codes.includes(code)) {
      this.#again(code)
      return
    }
    this.codes.push(code)
    const known = knownAttribute(code)
    if (known) this.#addKnown(flags, known)
    else this.#addUnknown(flags, code)
  }

  /** RFC 7606 section 3 (g): only the first one counts. */
  #again(code: number): void {
    this.#repeated ??= new Set()
    if (this.#repeated.has(code)) return
    this.#repeated.add(code)
    const carriesPrefixes = code === MP_REACH_NLRI || code === MP_UNREACH_NLRI
    this.#fault(`attribute ${code} twice`, 1, carriesPrefixes ? 'session-reset' : 'attribute-discard')
  }

  #addUnknown(flags: number, code: number): void {
    if (!(flags & AttributeFlag.Optional)) this.#fault(`unknown well-known attribute ${code}`, 2, 'session-reset')
    this.#unknown ??= []
    this.#unknown.push({ code, flags: flags & KEPT_FLAGS, value: this.#octets.subarray(this.#start, this.#end) })
  }

  #addKnown(flags: number, { key, codec }: KnownAttribute): void {
    if ((flags & CATEGORY) !== codec.flags) {
      const disposition = codec.flagsDisposition ?? 'treat-as-withdraw'
      this.#fault(`${codec.name} with flags ${flags}`, 4, disposition)
      // RFC 7606 section 3 (c). Else the value is read all the same: it may hold the prefixes to withdraw.
      if (disposition === 'attribute-discard') return
    }
    if (codec.accepts?.(this.#context) === false) {
      this.#fault(`${codec.name} is not for this session`, ValueFault.OptionalAttribute, 'attribute-discard')
      return
    }
    try {
      const value = codec.decode(this.#octets.subarray(this.#start, this.#end), this.#context, this)
      if (value === undefined) return
      this.#values[key] = value
    } catch (error) {
      this.#malformed(error, codec)
      return
    }
    // RFC 4271 section 4.3: on others it is 0, and what came with it otherwise must not go on with it.
    if (flags & AttributeFlag.Partial && codec.flags === OPTIONAL_TRANSITIVE) {
      this.#partial ??= []
      this.#partial.push(codec.code)
    }
  }

  #malformed(error: unknown, codec: AttributeCodec<unknown>): void {
    if (error instanceof MalformedValue) {
      this.#fault(`${codec.name}: ${error.message}`, error.subcode, codec.disposition)
    } else if (error instanceof WireError && error.disposition !== 'session-reset') {
      this.faults.push(error)
    } else {
      throw error
    }
  }
}

/**
 * Reads the Path Attributes field of an UPDATE, RFC 4271 section 4.3, and goes on past faults as RFC 7606 section 3 asks.
 *
 * @param field the octets of the field
 * @param offset where `field` starts in the message, for errors
 * @returns values that may be views into the input
 * @throws {WireError} a fault that resets the session
 */
export const decodePathAttributes = (field: Uint8Array, context: MessageContext, offset: number): DecodedAttributes =>
  readPathAttributes(field, 0, field.length, context, offset)

/** {@link decodePathAttributes} of the octets between `at` and `end`; `offset` is that of the first of all octets. */
export function readPathAttributes(
  octets: Uint8Array,
  at: number,
  end: number,
  context: MessageContext,
  offset: number,
): DecodedAttributes {
  const reader = new AttributeReader(octets, at, end, context, offset)
  reader.read()
  return reader
}

/** An attribute ready to be written. */
interface Outgoing {
  readonly code: number
  readonly flags: number
  readonly length: Octets
  readonly value: unknown
  /** Left out for an unknown attribute, whose value is octets. */
  readonly codec?: AttributeCodec<unknown>
}

/** Empty lists have no attribute: without a member it would be malformed (RFC 7606 section 7), but for AS_PATH. */
function outgoing(attributes: PathAttributes, context: MessageContext): Outgoing[] {
  const list: Outgoing[] = []
  for (const { key, codec } of KNOWN_ATTRIBUTES) {
    const value = attributes[key]
    if (value === undefined || (Array.isArray(value) && value.length === 0 && key !== 'asPath')) continue
    const partial = attributes.partial?.includes(codec.code) ? AttributeFlag.Partial : 0
    list.push({ code: codec.code, flags: codec.flags | partial, length: codec.length(value, context), value, codec })
  }
  if (!attributes.unknown) return list
  for (const { code, flags, value } of attributes.unknown) {
    list.push({ code, flags: flags & KEPT_FLAGS, length: value.length, value })
  }
  return list.toSorted((a, b) => rank(a) - rank(b))
}

/** Ascending by Type Code; those with prefixes in front (RFC 7606 section 5.1). */
const rank = ({ code }: Outgoing): number => (code === MP_REACH_NLRI || code === MP_UNREACH_NLRI ? code - 256 : code)

const headerLength = (length: Octets): Octets => (length > 0xff ? 4 : 3)

function totalLength(list: readonly Outgoing[]): Octets {
  let total = 0
  for (const { length } of list) total += headerLength(length) + length
  return total
}

/** Octets that {@link encodePathAttributes} writes. */
export const pathAttributesLength = (attributes: PathAttributes, context: MessageContext): Octets =>
  totalLength(outgoing(attributes, context))

/**
 * The Path Attributes field of an UPDATE.
 *
 * @throws {RangeError} caller's fault: a value that its attribute cannot hold
 */
export function encodePathAttributes(attributes: PathAttributes, context: MessageContext): Uint8Array {
  const list = outgoing(attributes, context)
  const into = new Uint8Array(totalLength(list))
  let at = 0
  for (const { code, flags, length, value, codec } of list) {
    if (length > 0xffff) throw new RangeError(`attribute ${code} of ${length} octets`)
    const extended = length > 0xff
    into[at] = extended ? flags | AttributeFlag.ExtendedLength : flags
    into[at + 1] = code
    if (extended) writeUint16(into, at + 2, length)
    else into[at + 2] = length
    at += headerLength(length)
    if (codec) codec.encode(value, into.subarray(at, at + length), context)
    else into.set(value as Uint8Array, at)
    at += length
  }
  return into
}
