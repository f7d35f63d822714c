/**
 * ARP (RFC 826, RFC 5227) and IPv6 Neighbor Discovery (RFC 4861) for Node.js on Linux: answers for addresses from a worker
 * thread, tells the neighbours when they move, and asks who has one.
 *
 * ```ts
 * import { Layer2, resolve } from '@typemetal/arp-ndp'
 *
 * await using layer2 = await Layer2.start({ excludeInterfaces: ['^lo$', '^docker'] })
 * layer2.setAddresses([{ address: '192.0.2.1', interfaces: 'all' }])
 * console.log(await resolve({ interface: 'eth0', address: '192.0.2.254' }))
 * ```
 *
 * @packageDocumentation
 */
export { ClosedError, Layer2Error, WireError, type WireFault } from './errors.js'
export { Layer2, type Layer2Events, type NeighborRefresh } from './node/layer2.js'
export type { Layer2Options } from './node/layer2-options.js'
export type { Logger } from './node/logger.js'
export type { AddressConflict, ResponderChange } from './node/messages.js'
export type { PortStatistics } from './node/port.js'
export { probe, type ProbeOptions, type ProbeResult } from './node/probe.js'
export { InterfaceError, resolve, type Answer, type ResolveOptions } from './node/resolve.js'
export type { WantedAddress } from './node/wanted-set.js'
export type { DefencePolicy } from './acd/defence.js'
export type { AddressCounters, InterfaceSelection } from './responder/owned-addresses.js'
export type { Protocol } from './responder/responder.js'
export { DEFAULT_EXCLUDED_INTERFACES } from './responder/scan.js'
export type { DropReason } from './responder/verdict.js'
