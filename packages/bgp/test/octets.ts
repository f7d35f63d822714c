import { readFileSync } from 'node:fs'

/** Octets of a hexadecimal text; blanks do not count. */
export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

/** Hexadecimal text of octets. */
export const toHex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex')

/** A message as it is on the wire, and what it says. */
export interface Vector {
  readonly name: string
  /** The RFC sections it shows. */
  readonly ref: string
  readonly hex: string
  /** False where the sender chose another form than ours of the same message. */
  readonly reencodes?: false
  /** What decoding must give, at least. */
  readonly message: object
}

/** Messages from the specifications, and some that FRR and BIRD sent. */
export const VECTORS = JSON.parse(
  readFileSync(new URL('../test/vectors/messages.json', import.meta.url), 'utf8'),
) as readonly Vector[]

/** A message around a body. */
export function message(type: number, body: string): Uint8Array {
  const octets = hex(body)
  const length = (19 + octets.length).toString(16).padStart(4, '0')
  return hex(`${'ff'.repeat(16)}${length}${type.toString(16).padStart(2, '0')}${toHex(octets)}`)
}
