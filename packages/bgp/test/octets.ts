import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { DEFAULT_CONTEXT, decodeMessage, WireError, type MessageContext, type UpdateMessage } from '@typemetal/bgp/wire'

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
  /** What of the session differs from an internal one with 4-octet AS numbers. */
  readonly context?: Partial<MessageContext>
  /** False where the sender chose another form than ours of the same message. */
  readonly reencodes?: false
  /** What decoding must give, at least; `octets` values as hexadecimal text. */
  readonly message: object
}

/** Messages from the specifications, and some that FRR and BIRD sent. */
export const VECTORS = JSON.parse(
  readFileSync(new URL('../test/vectors/messages.json', import.meta.url), 'utf8'),
) as readonly Vector[]

/** What the session of a vector has negotiated. */
export const contextOf = ({ context }: Vector): MessageContext => ({ ...DEFAULT_CONTEXT, ...context })

/** A message around a body. */
export function message(type: number, body: string): Uint8Array {
  const octets = hex(body)
  const length = (19 + octets.length).toString(16).padStart(4, '0')
  return hex(`${'ff'.repeat(16)}${length}${type.toString(16).padStart(2, '0')}${toHex(octets)}`)
}

/** ORIGIN, AS_PATH 65000 and NEXT_HOP, well formed. */
export const ORIGIN = '40010100'
export const AS_PATH = '40020602010000fde8'
export const NEXT_HOP = '4003040a000002'
export const GOOD = ORIGIN + AS_PATH + NEXT_HOP
/** 192.0.2.0/24. */
export const PREFIX = '18c00002'
/** MP_REACH_NLRI of IPv6 unicast with a prefix of 64 bits. */
export const MP_REACH = '800e1e00020110 20010db8000000000000000000000001 00 402001 0db8 0000 0000'

/** An UPDATE of these attributes and prefixes. */
export function update(attributes: string, nlri = PREFIX, withdrawn = ''): Uint8Array {
  const length = (text: string): string => hex(text).length.toString(16).padStart(4, '0')
  return message(2, `${length(withdrawn)}${withdrawn}${length(attributes)}${attributes}${nlri}`)
}

/** A peer of another AS. */
export const EXTERNAL: MessageContext = { fourOctetAs: true, internal: false }

/** What an UPDATE says. */
export const decoded = (octets: Uint8Array, context: MessageContext = EXTERNAL): UpdateMessage =>
  decodeMessage(octets, context) as UpdateMessage

/** What decoding ends in: the error, or `undefined`. Fails for any error but that of the codec. */
export function errorOf(octets: Uint8Array, context: MessageContext = EXTERNAL): WireError | undefined {
  try {
    decodeMessage(octets, context)
    return undefined
  } catch (error) {
    assert.ok(error instanceof WireError, String(error))
    return error
  }
}
