import { checkInteger, putUint32, uint32At, type Octets } from '../../octets.js'
import { OptionType, writeOptionHeader } from './header.js'
import { malformed, type MalformedOption } from './malformed.js'

/** MTU option, RFC 4861 §4.6.4. */
export interface MtuOption {
  readonly kind: 'mtu'
  /** Octets that every node of the link should use as its MTU. */
  readonly mtu: Octets
}

const LENGTH: Octets = 8
const MTU = 4

/** @param option the whole option; malformed when it is not 8 octets */
export function decodeMtu(option: Uint8Array): MtuOption | MalformedOption {
  if (option.length !== LENGTH) return malformed(option, 'MTU option is not 8 octets')
  return { kind: 'mtu', mtu: uint32At(option, MTU) }
}

/** Octets of the option: always 8. */
export const mtuLength = (_option: MtuOption): Octets => LENGTH

/** @throws {RangeError} an MTU that does not fit 32 bits */
export function encodeMtu(option: MtuOption, into: Uint8Array): void {
  checkInteger(option.mtu, 0xffff_ffff, 'mtu')
  writeOptionHeader(into, OptionType.Mtu, LENGTH)
  putUint32(into, MTU, option.mtu)
}
