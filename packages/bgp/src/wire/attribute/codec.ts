import type { MessageContext } from '../context.js'
import { WireError, type Disposition } from '../error.js'
import type { Family } from '../family.js'
import type { NlriFault } from '../nlri.js'
import type { Octets } from '../octets.js'

/** Attribute Flags, RFC 4271 section 4.3. */
export const AttributeFlag = { Optional: 0x80, Transitive: 0x40, Partial: 0x20, ExtendedLength: 0x10 } as const

/** Flags by category, RFC 4271 section 5. */
export const WELL_KNOWN = AttributeFlag.Transitive
export const OPTIONAL_TRANSITIVE = AttributeFlag.Optional | AttributeFlag.Transitive
export const OPTIONAL_NON_TRANSITIVE = AttributeFlag.Optional

/** UPDATE Message Error subcodes that a malformed value leads to, RFC 4271 section 6.3. */
export const ValueFault = {
  AttributeLength: 5,
  Origin: 6,
  NextHop: 8,
  OptionalAttribute: 9,
  NetworkField: 10,
  AsPath: 11,
} as const

/** An attribute's place in the message. */
export interface AttributeSite {
  /** Where its value starts in the message, header included. */
  readonly offset: number
  /** The whole attribute, type, length and value: the data of most UPDATE errors. A view. */
  readonly octets: Uint8Array
}

/** RFC 7606 sections 7.9 and 7.10: for sessions within the AS. */
export const isInternal = ({ internal }: MessageContext): boolean => internal

/** RFC 7606 section 7.5 and RFC 5065 section 5.2: for sessions within the AS or the confederation. */
export const isOfConfederation = ({ internal, confederation = false }: MessageContext): boolean =>
  internal || confederation

/** Decode and encode of one path attribute's value. */
export interface AttributeCodec<T> {
  /** Attribute Type Code. */
  readonly code: number
  /** The RFC's name, for error texts. */
  readonly name: string
  /** Optional and Transitive bits that RFC 4271 section 6.3 asks for. */
  readonly flags: number
  /** What a malformed value leads to, RFC 7606 section 7. */
  readonly disposition: Disposition
  /** What wrong flags lead to where the attribute's RFC has its own rule; else RFC 7606 section 3 (c). */
  readonly flagsDisposition?: Disposition
  /** Whether the attribute is for this session at all; it is discarded unread when not. Left out: always. */
  accepts?(context: MessageContext): boolean
  /**
   * @param site where it stands, for errors
   * @returns `undefined` when there is nothing in it for us, as if the attribute were not there
   * @throws {MalformedValue | WireError}
   */
  decode(value: Uint8Array, context: MessageContext, site: AttributeSite): T | undefined
  /** Octets of the value that {@link encode} writes. */
  length(value: T, context: MessageContext): Octets
  /** @param into exactly as many octets as {@link length} says */
  encode(value: T, into: Uint8Array, context: MessageContext): void
}

/** Thrown by a codec; the UPDATE decoder makes a WireError of it, with the attribute's octets as data. */
export class MalformedValue extends Error {
  constructor(
    message: string,
    /** UPDATE Message Error subcode. */
    readonly subcode: number,
  ) {
    super(message)
  }
}

/** Faults of an attribute that carries this family's prefixes: the family is disabled (RFC 4760 section 7). */
export const familyFault =
  (family: Family, site: AttributeSite): NlriFault =>
  (text, offset) =>
    new WireError(text, offset, [3, 9], 'afi-safi-disable', site.octets, family)

/** @throws {MalformedValue} `value` does not have `length` octets */
export function checkLength(value: Uint8Array, length: Octets): void {
  if (value.length !== length) {
    throw new MalformedValue(`${value.length} octets instead of ${length}`, ValueFault.AttributeLength)
  }
}

/** @throws {MalformedValue} `value` is empty or not a multiple of `unit` octets */
export function checkMultiple(value: Uint8Array, unit: Octets): void {
  if (value.length === 0 || value.length % unit !== 0) {
    throw new MalformedValue(`${value.length} octets, not a multiple of ${unit}`, ValueFault.OptionalAttribute)
  }
}
