/** `node …/build-main.js`: builds the control plane's programs, or says why that is impossible. `npm test` starts it ahead of time. */
import { messageOf } from '../errors.js'
import { kubernetesBinaries } from './binaries.js'

const started = performance.now()
const found = await kubernetesBinaries().catch((error: unknown) => ({ missing: messageOf(error) }))
if ('missing' in found) {
  console.error(`Kubernetes programs: ${found.missing}`)
  process.exitCode = 1
} else {
  console.error(
    `Kubernetes programs: ${found.kubeApiserver} after ${Math.round((performance.now() - started) / 1000)} s`,
  )
}
