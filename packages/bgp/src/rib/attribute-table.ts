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
  /** {@link attributes} as they are written in the table's context. */
  readonly octets: Uint8Array
}

interface Entry extends AttributeSet {
  readonly key: string
  references: number
}

const latin1 = (octets: Uint8Array): string => {
  let text = ''
  for (const octet of octets) text += String.fromCharCode(octet)
  return text
}

/** Sets of path attributes, each kept once for all the prefixes that have it and dropped with the last of them. */
export class AttributeTable {
  readonly #context: MessageContext
  readonly #entries = new Map<string, Entry>()

  /** @param context how the octets are written */
  constructor(context: MessageContext = DEFAULT_CONTEXT) {
    this.#context = context
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
    const { nextHop: _, mpReachNlri: _reach, mpUnreachNlri: _unreach, ...rest } = attributes
    const octets = encodePathAttributes(rest, this.#context)
    const key = String.fromCharCode(nextHop.length) + latin1(nextHop) + latin1(octets)
    const known = this.#entries.get(key)
    if (known) {
      known.references++
      return known
    }
    // Decoded again, the attributes are views of `octets` and keep nothing else alive.
    const context = { ...this.#context, internal: true }
    const own = decodePathAttributes(octets, context, 0).attributes
    const entry: Entry = { key, references: 1, attributes: own, nextHop: nextHop.slice(), octets }
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
