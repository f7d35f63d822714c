/** The addon under AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { UNSHARE, whyNot } from './namespace.js'

const PACKAGE = fileURLToPath(new URL('..', import.meta.url))
const ADDON = join(PACKAGE, 'addon')
const SOURCES = readdirSync(ADDON)
  .filter(name => name.endsWith('.c'))
  .map(name => join(ADDON, name))
const API_HEADERS = (createRequire(import.meta.url)('node-api-headers') as { include_dir: string }).include_dir

const run = (command: string, words: readonly string[], options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}) =>
  spawnSync(command, words, { encoding: 'utf8', timeout: 300_000, ...options })

const hasCompiler = process.platform === 'linux' && run('cc', ['--version']).status === 0
const needsCompiler = { skip: hasCompiler ? false : 'needs a C compiler on Linux (Debian packages gcc, libc6-dev)' }

t.setTimeout(900_000) // compilers on a busy machine

const needsBoth = { skip: needsCompiler.skip || (whyNot() ?? false) }
/** Every call of the addon with arguments that are none: none may do more than throw or return an error. */
const misuse = `
  const addon = createRequire(process.cwd() + '/x.js')('node-gyp-build')(process.cwd())
  const odd = [undefined, null, -1, 0, 1e9, 2 ** 40, NaN, 1.5, 'text', {}, [], [1], [new Uint8Array(1)], new Array(65), new Array(64).fill(new Uint8Array(0)),
    new Uint8Array(0), new Uint8Array(3), new Uint8Array(70_000), new Uint32Array(0), new Uint32Array(4), new Uint32Array(1024), new Float64Array(2), () => {},
    new Uint8Array(new SharedArrayBuffer(8)), (() => { const gone = new Uint8Array(8); structuredClone(gone, { transfer: [gone.buffer] }); return gone })()]
  let seed = 7
  const pick = () => odd[(seed = (seed * 1103515245 + 12345) % 2147483648) % odd.length]
  for (const name of Object.keys(addon)) {
    if (name === 'setRealTime') continue
    for (let round = 0; round < 400; round++) {
      const words = Array.from({ length: round % 7 }, pick)
      if (typeof words[0] === 'number' && words[0] >= 0 && words[0] < 3) words[0] = -1 // standard input and output stay
      try { const result = addon[name](...words); if (name.startsWith('open') && result >= 0) addon.close(result) } catch (error) { if (!/^ERR_/.test(error.code)) throw error }
    }
  }
  // A real socket, and odd octets for everything that is asked of it.
  for (let round = 0; round < 500; round++) {
    const descriptor = addon.open(round % 2 ? 2 : 10, round % 3 ? 2 : 1, 0)
    const size = round % 300
    const octets = new Uint8Array(size)
    addon.bind(descriptor, octets)
    addon.connect(descriptor, octets)
    addon.name(descriptor, octets)
    addon.getOption(descriptor, round % 60, round % 70, octets)
    addon.setOption(descriptor, round % 60, round % 70, octets)
    addon.attachFilter(descriptor, octets)
    addon.listen(descriptor, round)
    addon.send(descriptor, Array.from({ length: round % 65 }, () => octets), octets, octets)
    try { addon.receive(descriptor, octets, round % 40, round % 30, round % 20, new Uint32Array(round % 300)) } catch (error) { if (error.code !== 'ERR_OUT_OF_RANGE') throw error }
    addon.setTimer(descriptor, 1, 1)
    addon.readTimer(descriptor)
    const callback = () => { addon.unwatch(descriptor); addon.watch(descriptor, 1, callback); if (round % 2) addon.close(descriptor) }
    addon.watch(descriptor, 3, callback)
    addon.watch(descriptor, 1, callback)
    addon.rewatch(descriptor, 1 + (round % 3))
    addon.rewatch(descriptor, 2)
    if (round % 5 === 0) { addon.unwatch(descriptor); addon.unwatch(descriptor); addon.rewatch(descriptor, 1) }
    if (round % 7 === 0) await new Promise(resolve => setImmediate(resolve))
    if (addon.close(descriptor) === 0 && addon.close(descriptor) !== -9) throw new Error('closed twice')
  }`

