// How the addon is compiled: it is plain C on Node-API 8, so one call of a C compiler does it. No make, no Python, nothing fetched.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)

export const PACKAGE = dirname(dirname(fileURLToPath(import.meta.url)))
export const FLAGS = [
  '-std=gnu11',
  '-O2',
  '-fPIC',
  '-shared',
  '-fvisibility=hidden',
  '-Wall',
  '-Wextra',
  '-Werror=implicit',
]

/** The sources, headers included, in the order of their names. */
export const sources = () =>
  readdirSync(join(PACKAGE, 'addon'))
    .filter(name => /\.[ch]$/.test(name))
    .toSorted()
    .map(name => join(PACKAGE, 'addon', name))

/** The folder with node_api.h: beside the node binary, in the system's include path, or from the npm package node-api-headers. */
function headers() {
  const prefix = dirname(dirname(process.execPath))
  for (const folder of [join(prefix, 'include', 'node'), '/usr/include/node', '/usr/include/nodejs/src'])
    if (existsSync(join(folder, 'node_api.h'))) return folder
  return require('node-api-headers').include_dir
}

/**
 * Compiles and links; `output` is replaced in one step, and stays when that fails.
 *
 * @param command the compiler, perhaps with words of its own
 * @param flags beside {@link FLAGS}; those of the linker come last
 * @returns undefined when it worked, otherwise one line that says what is wrong and what to do
 */
export function compileAddon(command, output, flags = []) {
  mkdirSync(dirname(output), { recursive: true })
  const temporary = `${output}.${process.pid}`
  const files = sources().filter(file => file.endsWith('.c'))
  const words = [...FLAGS, `-I${headers()}`, '-o', temporary, ...files, ...flags]
  const result = spawnSync(command, words, { encoding: 'utf8', shell: /\s/.test(command) })
  if (result.error) return `no C compiler ("${command}"): on Debian and Ubuntu, apt-get install gcc libc6-dev`
  if (result.status === 0) {
    renameSync(temporary, output)
    return undefined
  }
  rmSync(temporary, { force: true })
  const missing = /fatal error: (?:linux|asm|sys|errno|std)\S*\.h/.test(result.stderr)
  if (missing)
    return 'the C library headers are missing: on Debian and Ubuntu, apt-get install libc6-dev linux-libc-dev'
  return `${command} failed:\n${result.stderr}`
}
