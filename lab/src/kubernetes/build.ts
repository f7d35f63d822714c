/** Builds the programs of a control plane from the Go modules that `lab/kubernetes/go.mod` pins. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildGoModule } from './go-program.js'

const MODULE = fileURLToPath(new URL('../../kubernetes/', import.meta.url))

const PACKAGES = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
} as const

/** A program that is built. */
export type Program = keyof typeof PACKAGES

/**
 * @param env `TYPEMETAL_NO_INSTALL=1`: nothing is fetched; `XDG_CACHE_HOME`: where the programs are kept
 * @returns the folder of the programs
 * @throws {LabError} there is no Go, or it cannot build them
 */
export function buildPrograms(env: NodeJS.ProcessEnv): Promise<string> {
  return buildGoModule({ folder: MODULE, name: 'kubernetes', packages: PACKAGES, linkerFlags: linkerFlags() }, env)
}

/** Without symbols, which halve the size; with the version, which is else unknown to the programs themselves. */
function linkerFlags(): string {
  const text = readFileSync(join(MODULE, 'go.mod'), 'utf8')
  const [, version = '', major = '', minor = ''] = /k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\S+)/.exec(text) ?? []
  const fields = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' }
  const sets = Object.entries(fields).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
  return ['-s', '-w', ...sets].join(' ')
}
