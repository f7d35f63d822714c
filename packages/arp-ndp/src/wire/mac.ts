import type { Octets } from './octets.js'
import { sameOctets } from './octets.js'

/** Octets of an IEEE 802 MAC address. */
export const MAC_LENGTH: Octets = 6

/** ff:ff:ff:ff:ff:ff. Do not write to it. */
export const BROADCAST_MAC: Uint8Array = Uint8Array.of(255, 255, 255, 255, 255, 255)

/** 00:00:00:00:00:00, the unknown target of an ARP probe (RFC 5227 §2.1.1). Do not write to it. */
export const ZERO_MAC: Uint8Array = new Uint8Array(MAC_LENGTH)

const TEXT = /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}$/i

/**
 * Reads `02:00:00:00:00:01` or `02-00-00-00-00-01`, in either case.
 * @throws {TypeError} any other text
 */
export function parseMac(text: string): Uint8Array {
  if (!TEXT.test(text)) throw new TypeError(`not a MAC address: ${JSON.stringify(text)}`)
  return Uint8Array.from(text.split(/[:-]/), pair => Number.parseInt(pair, 16))
}

/** Writes lower-case hexadecimal pairs joined by colons. */
export const formatMac = (mac: Uint8Array): string =>
  Array.from(mac, octet => octet.toString(16).padStart(2, '0')).join(':')

/** Whether the I/G bit is set: a multicast or broadcast address, never a station's own (IEEE 802 §8.2). */
export const isGroupMac = (mac: Uint8Array): boolean => (mac[0]! & 1) === 1

/** Whether frames sent to `mac` reach one station: neither a group address nor all zeros. */
export const isStationMac = (mac: Uint8Array): boolean =>
  mac.length === MAC_LENGTH && !isGroupMac(mac) && !sameOctets(mac, ZERO_MAC)
