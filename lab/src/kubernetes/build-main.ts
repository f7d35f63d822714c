/** `node …/build-main.js`: builds helm and the control plane's programs, or says why that is impossible. `npm test` starts it ahead of time. */
import { messageOf } from '../errors.js'
import { kubernetesBinaries } from './binaries.js'
import { helmBinary } from './helm.js'

const started = performance.now()
const seconds = (): number => Math.round((performance.now() - started) / 1000)
const missing = (error: unknown): { readonly missing: string } => ({ missing: messageOf(error) })

const found = await kubernetesBinaries().catch(missing)
if ('missing' in found) {
  console.error(`Kubernetes programs: ${found.missing}`)
  process.exitCode = 1
} else {
  console.error(`Kubernetes programs: ${found.kubeApiserver} after ${seconds()} s`)
}
// After them: it is built of much that they are built of.
const helm = await helmBinary()
if ('missing' in helm) {
  console.error(`helm: ${helm.missing}`)
  process.exitCode = 1
} else {
  console.error(`helm: ${helm.helm} after ${seconds()} s`)
}
