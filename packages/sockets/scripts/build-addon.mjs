// Compiles the native addon for this machine, when that is needed, with nothing but a C compiler.
//
//   node scripts/build-addon.mjs            build unless build/Release is up to date; exit code 1 when that fails
//   node scripts/build-addon.mjs --install  what npm runs: take a prebuild when there is one that loads; never fails the
//                                           install of a dependant, since loading says later what is missing
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { compileAddon, FLAGS, PACKAGE, sources } from './compile-addon.mjs'

const OUTPUT = join(PACKAGE, 'build', 'Release', 'sockets.node')
const STAMP = join(PACKAGE, 'build', 'Release', 'sockets.stamp')
const require = createRequire(import.meta.url)
const installing = process.argv.includes('--install')

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
function build() {
  const command = process.env.CC ?? 'cc'
  const wanted = fingerprint(command)
  if (existsSync(OUTPUT) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return undefined
  const problem = compileAddon(command, OUTPUT)
  if (problem !== undefined) return problem
  writeFileSync(STAMP, wanted)
  console.log(`@typemetal/sockets: addon built for ${process.platform} ${process.arch}`)
  return undefined
}

function main() {
  if (process.platform !== 'linux') return
  if (installing && prebuildLoads()) return
  const problem = build()
  if (problem === undefined) return
  console.error(`@typemetal/sockets: the native addon was not built: ${problem}`)
  process.exitCode = installing ? 0 : 1
}

main()
