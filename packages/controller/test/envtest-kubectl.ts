/** kubectl, as a cluster's administrator uses it. */
import { join } from 'node:path'
import type { KubernetesObject } from '@typemetal/cluster'
import { type CommandResult, run } from '@typemetal/lab'
import type { ApiServer } from '@typemetal/lab/kubernetes'

/** Runs kubectl. @param input objects for its standard input; a code other than 0 is a result */
export type Kubectl = (args: readonly string[], ...input: readonly KubernetesObject[]) => Promise<CommandResult>

/** @param program of `kubernetesBinaries()` */
export async function kubectlOf(server: ApiServer, program: string): Promise<Kubectl> {
  const kubeconfig = await server.kubeconfig()
  const place = [`--kubeconfig=${kubeconfig}`, `--cache-dir=${join(server.directory, 'kubectl')}`]
  const options = { check: false, timeout: 300_000 }
  return (args, ...input) =>
    run([program, ...place, ...args], {
      ...options,
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: input }),
    })
}
