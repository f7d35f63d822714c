import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const PACKAGE = fileURLToPath(new URL('..', import.meta.url))
const ADDON = join(PACKAGE, 'addon')
const SOURCES = readdirSync(ADDON)
  .filter(name => name.endsWith('.c'))
  .map(name => join(ADDON, name))
const NODE_HEADERS = join(dirname(dirname(process.execPath)), 'include', 'node')
const API_HEADERS = (createRequire(import.meta.url)('node-api-headers') as { include_dir: string }).include_dir

const run = (command: string, words: readonly string[], options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}) =>
  spawnSync(command, words, { encoding: 'utf8', timeout: 300_000, ...options })

const hasCompiler = process.platform === 'linux' && run('cc', ['--version']).status === 0
const needsCompiler = { skip: hasCompiler ? false : 'needs a C compiler on Linux (Debian packages gcc, libc6-dev)' }

t.setTimeout(900_000) // compilers on a busy machine

for (const compiler of ['gcc', 'clang']) {
  const skip = needsCompiler.skip || (run(compiler, ['--version']).status === 0 ? false : `needs ${compiler}`)
  t.test(`the C is warning-free: ${compiler}`, { skip }, async t => {
    const flags = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow', '-Werror']
    const { status, stderr } = run(compiler, [
      ...flags,
      '-shared',
      '-fPIC',
      '-o',
      '/dev/null',
      `-I${API_HEADERS}`,
      ...SOURCES,
    ])
    t.equal(stderr, '')
    t.equal(status, 0)
  })
}

t.test('the C is small', async t => {
  const lines = SOURCES.map(file => readFileSync(file, 'utf8').split('\n').length)
  t.ok(lines.reduce((sum, count) => sum + count, 0) < 1000)
  t.ok(Math.max(...lines) < 200)
})

const needsUv = existsSync(join(NODE_HEADERS, 'uv.h')) ? needsCompiler : { skip: 'needs the uv.h of Node.js' }
t.test('addon/libuv.h agrees with libuv', needsUv, async t => {
  const words = ['-std=gnu11', '-fsyntax-only', `-I${NODE_HEADERS}`, join(PACKAGE, 'test', 'abi.c')]
  t.equal(run('cc', words).stderr, '')
})

/** Everything that makes a system call, by what it takes to call it. */
const OPENERS = `{
    PacketSocket: () => new sockets.PacketSocket({ interfaceIndex: 1, etherType: 3, onFrames() {} }),
    Icmpv6Socket: () => new sockets.Icmpv6Socket({ interfaceIndex: 1, types: [135], onPackets() {} }),
    UdpSocket: () => new sockets.UdpSocket({ address: '127.0.0.1', port: 0, onPackets() {} }),
    RawIpSocket: () => new sockets.RawIpSocket({ family: 4 }),
    TcpSocket: () => new sockets.TcpSocket(6),
    connectTcp: () => sockets.connectTcp({ address: '127.0.0.1', port: 1 }),
    listenTcp: () => sockets.listenTcp({ port: 0 }),
    DeadlineTimer: () => new sockets.DeadlineTimer(() => {}),
    makeThreadRealTime: () => sockets.makeThreadRealTime(),
    LinkMonitor: () => new sockets.LinkMonitor({ onChange() {} }),
    RtnetlinkMonitor: () => new sockets.RtnetlinkMonitor({ kinds: ['link'], onChanges() {}, onLost() {} }),
    watchRtnetlink: () => sockets.watchRtnetlink({ kinds: ['link'] }),
    readRtnetlink: () => sockets.readRtnetlink('route').next(),
    listLinks: () => sockets.listLinks(),
    listAddresses: () => sockets.listAddresses(),
    listNeighbors: () => sockets.listNeighbors(),
    listRoutes: () => sockets.listRoutes(),
  }`

