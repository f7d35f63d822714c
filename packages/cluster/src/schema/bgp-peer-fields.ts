import { column } from './definition.js'
import { type Schema, text } from './schema.js'

const MAX_ASN = 4_294_967_295

/** An AS number (RFC 6793: four octets). */
export const asNumber = (minimum: 0 | 1, description: string): Schema => ({
  type: 'integer',
  format: 'int64',
  minimum,
  maximum: MAX_ASN,
  description,
})

/** The times that both versions have. */
export const BGP_PEER_TIMES = {
  holdTime: text('Requested hold time: 0s or at least 3s.'),
  keepaliveTime: text('Time between KEEPALIVE messages; at most the hold time.'),
} as const

/** What `kubectl get bgppeers` shows, in both versions. */
export const BGP_PEER_COLUMNS = [
  column('Address', 'string', '.spec.peerAddress'),
  column('ASN', 'string', '.spec.peerASN'),
  column('BFD Profile', 'string', '.spec.bfdProfile'),
  column('Multi Hops', 'string', '.spec.ebgpMultiHop'),
] as const
