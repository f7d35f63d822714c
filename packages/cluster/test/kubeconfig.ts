import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Writes a kubeconfig for an API server on this host; returns its path. */
export async function writeKubeconfig(
  directory: string,
  port: number,
  { user, cluster }: { readonly user?: object; readonly cluster?: object } = {},
): Promise<string> {
  const file = join(directory, 'kubeconfig')
  const plain = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    clusters: [{ name: 'test', cluster: cluster ?? plain }],
    users: [{ name: 'test', user: user ?? { token: 'secret' } }],
  }
  await writeFile(file, JSON.stringify(config))
  return file
}