/** Every kind of socket, used, watched and closed, in this thread and in one that is terminated. */
const exercise = `
  import { createRequire } from 'node:module'
  import { Worker } from 'node:worker_threads'
  import { connectTcp, DeadlineTimer, ETH_P_ALL, Icmpv6Socket, LinkMonitor, listAddresses, listenTcp, listLinks, listNeighbors, listRoutes, makeThreadRealTime,
    PacketSocket, RawIpSocket, readRtnetlink, RtnetlinkMonitor, setTcpOptions, synTtl, UdpSocket, watchRtnetlink } from '@typemetal/sockets'
  import { assemble, bpf } from '@typemetal/sockets/bpf'
  import { spawnSync } from 'node:child_process'
  const ip = line => spawnSync('ip', line.split(' '), { env: { PATH: process.env.PATH } })
  ip('link set lo up')
  ip('link add name va type veth peer name vb')
  ip('link set va up'); ip('link set vb up')
  const { index } = listLinks().find(link => link.name === 'lo')
  const va = listLinks().find(link => link.name === 'va').index
  let frames = 0, packets = 0, changes = 0
  const ignore = () => {}
  for (let round = 0; round < 20; round++) {
    const socket = new PacketSocket({ interfaceIndex: index, etherType: ETH_P_ALL, promiscuous: true, allMulticast: true, sendBuffer: 10_000, receiveBuffer: 100_000,
      filter: assemble([bpf.accept()]), onFrames: batch => { frames += batch.length }, onWritable: ignore })
    const pair = new PacketSocket({ interfaceIndex: va, etherType: ETH_P_ALL, onFrames: ignore })
    const icmp = new Icmpv6Socket({ interfaceIndex: index, types: [128, 129], onPackets: batch => { packets += batch.length } })
    const udp = new UdpSocket({ address: '127.0.0.1', port: 0, dataSpace: 50, onPackets: batch => { packets += batch.length } })
    const monitor = new LinkMonitor({ onChange: listLinks })
    const rtnetlink = new RtnetlinkMonitor({ kinds: ['link', 'address', 'neighbor', 'route'], receiveBuffer: 4096, onChanges: ({ length }) => { changes += length }, onLost: ignore })
    const watch = watchRtnetlink({ kinds: ['address'] })
    ip(\`address add 10.0.0.\${round}/32 dev va\`)
    listRoutes(); listAddresses(); listNeighbors()
    for (const _ of readRtnetlink('route')) break
    socket.sendBatch(Array.from({ length: 100 }, () => new Uint8Array(60)))
    socket.joinGroup(new Uint8Array(6)); socket.leaveGroup(new Uint8Array(6))
    const waits = [socket.writable(), pair.writable(), icmp.writable(), udp.writable()]
    for (let i = 0; i < 100; i++) udp.send(new Uint8Array(i), '127.0.0.1', udp.port)
    udp.drain(4); udp.drops(); udp.setFilter(assemble([bpf.drop()])); udp.setFilter(undefined); socket.statistics()
    const timer = new DeadlineTimer(() => timer.close())
    timer.set(timer.now() + 100)
    new DeadlineTimer(ignore).set(Infinity)
    const raw = new RawIpSocket({ family: 4 })
    raw.sendTo(new Uint8Array(20), raw.nextHop('127.0.0.1'))
    raw.close()
    icmp.send(Uint8Array.of(128, 0, 0, 0, 0, 0, 0, 0), '::1')
    icmp.send(Uint8Array.of(128, 0, 0, 0, 0, 0, 0, 0), '::1', { hopLimit: 3, source: '::1' })
    icmp.joinGroup('ff02::7'); icmp.leaveGroup('ff02::7')
    if (round % 3 === 0) await Promise.all(waits)
    else for (const wait of waits) wait.catch(ignore)
    const server = await listenTcp({ port: 0, saveSyn: true, md5Keys: [{ address: '127.0.0.1', key: 'secret' }] })
    server.on('connection', accepted => { synTtl(accepted); accepted.on('error', ignore) })
    const { port } = server.address()
    const client = await connectTcp({ address: '127.0.0.1', port, md5Key: 'secret', ttl: 5 })
    setTcpOptions(client, { ttl: 6, md5Key: 'other' })
    client.destroy()
    await connectTcp({ address: '127.0.0.1', port: 1 }).catch(ignore)
    const pending = connectTcp({ address: '10.9.9.9', port: 1, signal: AbortSignal.timeout(1) }).catch(ignore)
    if (round % 2) await pending
    server.close()
    if (round % 4 === 0) await watch.return()
    if (round === 10) { ip('link delete vb'); ip('link add name va index ' + va + ' type veth peer name vb') }
    for (const closable of round % 2 ? [socket, pair, icmp, udp, monitor, rtnetlink] : [udp, monitor]) closable.close()
  }
  makeThreadRealTime()
  for (let round = 0; round < 6; round++) {
    const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(process.env.WORKER)))
    await new Promise(resolve => worker.once('message', resolve))
    if (round % 2) await new Promise(resolve => setTimeout(resolve, 5 * round))
    await worker.terminate()
  }
  ${misuse}
  console.log(frames > 0 && packets > 0 && changes > 0 ? 'exercised' : 'nothing came')
  process.exit()`

