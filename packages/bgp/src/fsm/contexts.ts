import type { MessageContext } from '../wire/index.js'
import type { Negotiated } from './negotiate.js'

const common = (negotiated: Negotiated): MessageContext => ({
  fourOctetAs: negotiated.fourOctetAs,
  internal: negotiated.internal,
  confederation: negotiated.confederation,
  aigpSession: negotiated.aigp,
})

/** How messages from the peer are read: it may send all that we have promised to take. */
export const receiveContext = (negotiated: Negotiated): MessageContext => ({
  ...common(negotiated),
  ...negotiated.promised,
  addPath: negotiated.addPath.receive,
})

/** How messages to the peer are written. */
export const sendContext = (negotiated: Negotiated): MessageContext => ({
  ...common(negotiated),
  extendedMessage: negotiated.extendedMessage,
  extendedNextHop: negotiated.extendedNextHop,
  addPath: negotiated.addPath.send,
})