t.test('importing loads no addon and works everywhere; opening where there is none says so', async t => {
  const script = `
    Object.defineProperty(process, 'platform', { value: process.argv[1] })
    Object.defineProperty(process, 'arch', { value: process.argv[2] })
    const sockets = await import('@typemetal/sockets')
    await import('@typemetal/sockets/bpf')
    await import('@typemetal/sockets/wire')
    for (const [name, open] of Object.entries(${OPENERS})) {
      try { await open(); console.log(name, 'opened') } catch (error) { console.log(name, error.name, error.code, error.syscall, error.message) }
    }`
  const onSystem = (platform: string, arch: string): string[] => {
    const env = { ...process.env, '@TYPEMETAL/SOCKETS_PREBUILD': '/nowhere' } // where node-gyp-build is to look
    const words = ['--input-type=module', '-e', script, platform, arch]
    const { stdout, stderr } = run(process.execPath, words, { env, cwd: PACKAGE })
    t.equal(stderr, '')
    return stdout.trim().split('\n')
  }
  const notBuilt = 'not built: run node /.*scripts/build-addon.mjs, which needs a C compiler'
  for (const { platform, arch, message } of [
    { platform: 'darwin', arch: 'arm64', message: 'Linux only, and this is darwin' },
    { platform: 'win32', arch: 'x64', message: 'Linux only, and this is win32' },
    { platform: 'freebsd', arch: 'x64', message: 'Linux only, and this is freebsd' },
    { platform: 'linux', arch: 'arm', message: '64-bit systems only, and this is arm' },
    { platform: 'linux', arch: 'x64', message: notBuilt },
  ]) {
    const lines = onSystem(platform, arch)
    t.ok(lines.length > 15)
    for (const line of lines)
      t.match(line, new RegExp(`^\\w+ SocketError ENOSYS dlopen @typemetal/sockets: .*${message}`), platform)
  }
})

/** A copy of what npm would install, in a folder that goes away with the test. */
function copyPackage(t: { teardown(handler: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'typemetal-sockets-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const { files } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { files: readonly string[] }
  const needed = files.filter(name => /^(addon|scripts)/.test(name))
  for (const name of [...needed, 'package.json']) cpSync(join(PACKAGE, name), join(folder, name), { recursive: true })
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  for (const name of ['node-api-headers', 'node-gyp-build'])
    cpSync(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), join(modules, name), {
      recursive: true,
    })
  return folder
}

t.test('scripts/build-addon.mjs: builds once, and again when a source changed', needsCompiler, async t => {
  const folder = copyPackage(t)
  const output = join(folder, 'build', 'Release', 'sockets.node')
  const build = (...words: string[]) => run(process.execPath, [join(folder, 'scripts', 'build-addon.mjs'), ...words])
  t.match(build(), { status: 0, stdout: /addon built/ })
  const first = statSync(output).mtimeMs
  t.match(build(), { status: 0, stdout: '' })
  t.equal(statSync(output).mtimeMs, first, 'nothing to do')
  writeFileSync(join(folder, 'addon', 'more.c'), '/* nothing */ typedef int nothing;\n')
  t.match(build('--install'), { status: 0, stdout: /addon built/ })
  t.not(statSync(output).mtimeMs, first)
  writeFileSync(join(folder, 'addon', 'more.c'), 'int broken(\n')
  t.match(build(), { status: 1, stderr: /cc failed/ })
  t.equal(existsSync(output), true, 'the last good one stays')
})

t.test('scripts/build-addon.mjs: no compiler, no failed install; one line says what is missing', async t => {
  if (process.platform !== 'linux') return
  const folder = copyPackage(t)
  const env = { ...process.env, CC: 'no-such-compiler' }
  const build = (...words: string[]) =>
    run(process.execPath, [join(folder, 'scripts', 'build-addon.mjs'), ...words], { env })
  const line = /^@typemetal\/sockets: the native addon was not built: no C compiler .*apt-get install gcc libc6-dev\n$/
  t.match(build('--install'), { status: 0, stderr: line })
  t.match(build(), { status: 1, stderr: line })
})
