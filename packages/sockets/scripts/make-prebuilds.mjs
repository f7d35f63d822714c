// Makes the prebuilt addons that go into the published package: npm run prebuilds -w @typemetal/sockets
//
// One file per processor and C library serves Node.js 20 and later, since the addon is on Node-API 8. prebuildify runs
// node-gyp, which wants make and Python; the headers come from beside the node binary, so nothing is fetched.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGE = dirname(dirname(fileURLToPath(import.meta.url)))
const NODE = dirname(dirname(process.execPath))
const prebuildify = createRequire(import.meta.url).resolve('prebuildify/bin.js')

// musl-gcc sees only musl's own headers; those of the kernel come after them.
const MUSL = 'musl-gcc -idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu'

/** What a release has; each is made where its compiler is installed. */
const TARGETS = [
  { arch: 'x64', libc: 'glibc', tools: 'x86_64-linux-gnu-', debian: 'gcc' },
  { arch: 'arm64', libc: 'glibc', tools: 'aarch64-linux-gnu-', debian: 'gcc-aarch64-linux-gnu' },
  { arch: 'x64', libc: 'musl', tools: 'x86_64-linux-gnu-', compiler: MUSL, debian: 'musl-tools' },
]

const isThere = command => spawnSync(command.split(' ')[0], ['--version']).error === undefined

/** @returns what became of it */
function build({ arch, libc, tools, compiler = `${tools}gcc`, debian }) {
  if (!isThere(compiler)) return `left out, needs the Debian package ${debian}`
  const headers = existsSync(join(NODE, 'include', 'node', 'node_api.h')) ? { npm_config_nodedir: NODE } : {}
  // The addon is C alone, so that the C compiler links it, too.
  const env = {
    ...process.env,
    ...headers,
    CC: compiler,
    CXX: compiler,
    PREBUILD_STRIP_BIN: `${tools}strip`,
    PREBUILD_LIBC: libc,
  }
  const words = [prebuildify, '--napi', '--strip', '--tag-libc', '--arch', arch]
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: PACKAGE, env, encoding: 'utf8' })
  if (status === 0) return 'built'
  process.exitCode = 1
  return `failed\n${stderr}`
}

if (process.platform !== 'linux') throw new Error('the addon is compiled on Linux')
for (const target of TARGETS) console.log(`linux-${target.arch} ${target.libc}: ${build(target)}`)
// prebuildify has emptied build/, which is what this work tree runs on.
spawnSync(process.execPath, [join(PACKAGE, 'scripts', 'build-addon.mjs')], { stdio: 'inherit' })
