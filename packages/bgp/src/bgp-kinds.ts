/** Kinds of options that are values of BGP, in the text or number that a program has them in. */
import { listOf, oneOf, whole, wrongType, wrongValue, type Kind } from '@typemetal/options'
import { parseAddress, parseIdentifier, parsePrefix } from './address.js'
import type { FamilyName } from './wire/index.js'

const MOST_ASN = 0xffff_ffff

/** An AS number; 0 is none (RFC 7607 section 2). */
export const asNumber = whole(1, MOST_ASN)

/** A TCP port. */
export const port = whole(1, 65_535)
/** A TCP port to listen on; 0 lets the system choose. */
export const listeningPort = whole(0, 65_535)

/** Text that a function can read. */
const readable =
  (wanted: string, read: (text: string) => unknown): Kind<string> =>
  (name, value) => {
    if (typeof value !== 'string') throw wrongType(name, wanted, value)
    try {
      read(value)
    } catch {
      throw wrongValue(name, wanted, value)
    }
    return value
  }

/** An IP address, with or without a zone. */
export const address = readable('an IP address', parseAddress)

/** A prefix. */
export const prefix = readable("a prefix such as '192.0.2.0/24'", parsePrefix)

/** A BGP Identifier in its usual form; 0 is none (RFC 6286 section 2.1). */
export const identifier = readable("a BGP Identifier such as '10.0.0.1'", value => {
  if (parseIdentifier(value) === 0) throw new RangeError('a BGP Identifier is not 0')
})

/** A family of addresses. */
export const family: Kind<FamilyName> = oneOf('ipv4-unicast', 'ipv6-unicast')
/** Families of addresses. */
export const families = listOf(family)
