/** The addons of a release: what is in each file, and that the one for this machine works in every Node.js there is. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { readSharedObject } from './elf.js'
import { UNSHARE, whyNot } from './namespace.js'
import type { RoundResult } from './prebuild-round.js'

const PACKAGE = fileURLToPath(new URL('..', import.meta.url))
const ROUND = fileURLToPath(new URL('prebuild-round.js', import.meta.url))
const MACHINE = { x64: 62, arm64: 183 } as const
/** Node.js 20 wants this much itself. */
const OLDEST_GLIBC = 28
const folder = mkdtempSync(join(tmpdir(), 'typemetal-prebuilds-test-'))
const ours = `linux-${process.arch}`
// Alpine Linux is where the addon for musl is taken.
const libc = existsSync('/etc/alpine-release') ? 'musl' : 'glibc'

const run = (command: string, words: readonly string[], options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}) =>
  spawnSync(command, words, { encoding: 'utf8', timeout: 300_000, ...options })

/** What scripts/make-prebuilds.mjs said of each file. */
function build(): ReadonlyMap<string, string> {
  // What takes the net is for those who may install as well.
  const mayFetch = process.env['TYPEMETAL_NO_INSTALL'] !== '1' && run('apt-get', ['--version']).status === 0
  const words = ['scripts/make-prebuilds.mjs', '--out', folder, ...(mayFetch ? ['--fetch'] : [])]
  const { stdout, stderr, status } = run(process.execPath, words, { cwd: PACKAGE })
  if (status !== 0) throw new Error(`${stdout}${stderr}`)
  const lines = stdout.trim().split('\n')
  return new Map(lines.map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
}

/** The binary of a major version of Node.js: this one, or npm's; undefined when it cannot be had. */
function findNode(major: number): string | undefined {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  const words = ['-y', '--prefer-offline', '-p', `node@${major}`, 'node', '-p', 'process.execPath']
  const { status, stdout } = run('npx', words, { cwd: tmpdir() })
  return status === 0 ? stdout.trim() : undefined
}

function testFile(arch: keyof typeof MACHINE, libc: string): void {
  const name = `linux-${arch} ${libc}`
  t.test(`${name}: the right machine, and nothing that it does not find there`, async t => {
    const outcome = built.get(name) ?? ''
    if (outcome.startsWith('left out: ')) return t.pass(name, { skip: outcome })
    t.match(outcome, /^built, \d+ octets$/)
    const file = readSharedObject(readFileSync(join(folder, 'prebuilds', `linux-${arch}`, `sockets.${libc}.node`)))
    t.match(file, { machine: MACHINE[arch], type: 3 })
    t.ok(file.defined.includes('napi_register_module_v1'))
    t.ok(file.defined.includes('node_api_module_get_api_version_v1'))
    t.notOk(
      file.defined.some(symbol => symbol.startsWith('socket_')),
      'its own functions are its own',
    )
    const foreign = file.undefined.filter(symbol => !/^(napi|uv)_/.test(symbol))
    t.ok(foreign.includes('sendmmsg') && foreign.includes('__errno_location'))
    if (libc === 'glibc') {
      t.same(file.needed, ['libc.so.6'])
      for (const version of file.versions)
        t.ok(
          Number(/^GLIBC_2\.(\d+)/.exec(version)?.[1]) <= OLDEST_GLIBC,
          `${version} is in all that Node.js 20 runs on`,
        )
    } else {
      t.same(file.needed, [], 'the C library is there, whatever its name')
      t.same(file.versions, [])
      t.notOk(
        foreign.some(symbol => symbol.startsWith('__') && symbol !== '__errno_location'),
        String(foreign),
      )
    }
    return undefined
  })
}

/** A program on musl that dlopens the addon, with something behind every function of Node.js. */
const host = (symbols: readonly string[]): string => `
  #include <dlfcn.h>
  #include <stdio.h>
  ${symbols.map(symbol => `int ${symbol}(void) { return 0; }`).join('\n  ')}
  int main(int count, char **words) {
    void *addon = count > 1 ? dlopen(words[1], RTLD_NOW) : 0;
    puts(addon && dlsym(addon, "napi_register_module_v1") ? "loaded" : dlerror());
    return 0;
  }`

t.teardown(() => rmSync(folder, { recursive: true }))
t.setTimeout(900_000) // other versions of Node.js come by the net

const skip = process.platform !== 'linux' ? 'needs Linux' : run('gcc', ['--version']).status !== 0 ? 'needs gcc' : false
const built = skip ? new Map<string, string>() : build()
if (skip) t.pass('prebuilds', { skip })
else {
  t.equal(built.size, 4, 'says something of each')
  for (const arch of ['x64', 'arm64'] as const) for (const libc of ['glibc', 'musl']) testFile(arch, libc)

  const musl = join(folder, 'prebuilds', ours, 'sockets.musl.node')
  const needsMusl =
    run('musl-gcc', ['--version']).error || !existsSync(musl) ? 'needs musl-gcc (Debian package musl-tools)' : false
  t.test("musl's loader finds all that the addon for it needs", { skip: needsMusl }, async t => {
    const symbols = readSharedObject(readFileSync(musl)).undefined.filter(symbol => /^(napi|uv)_/.test(symbol))
    const source = join(folder, 'host.c')
    writeFileSync(source, host(symbols))
    const { stderr } = run('musl-gcc', ['-w', '-fno-builtin', '-rdynamic', '-o', join(folder, 'host'), source])
    t.equal(stderr, '')
    t.equal(run(join(folder, 'host'), [musl]).stdout, 'loaded\n')
  })

  for (const major of [20, 22, 24, 26]) {
    t.test(`Node.js ${major}: the prebuilt file is loaded, sends and receives`, async t => {
      const node = findNode(major)
      if (node === undefined) return t.pass('', { skip: `needs Node.js ${major}, or npm and the net to get it` })
      if (!existsSync(join(folder, 'prebuilds', ours))) return t.pass('', { skip: `no prebuild for ${ours}` })
      // Options that the test runner gives its own Node.js are not for another.
      const env = { ...process.env, NODE_OPTIONS: '', '@TYPEMETAL/SOCKETS_PREBUILD': folder }
      const reason = whyNot()
      const line = [...(reason ? [] : UNSHARE), node, ROUND]
      const { stdout, stderr } = run(line[0]!, line.slice(1), { env })
      t.equal(stderr, '')
      const expected: RoundResult = {
        node: String(major),
        udp: '1,2,3 7 1',
        tcp: 'pong',
        frames: reason ? 'EPERM' : 'heard',
        timer: 'rang',
        worker: 'open',
        watch: 'ended',
        routes: true,
        addon: `prebuilds/${ours}/sockets.${libc}.node`,
      }
      t.same(JSON.parse(stdout), expected)
      return undefined
    })
  }
}
