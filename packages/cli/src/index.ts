/**
 * The operator's command as functions: what `typemetal validate`, `plan` and `explain` print, from a folder of manifests.
 *
 * ```ts
 * import { readCluster, validate } from 'typemetal'
 *
 * const { text, code } = validate(await readCluster(['deploy/cluster'], 'metallb-system'), 'table')
 * ```
 *
 * @packageDocumentation
 */
export { type Cluster, readCluster } from './cluster.js'
export { explain, type ExplainRequest } from './command/explain.js'
export { plan, type PlanRequest } from './command/plan.js'
export { type Answer, validate } from './command/validate.js'
export { type Format, FORMATS } from './output.js'
export { createProgram, type Terminal, version } from './program.js'
