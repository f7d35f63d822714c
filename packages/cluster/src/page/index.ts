/**
 * The read-only status page of a process: what it says, and the server that says it.
 *
 * @packageDocumentation
 */
export type * from './facts.js'
export { type PageOptions, type PageServer, servePage } from './serve.js'
export { condense, type Line } from './condense.js'
export { FactsMemory } from './facts-memory.js'
export { type Happening, TransitionLog } from './transition-log.js'
export { applyChange, isNamed, type NamedSection, ROW_NAMES, type RowChange, type RowOf } from './row-names.js'
export { type After, Watchers } from './watchers.js'
