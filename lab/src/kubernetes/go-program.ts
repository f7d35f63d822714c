/** Programs built from Go modules that a `go.mod` of this folder's neighbours pins, kept in the user's cache folder. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { run } from '../command.js'
import { LabError } from '../errors.js'

/** A folder with a `go.mod`, and what is built of it. */
export interface GoModule {
  /** With the slash at the end. */
  readonly folder: string
  /** Name of the folder in the cache, before its hash. */
  readonly name: string
  /** Program → the package of its `main`, a `tool` of the module. */
  readonly packages: Readonly<Record<string, string>>
  /** For `go build -ldflags`. */
  readonly linkerFlags: string
}

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
 * Builds what is not built yet, once for each set of versions and compiler.
 *
 * @param env `TYPEMETAL_NO_INSTALL=1`: nothing is fetched; `XDG_CACHE_HOME`: where the programs are kept
 * @returns the folder of the programs
 * @throws {LabError} there is no Go, or it cannot build them
 */
export async function buildGoModule(module: GoModule, env: NodeJS.ProcessEnv): Promise<string> {
  const folder = await cacheFolder(module, env)
  const { packages, linkerFlags } = module
  const programs = Object.entries(packages)
  if (programs.every(([program]) => existsSync(join(folder, program)))) return folder
  mkdirSync(folder, { recursive: true })
  const offline = env['TYPEMETAL_NO_INSTALL'] === '1'
  const goEnv = { ...env, CGO_ENABLED: '0', ...(offline && { GOPROXY: 'off' }) }
  for (const [program, main] of programs) {
    const args = [module.folder, join(folder, program), linkerFlags, main]
    await run(['flock', join(folder, 'lock'), 'sh', '-ec', BUILD, 'build', ...args], { env: goEnv, timeout: TIMEOUT })
  }
  return folder
}

/** A folder for this very combination of modules and compiler. */
async function cacheFolder({ folder, name, linkerFlags }: GoModule, env: NodeJS.ProcessEnv): Promise<string> {
  const compiler = await run(['go', 'version'], { env }).catch((cause: unknown) => {
    throw new LabError('ERR_LAB_COMMAND', 'the Go toolchain is not installed', { cause })
  })
  const hash = createHash('sha256').update(compiler.stdout).update(linkerFlags)
  for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(join(folder, file)))
  const { XDG_CACHE_HOME: cache = '' } = env
  const base = cache === '' ? join(homedir(), '.cache') : cache
  return join(base, 'typemetal', `${name}-${hash.digest('hex').slice(0, 16)}`)
}
