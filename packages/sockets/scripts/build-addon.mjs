// Compiles the native addon for this machine, when that is needed, with nothing but a C compiler.
//
//   node scripts/build-addon.mjs            build unless build/Release is up to date; exit code 1 when that fails
//   node scripts/build-addon.mjs --install  what npm runs: take a prebuild when there is one that loads; never fails the
//                                           install of a dependant, since loading says later what is missing
//
// The addon is plain C on Node-API 8, so one `cc` call does it: no make, no Python, nothing fetched. The headers come from
// beside the node binary, else from the npm package node-api-headers.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGE = dirname(dirname(fileURLToPath(import.meta.url)))
const OUTPUT = join(PACKAGE, 'build', 'Release', 'sockets.node')
const STAMP = join(PACKAGE, 'build', 'Release', 'sockets.stamp')
const FLAGS = ['-std=gnu11', '-O2', '-fPIC', '-shared', '-fvisibility=hidden', '-Wall', '-Wextra', '-Werror=implicit']
const installing = process.argv.includes('--install')
const require = createRequire(import.meta.url)

const sources = () =>
  readdirSync(join(PACKAGE, 'addon'))
    .filter(name => /\.[ch]$/.test(name))
    .toSorted()
    .map(name => join(PACKAGE, 'addon', name))

/** The folder with node_api.h: beside the node binary, in the system's include path, or from npm. */
function headers() {
  const prefix = dirname(dirname(process.execPath))
  for (const folder of [join(prefix, 'include', 'node'), '/usr/include/node', '/usr/include/nodejs/src'])
    if (existsSync(join(folder, 'node_api.h'))) return folder
  return require('node-api-headers').include_dir
}

/** What the binary depends on: its sources, how it is compiled, and for which machine. */
function fingerprint(command) {
  const hash = createHash('sha256').update(JSON.stringify([command, FLAGS, process.platform, process.arch]))
  for (const file of sources()) hash.update(file.slice(PACKAGE.length)).update(readFileSync(file))
  return hash.digest('hex')
}

function prebuildLoads() {
  process.env.PREBUILDS_ONLY = '1' // else node-gyp-build would be content with an old build/Release
  try {
    require('node-gyp-build')(PACKAGE)
    return true
  } catch {
    return false
  }
}

/** @returns undefined when it worked, otherwise one line that says what is wrong and what to do */
function compile() {
  const command = process.env.CC ?? 'cc'
  const wanted = fingerprint(command)
  if (existsSync(OUTPUT) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return undefined
  mkdirSync(dirname(OUTPUT), { recursive: true })
  const temporary = `${OUTPUT}.${process.pid}`
  const files = sources().filter(file => file.endsWith('.c'))
  const result = spawnSync(command, [...FLAGS, `-I${headers()}`, '-o', temporary, ...files], {
    encoding: 'utf8',
    shell: /\s/.test(command),
  })
  if (result.error) return `no C compiler ("${command}"): on Debian and Ubuntu, apt-get install gcc libc6-dev`
  if (result.status !== 0) {
    rmSync(temporary, { force: true })
    const missing = /fatal error: (?:linux|sys|errno|std)\S*\.h/.test(result.stderr)
    if (missing)
      return 'the C library headers are missing: on Debian and Ubuntu, apt-get install libc6-dev linux-libc-dev'
    return `${command} failed:\n${result.stderr}`
  }
  renameSync(temporary, OUTPUT)
  writeFileSync(STAMP, wanted)
  console.log(`@typemetal/sockets: addon built for ${process.platform} ${process.arch}`)
  return undefined
}

function main() {
  if (process.platform !== 'linux') return
  if (installing && prebuildLoads()) return
  const problem = compile()
  if (problem === undefined) return
  console.error(`@typemetal/sockets: the native addon was not built: ${problem}`)
  process.exitCode = installing ? 0 : 1
}

main()
