// Makes the prebuilt addons that go into the published package: npm run prebuilds -w @typemetal/sockets
//
//   --out DIR   where the folder prebuilds is made (this package's own)
//   --fetch     gets the headers of musl for the other processor from Debian, by apt-get into a folder that goes away: without it
//               that file is left out where they are not installed. Nothing is installed.
//
// One file per processor and C library serves Node.js 20 and later, since the addon is on Node-API 8. Each is made where its
// compiler is installed, and what is left out is said, with the reason. The names are those node-gyp-build looks for.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compileAddon, PACKAGE } from './compile-addon.mjs'

const { values } = parseArgs({ options: { out: { type: 'string', default: PACKAGE }, fetch: { type: 'boolean' } } })
const out = join(values.out, 'prebuilds')

/** What a release has. `kernel`: where the kernel's headers are, for compilers that are to see musl's instead of glibc's. */
const PROCESSORS = [
  {
    arch: 'x64',
    debian: 'amd64',
    triple: 'x86_64-linux',
    compilerPackage: 'gcc-x86-64-linux-gnu, or gcc on such a machine',
    kernel: ['/usr/include/x86_64-linux-gnu', '/usr/x86_64-linux-gnu/include', '/usr/include'],
  },
  {
    arch: 'arm64',
    debian: 'arm64',
    triple: 'aarch64-linux',
    compilerPackage: 'gcc-aarch64-linux-gnu',
    kernel: ['/usr/include/aarch64-linux-gnu', '/usr/aarch64-linux-gnu/include', '/usr/include'],
  },
]

const run = (command, words, options = {}) => spawnSync(command, words, { encoding: 'utf8', ...options })
const isThere = command => run(command, ['--version']).error === undefined
/** A folder that goes away with the process. */
const scratch = mkdtempSync(join(tmpdir(), 'typemetal-prebuilds-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))

/** The root of a file system that has musl for a processor, or why there is none. */
function findMusl({ debian, triple }) {
  const isIn = root => existsSync(join(root, 'usr', 'include', `${triple}-musl`, 'stdio.h'))
  if (isIn('/')) return { root: '/' }
  const name = `musl-dev:${debian}`
  const install = `dpkg --add-architecture ${debian} && apt-get update && apt-get install ${name}`
  if (!values.fetch) return { reason: `needs the Debian package ${name} (${install}), or --fetch` }
  const reason = fetchMusl(debian, join(scratch, debian))
  return reason === undefined ? { root: join(scratch, debian) } : { reason }
}

/** Unpacks musl-dev of another processor from Debian into a folder. @returns what went wrong */
function fetchMusl(debian, folder) {
  const lists = join(folder, 'lists')
  const archives = join(folder, 'archives')
  for (const path of [lists, archives]) mkdirSync(join(path, 'partial'), { recursive: true })
  const settings = [`APT::Architecture=${debian}`, `APT::Architectures=${debian}`, `Dir::State::lists=${lists}`]
  const apt = (...words) => {
    const flags = [...settings, `Dir::Cache=${folder}`, 'APT::Sandbox::User=root'].flatMap(setting => ['-o', setting])
    return run('apt-get', ['-qq', ...flags, ...words], { cwd: archives })
  }
  for (const words of [['update'], ['download', 'musl-dev']]) {
    const { error, status, stderr } = apt(...words)
    if (error || status !== 0) return `apt-get ${words.join(' ')} failed: ${error?.message ?? stderr.trim()}`
  }
  for (const name of readdirSync(archives).filter(name => name.endsWith('.deb'))) {
    const { status } = run('dpkg-deb', ['--extract', join(archives, name), folder])
    if (status !== 0) return `dpkg-deb --extract ${name} failed`
  }
  return undefined
}

/**
 * Headers of musl instead of the compiler's own. Its library is not linked: a Node.js that runs on musl has it already, under
 * whatever name the distribution gave it.
 */
function muslFlags({ triple, kernel }, root) {
  const include = join(root, 'usr', 'include', `${triple}-musl`)
  return [
    '-nostdinc',
    '-isystem',
    include,
    '-isystem',
    compilerHeaders(`${triple}-gnu-gcc`),
    ...kernel.filter(existsSync).flatMap(folder => ['-idirafter', folder]),
    '-nostdlib',
    '-lgcc',
  ]
}

const compilerHeaders = compiler => run(compiler, ['-print-file-name=include']).stdout.trim()

/** @returns what became of it */
function build(processor, libc) {
  const compiler = `${processor.triple}-gnu-gcc`
  if (!isThere(compiler)) return `left out: needs ${compiler} (Debian package ${processor.compilerPackage})`
  const flags = ['-s', '-Wl,--build-id=none']
  if (libc === 'musl') {
    const { root, reason } = findMusl(processor)
    if (root === undefined) return `left out: ${reason}`
    flags.push(...muslFlags(processor, root))
  }
  const output = join(out, `linux-${processor.arch}`, `sockets.${libc}.node`)
  const problem = compileAddon(compiler, output, flags)
  if (problem === undefined) return `built, ${statSync(output).size} octets`
  process.exitCode = 1
  return `failed: ${problem}`
}

if (process.platform !== 'linux') throw new Error('the addon is compiled on Linux')
rmSync(out, { recursive: true, force: true })
for (const processor of PROCESSORS)
  for (const libc of ['glibc', 'musl']) console.log(`linux-${processor.arch} ${libc}: ${build(processor, libc)}`)
