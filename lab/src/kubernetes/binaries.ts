/** Where kube-apiserver, etcd and kubectl are. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../errors.js'
import { buildPrograms, type Program } from './build.js'

/** Paths of the programs of a control plane. */
export interface KubernetesBinaries {
  readonly etcd: string
  readonly kubeApiserver: string
  /** Folders of the kind that `KUBEBUILDER_ASSETS` names may lack it. */
  readonly kubectl: string | undefined
}

/** Why there are none, as a reason to skip. */
export interface MissingBinaries {
  readonly missing: string
}

/** Where installers put them when `KUBEBUILDER_ASSETS` does not say otherwise. */
const USUAL_FOLDER = '/usr/local/kubebuilder/bin'

/**
 * Finds the programs: in the folder that `KUBEBUILDER_ASSETS` names, in `/usr/local/kubebuilder/bin`, or built from the Go modules of
 * `lab/kubernetes`, which takes minutes the first time and is then kept in the user's cache folder. Waits while another process builds
 * them. Never throws.
 */
export async function kubernetesBinaries(
  env: NodeJS.ProcessEnv = process.env,
): Promise<KubernetesBinaries | MissingBinaries> {
  const { KUBEBUILDER_ASSETS: assets } = env
  if (assets !== undefined && assets !== '') {
    return binariesIn(assets) ?? { missing: `KUBEBUILDER_ASSETS=${assets} lacks kube-apiserver or etcd` }
  }
  const installed = binariesIn(USUAL_FOLDER)
  if (installed) return installed
  try {
    const folder = await buildPrograms(env)
    return binariesIn(folder) ?? { missing: `${folder} lacks kube-apiserver or etcd` }
  } catch (error) {
    const [first] = messageOf(error).split('\n', 1)
    return { missing: `wants KUBEBUILDER_ASSETS, or Go and the modules of lab/kubernetes: ${first}` }
  }
}

function binariesIn(folder: string): KubernetesBinaries | undefined {
  const find = (program: Program): string | undefined => {
    const path = join(folder, program)
    return isExecutable(path) ? path : undefined
  }
  const [etcd, kubeApiserver] = [find('etcd'), find('kube-apiserver')]
  return etcd !== undefined && kubeApiserver !== undefined
    ? { etcd, kubeApiserver, kubectl: find('kubectl') }
    : undefined
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
