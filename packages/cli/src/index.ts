/**
 * The operator's command as functions: what `typemetal validate`, `plan`, `explain` and the others print, from manifests or a live
 * cluster.
 *
 * ```ts
 * import { readCluster, validate } from 'typemetal'
 *
 * const cluster = await readCluster(['deploy/cluster'], 'metallb-system')
 * const { text, code } = validate(cluster, { namespace: 'metallb-system' }, 'table')
 * ```
 *
 * @packageDocumentation
 */
export { type Cluster, clusterOf, readCluster } from './source/cluster.js'
export { type LiveCluster, type LiveOptions, openLive } from './source/live.js'
export type { PodReadings } from './source/pod-metrics.js'
export { overlay, type OverlayOptions } from './source/overlay.js'
export { type View, viewOf, type ViewRequest } from './view.js'
export { type Answer, CommandError, ExitCode } from './exit-code.js'
export { validate, type ValidateRequest } from './command/validate.js'
export { findWarnings, type Scene, type Warning } from './warnings/warnings.js'
export { plan, type PlanRequest } from './command/plan.js'
export { difference, type DifferenceRequest } from './command/difference.js'
export { type AddressChange, type AnnouncementChange, compare, type Difference } from './compare/compare.js'
export type { RouteChange } from './compare/routes.js'
export type { SessionDifference } from './compare/sessions.js'
export { explain, type Explanation, type ExplainRequest } from './command/explain.js'
export type { Stage, Step, Verdict } from './explain/step.js'
export { status, type StatusRequest } from './command/status.js'
export { type ComponentState, report, type ServiceStatus, type StatusReport } from './status/report.js'
export type { NodeStatus } from './status/nodes.js'
export type { PoolStatus } from './status/pools.js'
export type { SessionStatus } from './status/sessions.js'
export { parseMetrics, type Sample, type SpeakerReading } from './status/metrics.js'
export { type Format, FORMATS, type Paint, type Tone } from './output.js'
export type { SaidEvent } from './source/events.js'
export { mayColor, type Terminal } from './terminal.js'
export { createProgram, runProgram } from './program.js'
export { version } from './program/version.js'
