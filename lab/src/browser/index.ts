/**
 * A real Chromium for tests of the status page, and facts to show there.
 *
 * @packageDocumentation
 */
export { axeViolations } from './accessibility.js'
export { Chromium, type ChromiumProgram, chromiumProgram, type LookOptions } from './chromium.js'
export { exampleCluster, exampleServices } from './example-cluster.js'
export { ExampleSource } from './example-source.js'
