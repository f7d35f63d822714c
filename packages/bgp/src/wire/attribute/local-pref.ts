import { readUint32, writeUint32 } from '../octets.js'
import { checkLength, isOfConfederation, WELL_KNOWN, type AttributeCodec } from './codec.js'

/** LOCAL_PREF, RFC 4271 section 5.1.5: higher is better; between internal peers, and those of a confederation. */
export const localPref: AttributeCodec<number> = {
  code: 5,
  name: 'LOCAL_PREF',
  flags: WELL_KNOWN,
  disposition: 'treat-as-withdraw',
  accepts: isOfConfederation,
  decode(value) {
    checkLength(value, 4)
    return readUint32(value, 0)
  },
  length: () => 4,
  encode(value, into) {
    writeUint32(into, 0, value)
  },
}
