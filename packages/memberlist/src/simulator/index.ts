/**
 * Rings of any size in virtual time, with loss, delay, partitions, pauses and restarts.
 *
 * ```js
 * import { Simulator } from '@typemetal/memberlist/simulator'
 *
 * const ring = new Simulator({ seed: 7, latency: [0.2, 1], loss: 0.01 })
 * const nodes = ring.addRing(50)
 * console.log('joined after', ring.runUntil(() => ring.converged(), 60_000), 'ms')
 * nodes[3]?.kill()
 * console.log('found dead after', ring.runUntil(() => ring.converged(), 60_000), 'ms')
 * ```
 *
 * @packageDocumentation
 */
export type { NetworkOptions } from './network.js'
export type { SimulatedNodeOptions } from './node.js'
export { SimulatedNode } from './node.js'
export { seededRandom } from './random.js'
export { type ConnectResult, Simulator, type SimulatorOptions } from './simulator.js'
export { Network } from './network.js'
