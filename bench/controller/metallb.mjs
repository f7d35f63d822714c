// MetalLB's own programs, built from its Go module, once for each version.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const MODULE = fileURLToPath(new URL('metallb/', import.meta.url))
const PACKAGE = 'go.universe.tf/metallb'

/** Of the module. */
export const METALLB_VERSION = /go\.universe\.tf\/metallb v(\S+)/.exec(
  readFileSync(join(MODULE, 'go.mod'), 'utf8'),
)?.[1]

/**
 * @param name `controller` or `speaker`
 * @returns `{ program }`, or `{ missing }` with the reason; `TYPEMETAL_NO_INSTALL=1`: nothing is fetched
 */
export async function buildMetalLB(name) {
  const { XDG_CACHE_HOME: cache = '', TYPEMETAL_NO_INSTALL: noInstall } = process.env
  const hash = createHash('sha256')
  for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(join(MODULE, file)))
  const base = cache === '' ? join(homedir(), '.cache') : cache
  const folder = join(base, 'typemetal', `metallb-${hash.digest('hex').slice(0, 16)}`)
  const program = join(folder, name)
  if (existsSync(program)) return { program }
  mkdirSync(folder, { recursive: true })
  const env = { ...process.env, CGO_ENABLED: '0', ...(noInstall === '1' && { GOPROXY: 'off' }) }
  // Renamed into place, so that what is there is whole.
  const fresh = `${program}.${process.pid}`
  console.error(`bench:${name}: building MetalLB, which takes minutes the first time`)
  try {
    const flags = ['-C', MODULE, '-trimpath', '-ldflags=-s -w', '-o', fresh]
    await promisify(execFile)('go', ['build', ...flags, `${PACKAGE}/${name}`], { env })
    renameSync(fresh, program)
    return { program }
  } catch (error) {
    return {
      missing: `Go cannot build it: ${String(error.stderr || error.message)
        .trim()
        .split('\n')
        .at(-1)}`,
    }
  }
}
