/**
 * The read-only status page of a process: what it says, and the server that says it.
 *
 * @packageDocumentation
 */
export type * from './facts.js'
