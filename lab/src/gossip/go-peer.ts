/** The Go program in `lab/peers/go`: a ring node on hashicorp/memberlist, built once by `go build`. */
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../command.js'
import { messageOf } from '../errors.js'

const SOURCE = fileURLToPath(new URL('../../peers/go/', import.meta.url))
const BINARY = fileURLToPath(new URL('../../build/memberlist-go', import.meta.url))

/** The program, or why there is none. */
export type GoPeer = { readonly path: string } | { readonly missing: string }

/**
 * Builds it unless that is done already. Never throws: a machine without Go, or without the Go modules, just has none.
 * With `TYPEMETAL_NO_INSTALL=1` in the environment nothing is fetched.
 */
export async function goPeer(): Promise<GoPeer> {
  if (isCurrent()) return { path: BINARY }
  try {
    await run(['go', 'version'])
  } catch {
    return { missing: 'wants the Go toolchain' }
  }
  const offline = process.env['TYPEMETAL_NO_INSTALL'] === '1'
  mkdirSync(dirname(BINARY), { recursive: true })
  // Renamed into place, because several tests may build at once and one may run it already.
  const fresh = `${BINARY}.${process.pid}`
  try {
    await run(['go', 'build', '-C', SOURCE, '-o', fresh, '.'], {
      timeout: 300_000,
      env: { ...process.env, GOFLAGS: '-mod=readonly', ...(offline ? { GOPROXY: 'off' } : {}) },
    })
    renameSync(fresh, BINARY)
    return { path: BINARY }
  } catch (error) {
    return { missing: `wants the Go modules of lab/peers/go: ${messageOf(error).split('\n', 1)[0]}` }
  }
}

function isCurrent(): boolean {
  if (!existsSync(BINARY)) return false
  const built = statSync(BINARY).mtimeMs
  return ['main.go', 'go.mod', 'go.sum'].every(name => statSync(`${SOURCE}${name}`).mtimeMs < built)
}
