/** Kinds of options that several sockets have in common. */
import { kind, number, text, whole, wrongType, wrongValue, type Kind } from '@typemetal/options'
import type { BpfInstruction } from '../bpf/index.js'
import { parseAddress } from '../wire/address.js'
import { MAX_INDEX } from './check-integer.js'
import type { Md5Key } from './tcp-socket.js'

/** Index of one interface; 0 would mean all of them. */
export const interfaceIndex = whole(1, MAX_INDEX)
/** Octets of a buffer of the kernel, which takes less where that is its limit. */
export const bufferSize = whole(1, 0x7fff_ffff)
/** A port; 0 lets the kernel choose. */
export const port = whole(0, 0xffff)
/** Time to Live or Hop Limit. */
export const hops = whole(1, 255)
/** Milliseconds, of which there may be none, or no end. */
export const milliseconds = number('a number of milliseconds from 0 on', value => value >= 0)
/** Milliseconds, nearly 25 days: the longest that the kernel takes. */
export const userTimeout = whole(0, 0x7fff_ffff)

/** An IP address, with or without a zone. */
export const address: Kind<string> = (name, value) => {
  try {
    parseAddress(text(name, value))
  } catch {
    throw wrongType(name, 'an IP address', value)
  }
  return value as string
}

const LONGEST_INTERFACE_NAME = 15

/** Name of an interface, as far as that can be told without asking the kernel for it. */
export const device: Kind<string> = (name, value) => {
  const { length } = new TextEncoder().encode(text(name, value))
  if (length > 0 && length <= LONGEST_INTERFACE_NAME) return value as string
  throw wrongValue(name, 'the name of an interface', value)
}

/** IP version. */
export const ipVersion: Kind<4 | 6> = (name, value) => {
  if (value === 4 || value === 6) return value
  throw (typeof value === 'number' ? wrongValue : wrongType)(name, '4 or 6', value)
}

/** A program for the kernel, of which the kernel is the judge. */
export const program = kind('an array of BPF instructions', (value): value is readonly BpfInstruction[] =>
  Array.isArray(value),
)

const LONGEST_MD5_KEY = 80

/** A key of TCP-MD5 (RFC 2385); nobody is shown what was given. */
export const md5Secret: Kind<string | Uint8Array> = (name, value) => {
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    throw new TypeError(`${name} must be a string or a Uint8Array, not of type ${typeof value}`)
  }
  const { length } = typeof value === 'string' ? new TextEncoder().encode(value) : value
  if (length > LONGEST_MD5_KEY)
    throw new RangeError(`${name} must have at most ${LONGEST_MD5_KEY} octets, not ${length}`)
  return value
}

const prefixLength = whole(0, 128)
/** What a caller knows of a peer may have its key among other things. */
export const md5Key: Kind<Md5Key> = (name, value) => {
  if (typeof value !== 'object' || value === null) throw wrongType(name, 'an object with address and key', value)
  const given = value as Md5Key
  address(`${name}.address`, given.address)
  if (given.prefixLength !== undefined) prefixLength(`${name}.prefixLength`, given.prefixLength)
  md5Secret(`${name}.key`, given.key)
  return given
}
