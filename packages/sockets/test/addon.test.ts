import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { UNSHARE, whyNot } from './namespace.js'

const PACKAGE = fileURLToPath(new URL('..', import.meta.url))
const ADDON = join(PACKAGE, 'addon')
const SOURCES = readdirSync(ADDON)
  .filter(name => name.endsWith('.c'))
  .map(name => join(ADDON, name))
const NODE_HEADERS = join(dirname(dirname(process.execPath)), 'include', 'node')
const API_HEADERS = (createRequire(import.meta.url)('node-api-headers') as { include_dir: string }).include_dir

const run = (command: string, words: readonly string[], options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}) =>
  spawnSync(command, words, { encoding: 'utf8', timeout: 60_000, ...options })

const hasCompiler = process.platform === 'linux' && run('cc', ['--version']).status === 0
const needsCompiler = { skip: hasCompiler ? false : 'needs a C compiler on Linux (Debian packages gcc, libc6-dev)' }

t.setTimeout(120_000) // compilers on a busy machine

t.test('the C is warning-free', needsCompiler, async t => {
  const flags = ['-std=gnu11', '-fsyntax-only', '-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Werror']
  const { status, stderr } = run('cc', [...flags, `-I${API_HEADERS}`, ...SOURCES])
  t.equal(stderr, '')
  t.equal(status, 0)
})

const needsUv = existsSync(join(NODE_HEADERS, 'uv.h')) ? needsCompiler : { skip: 'needs the uv.h of Node.js' }
t.test('addon/libuv.h agrees with libuv', needsUv, async t => {
  const words = ['-std=gnu11', '-fsyntax-only', `-I${NODE_HEADERS}`, join(PACKAGE, 'test', 'abi.c')]
  t.equal(run('cc', words).stderr, '')
})

t.test('importing loads no addon; using it where there is none says so', async t => {
  const script = `
    const sockets = await import('@typemetal/sockets')
    Object.defineProperty(process, 'platform', { value: process.argv[1] })
    Object.defineProperty(process, 'arch', { value: process.argv[2] })
    try { sockets.listLinks() } catch (error) { console.log(error.name, error.code, error.message) }`
  const onSystem = (platform: string, arch: string): string => {
    const env = { ...process.env, '@TYPEMETAL/SOCKETS_PREBUILD': '/nowhere' } // where node-gyp-build is to look
    return run(process.execPath, ['--input-type=module', '-e', script, platform, arch], { env, cwd: PACKAGE }).stdout
  }
  t.match(onSystem('darwin', 'arm64'), /^SocketError ENOSYS .*Linux only, and this is darwin/)
  t.match(onSystem('linux', 'arm'), /^SocketError ENOSYS .*64-bit systems only, and this is arm/)
  t.match(
    onSystem('linux', 'x64'),
    /^SocketError ENOSYS .*not built: run node \/.*scripts\/build-addon.mjs, which needs a C compiler/,
  )
})

/** A copy of what npm would install, in a folder that goes away with the test. */
function copyPackage(t: { teardown(handler: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'typemetal-sockets-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const name of ['addon', 'scripts', 'package.json'])
    cpSync(join(PACKAGE, name), join(folder, name), { recursive: true })
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

const needsBoth = { skip: needsCompiler.skip || (whyNot() ?? false) }
const exercise = `
  import { connectTcp, DeadlineTimer, ETH_P_ALL, Icmpv6Socket, LinkMonitor, listenTcp, listLinks, PacketSocket, RawIpSocket, UdpSocket } from '@typemetal/sockets'
  import { spawnSync } from 'node:child_process'
  spawnSync('ip', ['link', 'set', 'lo', 'up'], { env: { PATH: process.env.PATH } })
  const { index } = listLinks().find(link => link.name === 'lo')
  let frames = 0, packets = 0
  for (let round = 0; round < 20; round++) {
    const socket = new PacketSocket({ interfaceIndex: index, etherType: ETH_P_ALL, onFrames: batch => { frames += batch.length } })
    const icmp = new Icmpv6Socket({ interfaceIndex: index, types: [128, 129], onPackets: batch => { packets += batch.length } })
    const udp = new UdpSocket({ address: '127.0.0.1', port: 0, onPackets: batch => { packets += batch.length } })
    const monitor = new LinkMonitor({ onChange() {} })
    socket.sendBatch(Array.from({ length: 100 }, () => new Uint8Array(60)))
    for (let i = 0; i < 100; i++) udp.send(new Uint8Array(i), '127.0.0.1', udp.port)
    udp.drain(4)
    const timer = new DeadlineTimer(() => timer.close())
    timer.set(timer.now() + 100)
    const raw = new RawIpSocket({ family: 4 })
    raw.sendTo(new Uint8Array(20), raw.nextHop('127.0.0.1'))
    raw.close()
    icmp.send(Uint8Array.of(128, 0, 0, 0, 0, 0, 0, 0), '::1')
    const server = await listenTcp({ port: 0, md5Keys: [{ address: '127.0.0.1', key: 'secret' }] })
    const { port } = server.address()
    ;(await connectTcp({ address: '127.0.0.1', port, md5Key: 'secret' })).destroy()
    await connectTcp({ address: '127.0.0.1', port: 1 }).catch(() => {})
    server.close()
    for (const closable of round % 2 ? [socket, icmp, udp, monitor] : [udp, monitor]) closable.close()
  }
  console.log(frames > 0 && packets > 0 ? 'exercised' : 'nothing came')
  process.exit()`

t.test('AddressSanitizer and UndefinedBehaviorSanitizer find nothing', needsBoth, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'typemetal-asan-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const release = join(folder, 'build', 'Release')
  mkdirSync(release, { recursive: true })
  const compile = [
    '-std=gnu11',
    '-g',
    '-O1',
    '-fPIC',
    '-shared',
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover',
  ]
  const { status } = run('cc', [...compile, `-I${API_HEADERS}`, '-o', join(release, 'sockets.node'), ...SOURCES])
  if (status !== 0) return t.pass('sanitizers', { skip: 'needs a compiler with sanitizers (gcc with libasan)' })
  const [command = '', ...flags] = UNSHARE
  const library = run('cc', ['-print-file-name=libasan.so']).stdout.trim()
  const env = {
    ...process.env,
    LD_PRELOAD: library,
    ASAN_OPTIONS: 'detect_leaks=0', // Node.js itself leaves memory to the end of the process
    '@TYPEMETAL/SOCKETS_PREBUILD': folder,
  }
  const result = run(command, [...flags, process.execPath, '--input-type=module', '-e', exercise], {
    env,
    cwd: PACKAGE,
  })
  t.equal(result.stderr, '')
  t.equal(result.stdout, 'exercised\n')
  return t.equal(result.status, 0)
})
