/**
 * Gives Services of type LoadBalancer their addresses: the controller process as a class, its decisions as a
 * {@link Reconciler} that does no I/O, and the {@link Allocator} below it.
 *
 * @example
 * ```ts
 * import { Controller } from '@typemetal/controller'
 * import { DirectoryStore } from '@typemetal/cluster'
 *
 * const stop = new AbortController()
 * process.once('SIGINT', () => stop.abort())
 * await using store = new DirectoryStore({ directory: 'manifests', component: 'controller' })
 * await new Controller({ store, options: { namespace: 'metallb-system' } }).run(stop.signal)
 * ```
 *
 * @packageDocumentation
 */
export { Controller, type ControllerOptions, type MayWrite } from './node/controller.js'
export type { Clock, Milliseconds } from './node/clock.js'
export { type ControllerMetrics, createControllerMetrics } from './node/metrics.js'
export { Reconciler, type ReconcilerOptions } from './reconcile/reconciler.js'
export type { AddressMove, Outcome } from './reconcile/outcome.js'
export type { Note } from './reconcile/note.js'
export { converge, type Convergence } from './reconcile/converge.js'
export { configurationStatus, newConfigurationState } from './reconcile/configuration-state.js'
export { Annotation } from './reconcile/annotations.js'
export { isOurClass, parseClasses } from './reconcile/class-filter.js'
export { type Notice, Reason } from './reconcile/service-event.js'
export { requestOf } from './reconcile/wishes.js'
export { Allocator } from './allocator/allocator.js'
export type { Allocation } from './allocator/allocation.js'
export type { PoolCounters } from './allocator/pool-state.js'
export type { AddressRequest, FamilyPolicy, PortKey, Refusal, ServiceFamily } from './allocator/request.js'
