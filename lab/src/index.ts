/**
 * Hosts in network namespaces: what the demo, the interop tests and the benchmarks stand on.
 *
 * ```ts
 * import { Lab } from '@typemetal/lab'
 *
 * await using lab = await Lab.create()
 * const lan = await lab.bridge('lan')
 * const alice = await lab.host('alice', { links: [{ bridge: lan, addresses: ['10.0.0.1/24'] }] })
 * await lab.host('bob', { links: [{ bridge: lan, addresses: ['10.0.0.2/24'] }] })
 * console.log((await alice.exec(['ip', 'neighbour', 'get', '10.0.0.2', 'dev', 'eth0'])).stdout)
 * ```
 *
 * @packageDocumentation
 */
export { Bridge, type BridgeOptions } from './bridge.js'
export { Capture, type CaptureOptions } from './capture/capture.js'
export { CAPTURE_PROTOCOLS, protocolOf, type CaptureProtocol } from './capture/protocol.js'
export { run, type CommandOptions, type CommandResult } from './command.js'
export { LabError, messageOf, type LabErrorCode } from './errors.js'
export { fuzz, runOnce, type FuzzFailure, type FuzzLimits, type FuzzResult } from './fuzz/fuzz.js'
export { INTERESTING_OCTETS, joinOctets, mutateBlindly, mutator, type Mutation } from './fuzz/mutate.js'
export { below, pick, randomOctets, type Random } from './fuzz/random.js'
export type { Attempt, FuzzTarget } from './fuzz/target.js'
export { claimLoopback } from './gossip/loopback-block.js'
export { goPeer, type GoPeer } from './gossip/go-peer.js'
export { RingProcess, type RingKind, type RingProcessOptions } from './gossip/ring-process.js'
export type { Said } from './gossip/said.js'
export { Host, type HostLink, type HostOptions, type LinkOptions, type RouteOptions } from './host.js'
export { Lab, type LabOptions } from './lab.js'
export { LabProcess, how, type ProcessExit, type ProcessOptions } from './lab-process.js'
export { NetworkNamespace, type Sysctls } from './network-namespace.js'
export { PageWatch } from './page-watch.js'
export { filterPackets, nftablesInstalled, type PacketFilter } from './packet-filter.js'
export { enterUserNamespace, entryCommand, needsUserNamespace, onOuterSignal, requireIproute2 } from './privileges.js'
export { nextHopsOf } from './router/kernel-routes.js'
export { debianPackage, routerInstalled } from './router/program.js'
export { ROUTER_KINDS, startRouter, type Router, type RouterKind, type RouterOptions } from './router/router.js'
export { until, type WaitOptions } from './wait.js'
