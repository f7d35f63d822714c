/** Builds the programs of a control plane from the Go modules that `lab/kubernetes/go.mod` pins, once for each set of versions. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../command.js'
import { LabError } from '../errors.js'

const MODULE = fileURLToPath(new URL('../../kubernetes/', import.meta.url))

/** Program → the package of its `main`, a `tool` of the module. */
const PACKAGES = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
} as const

/** A program that is built. */
export type Program = keyof typeof PACKAGES

const PROGRAMS = Object.keys(PACKAGES) as readonly Program[]

/** Milliseconds; a slow machine with one core needs half an hour. */
const TIMEOUT = 3_600_000

/**
 * Builds one program, unless that is done; under a lock, since several test files ask at once. Renamed into place, so that what is there
 * is whole.
 */
const BUILD = `
[ -x "$2" ] && exit 0
go build -C "$1" -trimpath -ldflags "$3" -o "$2.new" "$4"
mv "$2.new" "$2"
`

/**
 * @param env `TYPEMETAL_NO_INSTALL=1`: nothing is fetched; `XDG_CACHE_HOME`: where the programs are kept
 * @returns the folder of the programs
 * @throws {LabError} there is no Go, or it cannot build them
 */
export async function buildPrograms(env: NodeJS.ProcessEnv): Promise<string> {
  const folder = await cacheFolder(env)
  if (PROGRAMS.every(program => existsSync(join(folder, program)))) return folder
  mkdirSync(folder, { recursive: true })
  const offline = env['TYPEMETAL_NO_INSTALL'] === '1'
  const goEnv = { ...env, CGO_ENABLED: '0', ...(offline && { GOPROXY: 'off' }) }
  for (const program of PROGRAMS) {
    const args = [MODULE, join(folder, program), linkerFlags(), PACKAGES[program]]
    await run(['flock', join(folder, 'lock'), 'sh', '-ec', BUILD, 'build', ...args], { env: goEnv, timeout: TIMEOUT })
  }
  return folder
}

/** A folder for this very combination of modules and compiler. */
async function cacheFolder(env: NodeJS.ProcessEnv): Promise<string> {
  const compiler = await run(['go', 'version'], { env }).catch((cause: unknown) => {
    throw new LabError('ERR_LAB_COMMAND', 'the Go toolchain is not installed', { cause })
  })
  const hash = createHash('sha256').update(compiler.stdout).update(linkerFlags())
  for (const name of ['go.mod', 'go.sum']) hash.update(readFileSync(join(MODULE, name)))
  const { XDG_CACHE_HOME: cache = '' } = env
  const base = cache === '' ? join(homedir(), '.cache') : cache
  return join(base, 'typemetal', `kubernetes-${hash.digest('hex').slice(0, 16)}`)
}

/** Without symbols, which halve the size; with the version, which is else unknown to the programs themselves. */
function linkerFlags(): string {
  const text = readFileSync(join(MODULE, 'go.mod'), 'utf8')
  const [, version = '', major = '', minor = ''] = /k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\S+)/.exec(text) ?? []
  const fields = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' }
  const sets = Object.entries(fields).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
  return ['-s', '-w', ...sets].join(' ')
}
