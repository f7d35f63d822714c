import type { PathAttributes } from './attribute/path-attributes.js'
import { WireError } from './error.js'
import { Afi, Safi, type Family } from './family.js'
import { HEADER_LENGTH } from './header.js'
import type { Nlri } from './nlri.js'
import type { DecodedAttributes } from './path-attributes.js'
import type { UpdateMessage } from './update.js'

const NEXT_HOP = 3 // Type Codes
const MP_REACH_NLRI = 14
const MP_UNREACH_NLRI = 15

/** Whether the message makes anything reachable, of whatever family, or tried to. */
function isReachable(update: UpdateMessage, { attributes, codes }: DecodedAttributes): boolean {
  const reach = attributes.mpReachNlri
  if (!reach) return update.nlri.length > 0 || codes.includes(MP_REACH_NLRI)
  return update.nlri.length > 0 || reach.nlri.length > 0 || (reach.opaque?.length ?? 0) > 0
}

/** RFC 4271 section 6.3 and RFC 7606 section 3 (d): the attribute that reachable prefixes must come with and do not. */
function missingAttribute({ pathAttributes, nlri }: UpdateMessage): number | undefined {
  const { origin, asPath, nextHop, mpReachNlri } = pathAttributes
  if (nlri.length === 0 && !mpReachNlri?.nlri.length) return undefined
  if (origin === undefined) return 1
  if (!asPath) return 2
  return nlri.length > 0 && !nextHop ? 3 : undefined
}

/** Adds RFC 7606 section 3 (d) to the faults; not where the attribute was there but malformed. */
function withMissing(update: UpdateMessage, faults: readonly WireError[]): readonly WireError[] {
  if (faults.some(fault => fault.disposition === 'treat-as-withdraw')) return faults
  const code = missingAttribute(update)
  if (code === undefined) return faults
  const text = `mandatory attribute ${code} missing`
  return [...faults, new WireError(text, HEADER_LENGTH, [3, 3], 'treat-as-withdraw', Uint8Array.of(code))]
}

/** RFC 4760 section 3: NEXT_HOP is to be ignored where only MP_REACH_NLRI has prefixes, and so is what is wrong with it. */
function withoutNeed({ nlri, pathAttributes }: UpdateMessage, fault: WireError): WireError {
  const { text, offset, notification, disposition, data } = fault
  const isNextHop = data[1] === NEXT_HOP && notification[1] !== 1 && disposition === 'treat-as-withdraw'
  if (!isNextHop || nlri.length > 0 || !pathAttributes.mpReachNlri) return fault
  return new WireError(text, offset, notification, 'attribute-discard', data)
}

const isIpv4Unicast = ({ afi, safi }: Family): boolean => afi === Afi.IPv4 && safi === Safi.Unicast

/** RFC 7606 section 2: all prefixes of the message become withdrawn ones. */
function treatAsWithdraw({ withdrawnRoutes, pathAttributes, nlri }: UpdateMessage): UpdateMessage {
  const ipv4: readonly Nlri[] = withdrawnRoutes.concat(nlri)
  const { mpReachNlri: reach, mpUnreachNlri: unreach } = pathAttributes
  const withdrawn = (attributes: PathAttributes, withdrawnRoutes = ipv4): UpdateMessage => {
    return { type: 'update', withdrawnRoutes, pathAttributes: attributes, nlri: [] }
  }
  if (!reach || reach.opaque) return withdrawn(unreach ? { mpUnreachNlri: unreach } : {})
  const { afi, safi } = reach
  if (!unreach) return withdrawn({ mpUnreachNlri: { afi, safi, withdrawnRoutes: reach.nlri } })
  if (unreach.afi === afi && unreach.safi === safi) {
    return withdrawn({ mpUnreachNlri: { afi, safi, withdrawnRoutes: unreach.withdrawnRoutes.concat(reach.nlri) } })
  }
  // Two families in one message: the IPv4 one fits the Withdrawn Routes field.
  if (isIpv4Unicast(reach)) return withdrawn({ mpUnreachNlri: unreach }, ipv4.concat(reach.nlri))
  const more = isIpv4Unicast(unreach) ? unreach.withdrawnRoutes : []
  return withdrawn({ mpUnreachNlri: { afi, safi, withdrawnRoutes: reach.nlri } }, ipv4.concat(more))
}

/**
 * What is left of an UPDATE after RFC 7606: the severest disposition decides (section 3 (h)), and what it does is done.
 * Only a family to disable is left to the receiver.
 *
 * @throws {WireError} a fault from which the prefixes concerned cannot be told (section 5.2)
 */
export function handleFaults(update: UpdateMessage, decoded: DecodedAttributes): UpdateMessage {
  const needed = decoded.faults.length > 0 ? decoded.faults.map(fault => withoutNeed(update, fault)) : decoded.faults
  const faults = withMissing(update, needed)
  if (faults.length === 0) return update
  const fault = faults.find(({ disposition }) => disposition === 'treat-as-withdraw')
  if (!fault) return { ...update, faults }
  // Withdrawals with no attribute besides are what they seem, whatever the attribute's flags.
  const onlyWithdraws = decoded.codes.length === 1 && decoded.codes[0] === MP_UNREACH_NLRI
  if (!isReachable(update, decoded) && !onlyWithdraws) {
    throw new WireError(fault.text, fault.offset, fault.notification, 'session-reset', fault.data)
  }
  return { ...treatAsWithdraw(update), faults }
}
