import {
  DEFAULT_CONTEXT,
  decodePathAttributes,
  encodePathAttributes,
  type MessageContext,
  type PathAttributes,
} from '../wire/index.js'

/** What many prefixes share: their path attributes and their next hop. Equal sets of one table are one object. */
export interface AttributeSet {
  /** All path attributes but NEXT_HOP, MP_REACH_NLRI and MP_UNREACH_NLRI; octet fields are the set's own. */
  readonly attributes: PathAttributes
  /** 4 octets, 16, or 32 for a global and a link-local IPv6 address. */
  readonly nextHop: Uint8Array
  /** {@link attributes} as they are written in the table's context, with NEXT_HOP where that is IPv4. */
  readonly octets: Uint8Array
}

/** Keeps the octets as its key, and reads them when somebody asks: most sets are only counted and compared. */
class Entry implements AttributeSet {
  references = 1
  #attributes: PathAttributes | undefined

  constructor(
    /** Length of the next hop, the next hop where {@link octets} do not hold it, and these: a character each. */
    readonly key: string,
    readonly context: MessageContext,
  ) {}

  get nextHop(): Uint8Array {
    const length = this.key.charCodeAt(0)
    return length === 4 ? (this.#decode().nextHop ?? NO_OCTETS) : fromLatin1(this.key, 1, 1 + length)
  }

  get octets(): Uint8Array {
    const length = this.key.charCodeAt(0)
    return fromLatin1(this.key, length === 4 ? 1 : 1 + length, this.key.length)
  }

  get attributes(): PathAttributes {
    this.#attributes ??= withoutNextHops(this.#decode())
    return this.#attributes
  }

  #decode(): PathAttributes {
    return decodePathAttributes(this.octets, this.context, 0).attributes
  }
}

const NO_OCTETS = new Uint8Array(0)

function fromLatin1(text: string, start: number, end: number): Uint8Array {
  const octets = new Uint8Array(end - start)
  for (let i = 0; i < octets.length; i++) octets[i] = text.charCodeAt(start + i)
  return octets
}

function withoutNextHops(attributes: PathAttributes): PathAttributes {
  const { nextHop: _, mpReachNlri: _reach, mpUnreachNlri: _unreach, ...rest } = attributes
  return rest
}

/** One character for each octet; at once, for there may be thousands. */
const latin1 = (octets: Uint8Array): string => String.fromCharCode.apply(undefined, octets as unknown as number[])

/** Sets of path attributes, each kept once for all the prefixes that have it and dropped with the last of them. */
export class AttributeTable {
  readonly #context: MessageContext
  readonly #entries = new Map<string, Entry>()

  /** @param context how the octets are written */
  constructor(context: MessageContext = DEFAULT_CONTEXT) {
    // What is in the table may be read back whole, whoever the peer is.
    this.#context = { ...context, internal: true }
  }

  /** Sets held now. */
  get size(): number {
    return this.#entries.size
  }

  /**
   * The set with these attributes, counted as one more reference to it. Copies what it keeps.
   *
   * @throws {RangeError} a value that its attribute cannot hold
   */
  intern(attributes: PathAttributes, nextHop: Uint8Array): AttributeSet {
    const rest = withoutNextHops(attributes)
    const isIpv4 = nextHop.length === 4
    const octets = encodePathAttributes(isIpv4 ? { ...rest, nextHop } : rest, this.#context)
    const key = String.fromCharCode(nextHop.length) + (isIpv4 ? '' : latin1(nextHop)) + latin1(octets)
    const known = this.#entries.get(key)
    if (known) {
      known.references++
      return known
    }
    const entry = new Entry(key, this.#context)
    this.#entries.set(key, entry)
    return entry
  }

  /** One more reference to a set of this table. */
  retain(set: AttributeSet): void {
    ;(set as Entry).references++
  }

  /** One reference less; the last one drops the set. */
  release(set: AttributeSet): void {
    const entry = set as Entry
    entry.references--
    if (entry.references === 0) this.#entries.delete(entry.key)
  }
}