/** Opens one of each in a thread that does not live to close them, with its callbacks running. */
const WORKER = `
  import { parentPort } from 'node:worker_threads'
  const { DeadlineTimer, ETH_P_ALL, listLinks, PacketSocket, RtnetlinkMonitor, UdpSocket, watchRtnetlink } = await import('SOCKETS')
  const { index } = listLinks().find(link => link.name === 'lo')
  const udp = new UdpSocket({ address: '127.0.0.1', port: 0, onPackets() { udp.send(new Uint8Array(9), '127.0.0.1', udp.port) } })
  udp.send(new Uint8Array(9), '127.0.0.1', udp.port)
  const timer = new DeadlineTimer(() => timer.set(timer.now() + 10))
  timer.set(timer.now())
  globalThis.kept = [timer, new PacketSocket({ interfaceIndex: index, etherType: ETH_P_ALL, onFrames() { kept.closed?.close(); kept.closed = new UdpSocket({ address: '127.0.0.1', port: 0, onPackets() {} }) } }),
    new RtnetlinkMonitor({ kinds: ['link'], onChanges() {}, onLost() {} }), watchRtnetlink({ kinds: ['route'] }).next()]
  parentPort.postMessage('open')`

/** Opens, watches and closes much, in a thread that ends as well: what is not freed was allocated once too often. */
const turnover = `
  import { spawnSync } from 'node:child_process'
  import { Worker } from 'node:worker_threads'
  import { DeadlineTimer, UdpSocket, watchRtnetlink } from '@typemetal/sockets'
  spawnSync('ip', ['link', 'set', 'lo', 'up'], { env: { PATH: process.env.PATH } })
  for (let round = 0; round < 200; round++) {
    const socket = new UdpSocket({ address: '127.0.0.1', port: 0, onPackets() {} })
    const timer = new DeadlineTimer(() => {})
    const watch = watchRtnetlink({ kinds: ['link'] })
    await socket.writable()
    for (const closable of [socket, timer]) closable.close()
    await watch.return()
  }
  for (let round = 0; round < 3; round++) {
    const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(process.env.WORKER)))
    await new Promise(resolve => worker.once('message', resolve))
    await worker.terminate()
  }
  console.log('turned over')`

/** Runs a script in a namespace of its own with an addon that sanitizers watch. */
function runSanitized(addon: string, script: string, asan: string): ReturnType<typeof run> {
  const [command = '', ...flags] = UNSHARE
  const env = {
    ...process.env,
    LD_PRELOAD: run('cc', ['-print-file-name=libasan.so']).stdout.trim(),
    ASAN_OPTIONS: asan,
    LSAN_OPTIONS: 'exitcode=0',
    '@TYPEMETAL/SOCKETS_PREBUILD': addon,
    WORKER: WORKER.replace('SOCKETS', import.meta.resolve('@typemetal/sockets')),
  }
  return run(command, [...flags, process.execPath, '--input-type=module', '-e', script], { env, cwd: PACKAGE })
}

/** Compiles the addon with sanitizers. @returns undefined where the compiler has none */
function buildSanitized(t: { teardown(handler: () => void): void }): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'typemetal-asan-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const release = join(folder, 'build', 'Release')
  mkdirSync(release, { recursive: true })
  const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover', '-fno-omit-frame-pointer']
  const flags = ['-std=gnu11', '-g', '-O1', '-fPIC', '-shared', ...sanitizers, `-I${API_HEADERS}`]
  const { status } = run('cc', [...flags, '-o', join(release, 'sockets.node'), ...SOURCES])
  return status === 0 ? folder : undefined
}

t.test('AddressSanitizer and UndefinedBehaviorSanitizer find nothing', needsBoth, async t => {
  const addon = buildSanitized(t)
  if (addon === undefined) return t.pass('sanitizers', { skip: 'needs a compiler with sanitizers (gcc with libasan)' })
  const { status, stdout, stderr } = runSanitized(addon, exercise, 'detect_leaks=0')
  t.equal(stderr, '')
  t.equal(stdout, 'exercised\n')
  return t.equal(status, 0)
})

t.test('LeakSanitizer finds nothing that the addon allocated', needsBoth, async t => {
  const addon = buildSanitized(t)
  if (addon === undefined) return t.pass('sanitizers', { skip: 'needs a compiler with sanitizers (gcc with libasan)' })
  const { stdout, stderr } = runSanitized(addon, turnover, 'detect_leaks=1:symbolize=0')
  if (/fatal error/.test(stderr)) return t.pass('leaks', { skip: 'LeakSanitizer may not trace processes here' })
  t.match(stdout, /turned over/)
  // Node.js itself leaves memory to the end of the process: frame 1 is who called malloc.
  return t.same(/^ +#1 .*sockets\.node.*$/m.exec(stderr), null)
})
