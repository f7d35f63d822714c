import type { Family } from '../family.js'
import { readUint16, writeUint16 } from '../octets.js'
import type { CapabilityCodec } from './capability.js'

/** What a speaker does with several paths of one prefix; at least one of both. */
export interface AddPathFamily extends Family {
  /** It can send them. */
  readonly send: boolean
  /** It can receive them. */
  readonly receive: boolean
}

/** ADD-PATH capability, RFC 7911 section 4. */
export interface AddPathCapability {
  readonly type: 'add-path'
  readonly families: readonly AddPathFamily[]
}

const UNIT = 4 // AFI, SAFI, Send/Receive
const RECEIVE = 1
const SEND = 2

/** Codec of {@link AddPathCapability}. */
export const addPath: CapabilityCodec<AddPathCapability> = {
  code: 69,
  type: 'add-path',
  allows: length => length % UNIT === 0,
  decode(value) {
    const families: AddPathFamily[] = []
    for (let at = 0; at < value.length; at += UNIT) {
      const sendReceive = value[at + 3]!
      // RFC 7911 section 4: any other value makes the capability one that is not understood.
      if (sendReceive === 0 || sendReceive > (SEND | RECEIVE)) return undefined
      const send = (sendReceive & SEND) !== 0
      families.push({ afi: readUint16(value, at), safi: value[at + 2]!, send, receive: (sendReceive & RECEIVE) !== 0 })
    }
    return { type: 'add-path', families }
  },
  length: ({ families }) => UNIT * families.length,
  encode({ families }, into) {
    let at = 0
    for (const { afi, safi, send, receive } of families) {
      if (!send && !receive) throw new RangeError('ADD-PATH for a family to send, to receive, or both')
      at = writeUint16(into, at, afi)
      into[at++] = safi
      into[at++] = (send ? SEND : 0) | (receive ? RECEIVE : 0)
    }
  },
}
