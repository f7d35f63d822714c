import type { FamilyName, Nlri } from '../wire/index.js'

/**
 * A prefix as a map key: one character each for family, length and octet of the prefix. Short one-byte strings are the
 * smallest thing that a Map compares by value.
 */
export type PrefixKey = string

const FAMILIES: readonly FamilyName[] = ['ipv4-unicast', 'ipv6-unicast']

/** Key of a prefix whose spare bits are zero, as the decoder leaves them. */
export const prefixKey = (family: FamilyName, { length, prefix }: Nlri): PrefixKey =>
  String.fromCharCode(FAMILIES.indexOf(family), length, ...prefix)

/** Family of the prefix. */
export const keyFamily = (key: PrefixKey): FamilyName => FAMILIES[key.charCodeAt(0)]!

/** Octets that the prefix has in an UPDATE. */
export const keyNlriLength = (key: PrefixKey): number => key.length - 1

/** The prefix, in octets of its own. */
export function keyNlri(key: PrefixKey): Nlri {
  const prefix = new Uint8Array(key.length - 2)
  for (let i = 0; i < prefix.length; i++) prefix[i] = key.charCodeAt(i + 2)
  return { length: key.charCodeAt(1), prefix }
}
