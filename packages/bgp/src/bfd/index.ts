/**
 * Bidirectional Forwarding Detection: RFC 5880, single hop (RFC 5881) and multihop (RFC 5883), in a worker thread.
 *
 * ```ts
 * import { Bfd } from '@typemetal/bgp/bfd'
 *
 * await using bfd = await Bfd.start()
 * const session = bfd.session({ address: '192.0.2.1', transmitInterval: 50, receiveInterval: 50 })
 * session.on('state', (to, from, { cause }) => console.log(`${session.address} is ${to}, was ${from}: ${cause}`))
 * ```
 *
 * @packageDocumentation
 */
export * from './fsm/index.js'
export * from './wire/index.js'
export { Bfd, type BfdEvents, type BfdOptions, type BfdSessionOptions } from './node/bfd.js'
export { BfdSession, type BfdSessionEvents, type BfdSnapshot } from './node/bfd-session.js'
export { type Counter, type SessionCounters } from './node/cells.js'
export { type DiscardReason, type Discards } from './node/discards.js'
export { type SessionEndpoint } from './node/endpoint.js'
export { BfdError } from './node/error.js'
export { LEAST_INTERVAL, STEADY_INTERVAL } from './node/holders.js'
export { type StateDetails } from './node/messages.js'
export { type Spread } from './node/spread.js'
export { type BfdCounters } from './node/totals.js'
