import type { MessageContext } from '../context.js'
import { readUint16, readUint32, writeUint16, writeUint32 } from '../octets.js'
import { isOfConfederation, MalformedValue, OPTIONAL_NON_TRANSITIVE, ValueFault, type AttributeCodec } from './codec.js'

const AIGP_TLV = 1
const HEADER = 3 // type, and length with the header
const TLV_LENGTH = 11
const MAX_METRIC = 0xffff_ffff_ffff_ffffn

const malformed = (text: string): MalformedValue => new MalformedValue(text, ValueFault.OptionalAttribute)

/** The metric of an AIGP TLV at `at`. */
function readMetric(value: Uint8Array, at: number, length: number): bigint {
  if (length !== TLV_LENGTH) throw malformed(`AIGP TLV of ${length} octets`)
  return (BigInt(readUint32(value, at + HEADER)) << 32n) | BigInt(readUint32(value, at + HEADER + 4))
}

/** RFC 7311 section 3.2: within an AS and a confederation unless told otherwise, and not across their border. */
const isAigpSession = (context: MessageContext): boolean => context.aigpSession ?? isOfConfederation(context)

/**
 * AIGP, RFC 7311: the accumulated IGP metric, that of the first AIGP TLV; lower is better. Other TLVs are not kept.
 * Malformed, with the wrong flags or from outside of an AIGP session, it is as if it were not there (section 3).
 */
export const aigp: AttributeCodec<bigint> = {
  code: 26,
  name: 'AIGP',
  flags: OPTIONAL_NON_TRANSITIVE,
  disposition: 'attribute-discard',
  flagsDisposition: 'attribute-discard',
  accepts: isAigpSession,
  decode(value) {
    let metric: bigint | undefined
    if (value.length === 0) throw malformed('no TLV')
    for (let at = 0; at < value.length;) {
      const left = value.length - at
      const length = left < HEADER ? 0 : readUint16(value, at + 1)
      if (length < HEADER || length > left) throw malformed(`TLV of ${length} octets in ${left}`)
      if (value[at] === AIGP_TLV) {
        const found = readMetric(value, at, length)
        metric ??= found
      }
      at += length
    }
    if (metric === MAX_METRIC) throw malformed('the largest metric')
    return metric
  },
  length: () => TLV_LENGTH,
  encode(metric, into) {
    if (metric < 0n || metric >= MAX_METRIC) throw new RangeError(`AIGP metric ${metric}`)
    into[0] = AIGP_TLV
    const at = writeUint16(into, 1, TLV_LENGTH)
    writeUint32(into, writeUint32(into, at, Number(metric >> 32n)), Number(metric & 0xffff_ffffn))
  },
}
