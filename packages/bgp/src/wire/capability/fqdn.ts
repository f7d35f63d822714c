import type { CapabilityCodec } from './capability.js'

/** FQDN capability, draft-walton-bgp-hostname-capability section 2: the sender's name, for the operator's eyes. */
export interface FqdnCapability {
  readonly type: 'fqdn'
  /** At most 64 octets in UTF-8, as the draft says; more are read. */
  readonly hostName: string
  /** Empty when the sender has none. */
  readonly domainName: string
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeText(octets: Uint8Array): string | undefined {
  try {
    return decoder.decode(octets)
  } catch {
    return undefined
  }
}

function writeText(text: string, into: Uint8Array, at: number): number {
  const octets = encoder.encode(text)
  if (octets.length > 0xff) throw new RangeError(`a name of ${octets.length} octets`)
  into[at] = octets.length
  into.set(octets, at + 1)
  return at + 1 + octets.length
}

/** Codec of {@link FqdnCapability}. */
export const fqdn: CapabilityCodec<FqdnCapability> = {
  code: 73,
  type: 'fqdn',
  // Nothing depends on it, so whatever it holds the session goes on: a value that does not add up is carried unread.
  allows: () => true,
  decode(value) {
    const domainAt = 1 + (value[0] ?? 0)
    const end = domainAt + 1 + (value[domainAt] ?? 0)
    if (value.length <= domainAt || value.length !== end) return undefined
    const hostName = decodeText(value.subarray(1, domainAt))
    const domainName = decodeText(value.subarray(domainAt + 1))
    if (hostName === undefined || domainName === undefined) return undefined
    return { type: 'fqdn', hostName, domainName }
  },
  length: ({ hostName, domainName }) => 2 + encoder.encode(hostName).length + encoder.encode(domainName).length,
  encode({ hostName, domainName }, into) {
    writeText(domainName, into, writeText(hostName, into, 0))
  },
}
