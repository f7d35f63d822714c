import { WireError } from '../../../errors.js'
import { putUint32, uint32At, type Octets } from '../../octets.js'
import { OptionType, writeOptionHeader } from './header.js'

/** MTU option, RFC 4861 §4.6.4. */
export interface MtuOption {
  readonly kind: 'mtu'
  /** Octets that every node of the link should use as its MTU. */
  readonly mtu: Octets
}

const LENGTH: Octets = 8
const MTU = 4

/**
 * @param option the whole option
 * @throws {WireError} `bad-length` when it is not 8 octets
 */
export function decodeMtu(option: Uint8Array): MtuOption {
  if (option.length !== LENGTH) throw new WireError('MTU option is not 8 octets', 1, 'bad-length')
  return { kind: 'mtu', mtu: uint32At(option, MTU) }
}

/** Octets of the option: always 8. */
export const mtuLength = (_option: MtuOption): Octets => LENGTH

/** Writes the option at the start of `into`. */
export function encodeMtu(option: MtuOption, into: Uint8Array): void {
  writeOptionHeader(into, OptionType.Mtu, LENGTH)
  putUint32(into, MTU, option.mtu)
}
