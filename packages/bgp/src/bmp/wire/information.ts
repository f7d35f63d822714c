import type { OctetReader } from '../../octet-reader.js'
import type { OctetWriter } from '../../octet-writer.js'

/** Information TLV types: RFC 7854 section 4.4, RFC 9069 section 5.3, RFC 8671 section 6.3. */
export const BmpInformationType = { String: 0, SysDescr: 1, SysName: 2, VrfTableName: 3, AdminLabel: 4 } as const

/** TLV types of a Termination message, RFC 7854 section 4.5. */
export const BmpTerminationType = { String: 0, Reason: 1 } as const

/** Reasons of a Termination message, RFC 7854 section 4.5. */
export const BmpTerminationReason = {
  AdministrativelyClosed: 0,
  Unspecified: 1,
  OutOfResources: 2,
  RedundantConnection: 3,
  PermanentlyAdministrativelyClosed: 4,
} as const

/** A TLV of type, length and value, as Initiation, Termination, Peer Up and Route Mirroring have them. */
export interface BmpTlv {
  /** Unknown types are carried. */
  readonly code: number
  /** After decoding: a view into the input, so copy to keep. */
  readonly value: Uint8Array
}

/** A TLV with a text in UTF-8. */
export const createInformation = (code: number, text: string): BmpTlv => ({
  code,
  value: new TextEncoder().encode(text),
})

/** Text of the first TLV of this type, octets that are not UTF-8 replaced; `undefined` when there is none. */
export function informationText(tlvs: readonly BmpTlv[], code: number): string | undefined {
  const tlv = tlvs.find(candidate => candidate.code === code)
  return tlv && new TextDecoder().decode(tlv.value)
}

/** The TLVs that fill the rest. @throws {BmpError} one is cut off */
export function decodeTlvs(reader: OctetReader): BmpTlv[] {
  const tlvs: BmpTlv[] = []
  while (reader.left > 0) {
    const code = reader.uint16('TLV type')
    tlvs.push({ code, value: reader.take(reader.uint16('TLV length'), 'TLV') })
  }
  return tlvs
}

/** @throws {RangeError} a value above 65,535 octets */
export function encodeTlvs(tlvs: readonly BmpTlv[], writer: OctetWriter): void {
  for (const { code, value } of tlvs) {
    writer.uint16(code, 'TLV type').uint16(value.length, 'TLV length').bytes(value)
  }
}
