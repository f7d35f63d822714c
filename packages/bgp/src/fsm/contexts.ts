import type { MessageContext } from '../wire/index.js'
import type { Negotiated } from './negotiate.js'

const common = (negotiated: Negotiated): MessageContext => ({
  fourOctetAs: negotiated.fourOctetAs,
  internal: negotiated.internal,
  confederation: negotiated.confederation,
  extendedMessage: negotiated.extendedMessage,
  extendedNextHop: negotiated.extendedNextHop,
  aigpSession: negotiated.aigp,
})

/** How messages from the peer are read. */
export const receiveContext = (negotiated: Negotiated): MessageContext => ({
  ...common(negotiated),
  addPath: negotiated.addPath.receive,
})

/** How messages to the peer are written. */
export const sendContext = (negotiated: Negotiated): MessageContext => ({
  ...common(negotiated),
  addPath: negotiated.addPath.send,
})
