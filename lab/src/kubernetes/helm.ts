/** Where helm is. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../errors.js'
import { buildGoModule } from './go-program.js'
import type { MissingBinaries } from './binaries.js'

const MODULE = fileURLToPath(new URL('../../helm/', import.meta.url))

/**
 * Finds helm: the file that `TYPEMETAL_HELM` names, or built from the Go modules of `lab/helm`, which takes minutes the first time and
 * is then kept in the user's cache folder. Waits while another process builds it. Never throws.
 */
export async function helmBinary(
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ readonly helm: string } | MissingBinaries> {
  const { TYPEMETAL_HELM: given = '' } = env
  try {
    if (given !== '') {
      accessSync(given, constants.X_OK)
      return { helm: given }
    }
    const packages = { helm: 'helm.sh/helm/v4/cmd/helm' }
    return {
      helm: join(await buildGoModule({ folder: MODULE, name: 'helm', packages, linkerFlags: '-s -w' }, env), 'helm'),
    }
  } catch (error) {
    const [first] = messageOf(error).split('\n', 1)
    return { missing: `wants TYPEMETAL_HELM, or Go and the modules of lab/helm: ${first}` }
  }
}
