import type { Capability } from '../../wire/capability/index.js'
import type { MessageContext } from '../../wire/context.js'
import { WireError } from '../../wire/error.js'
import { familyName, type FamilyName } from '../../wire/family.js'
import { HEADER_LENGTH } from '../../wire/header.js'
import { decodeOpen } from '../../wire/open.js'
import { BmpPeerFlag, BmpPeerType, type BmpPeerHeader } from './peer-header.js'
import type { BmpPeerUp } from './peer-up.js'

type AddPath = Extract<Capability, { readonly type: 'add-path' }>

const isNamed = (name: FamilyName | undefined): name is FamilyName => name !== undefined

/** Families that an ADD-PATH capability says can be sent or received. */
function addPathFamilies(capabilities: readonly Capability[], direction: 'send' | 'receive'): readonly FamilyName[] {
  return capabilities
    .filter((capability): capability is AddPath => capability.type === 'add-path')
    .flatMap(({ families }) => families.filter(family => family[direction]).map(familyName))
    .filter(isNamed)
}

/** Families that a speaker takes with next hops of the other address family, RFC 8950 section 4. */
const extendedNextHops = (capabilities: readonly Capability[]): readonly FamilyName[] =>
  capabilities.flatMap(one => (one.type === 'extended-next-hop' ? one.families.map(familyName) : [])).filter(isNamed)

/**
 * How the UPDATE messages that Route Monitoring brings of a peer are read, by the OPEN messages of its Peer Up and the header of
 * the Route Monitoring message itself. A Loc-RIB is shown with 4-octet AS numbers (RFC 9069 section 5.4). `internal` is always
 * true: a station is shown what there is, and discards nothing of it.
 *
 * @throws {WireError} an OPEN that cannot be read
 */
export function bmpMessageContext({ sentOpen, receivedOpen }: BmpPeerUp, header: BmpPeerHeader): MessageContext {
  const sent = decodeOpen(sentOpen.subarray(HEADER_LENGTH))
  const received = decodeOpen(receivedOpen.subarray(HEADER_LENGTH))
  const out = header.peerType !== BmpPeerType.LocRib && (header.flags & BmpPeerFlag.AdjRibOut) !== 0
  const [sender, receiver] = out ? [sent, received] : [received, sent]
  const receives = addPathFamilies(receiver.capabilities, 'receive')
  return {
    fourOctetAs: header.peerType === BmpPeerType.LocRib || (header.flags & BmpPeerFlag.TwoOctetAsPath) === 0,
    internal: true,
    addPath: addPathFamilies(sender.capabilities, 'send').filter(name => receives.includes(name)),
    // The receiver's word is enough for these two, RFC 8654 and RFC 8950 section 4.
    extendedMessage: receiver.capabilities.some(({ type }) => type === 'extended-message'),
    extendedNextHop: extendedNextHops(receiver.capabilities),
  }
}

/** {@link bmpMessageContext}, or `undefined` where an OPEN cannot be read. */
export function messageContextOf(peerUp: BmpPeerUp, header: BmpPeerHeader): MessageContext | undefined {
  try {
    return bmpMessageContext(peerUp, header)
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}
