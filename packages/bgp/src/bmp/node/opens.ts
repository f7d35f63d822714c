import { AS_TRANS, encodeMessage, type Capability } from '../../wire/index.js'
import type { MonitoredSession } from '../../monitored-speaker.js'

/** The OPEN messages of a session, whole. */
export interface Opens {
  readonly sent: Uint8Array
  readonly received: Uint8Array
}

/** An OPEN message of Peer Up. */
export const openOctets = (
  asn: number,
  holdTime: number,
  bgpIdentifier: number,
  capabilities: readonly Capability[],
): Uint8Array =>
  encodeMessage({
    type: 'open',
    version: 4,
    asn: asn > 0xffff ? AS_TRANS : asn,
    holdTime,
    bgpIdentifier,
    capabilities,
  })

/** Ours, of a session whose OPEN messages nobody has kept: what the peer's capabilities and the negotiation leave it to be. */
function ourCapabilities(session: MonitoredSession, asn: number): readonly Capability[] {
  const { peerCapabilities, fourOctetAs, addPath } = session
  const mirrored = peerCapabilities.flatMap((capability): readonly Capability[] => {
    switch (capability.type) {
      case 'four-octet-as':
        return fourOctetAs ? [{ type: 'four-octet-as', asn }] : []
      case 'add-path':
        return addPath ? [turned(capability)] : []
      case 'extended-message':
        return session.extendedMessage ? [capability] : []
      case 'multiprotocol':
      case 'extended-next-hop':
      case 'route-refresh':
        return [capability]
      default:
        return []
    }
  })
  return mirrored
}

type AddPath = Extract<Capability, { readonly type: 'add-path' }>

const turned = ({ families }: AddPath): AddPath => ({
  type: 'add-path',
  families: families.map(family => ({ ...family, send: family.receive, receive: family.send })),
})

/**
 * OPEN messages of a session that stood before anybody watched: made anew from what was negotiated, so that a station reads the
 * updates as the session does.
 */
export const rebuiltOpens = (session: MonitoredSession, asn: number, bgpIdentifier: number): Opens => ({
  sent: openOctets(asn, session.holdTime, bgpIdentifier, ourCapabilities(session, asn)),
  received: openOctets(session.peerAsn, session.holdTime, session.peerBgpIdentifier, session.peerCapabilities),
})
