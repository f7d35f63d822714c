/**
 * SWIM gossip membership, byte-compatible with hashicorp/memberlist: a node that joins a ring of Go nodes as an equal.
 *
 * ```js
 * import { Memberlist } from '@typemetal/memberlist'
 *
 * const a = new Memberlist({ name: 'a', bindAddress: '127.0.0.1', bindPort: 0 })
 * const b = new Memberlist({ name: 'b', bindAddress: '127.0.0.1', bindPort: 0 })
 * a.on('join', member => console.log('a sees', member.name)) // a, then b
 * a.on('leave', member => console.log('a sees', member.name, member.state)) // b left
 *
 * await a.start()
 * await b.start()
 * await b.join([`127.0.0.1:${a.port}`])
 * await b.leave()
 * await Promise.all([a.close(), b.close()])
 * ```
 *
 * @packageDocumentation
 */
export { ExchangeError, JoinError, MemberlistError, StateError } from './errors.js'
export { aesGcm } from './node/aes-gcm.js'
export type { Clock } from './node/clock.js'
export type { Counters } from './node/counters.js'
export { Keyring } from './node/keyring.js'
export type { Logger } from './node/logger.js'
export { Memberlist, type MemberlistEvents } from './node/memberlist.js'
export { DEFAULT_PORT, type MemberlistOptions } from './node/options.js'
export type {
  Delegate,
  DelegateVersions,
  Endpoint,
  Member,
  Milliseconds,
  NodeStatus,
  Note,
  Preset,
  Tuning,
} from './swim/index.js'
export { type Versions, WireError, type WireFault } from './wire/index.js'
