import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { connectTcp, ETH_P_ARP, Icmpv6Socket, listenTcp, listLinks, PacketSocket } from '@typemetal/sockets'
import { arpFrame } from './frame-samples.js'
import { addIpv6, enterNamespace, indexOf, ip, makePair, until } from './namespace.js'
import type { Callback, WorkerData } from './receiving-worker.js'

const CALLBACKS: readonly Callback[] = ['frames', 'icmpv6', 'udp', 'rtnetlink', 'links', 'timer']

const openDescriptors = (): number => readdirSync('/proc/self/fd').length

/** Starts a worker with sockets on an interface; resolves when they are open. */
async function startWorker(interfaceIndex: number, spinIn?: Callback): Promise<{ worker: Worker; heard: Int32Array }> {
  const heard = new Int32Array(new SharedArrayBuffer(4))
  const workerData: WorkerData = { interfaceIndex, heard, ...(spinIn === undefined ? {} : { spinIn }) }
  const worker = new Worker(new URL('./receiving-worker.js', import.meta.url), { workerData })
  await once(worker, 'message')
  return { worker, heard }
}

/**
 * Terminates a worker while something comes; with `spinIn` it is certainly inside that callback.
 *
 * @returns how often it was called
 */
async function terminateMidReceive(interfaceIndex: number, spinIn?: Callback): Promise<number> {
  const { worker, heard } = await startWorker(interfaceIndex, spinIn)
  await until(() => Atomics.load(heard, 0) > 0)
  await worker.terminate()
  return Atomics.load(heard, 0)
}

/** Makes something happen to every socket of a worker again and again. */
function disturb(interfaceIndex: number): Disposable {
  const sender = new PacketSocket({ interfaceIndex, etherType: ETH_P_ARP, onFrames: () => undefined })
  const icmp = new Icmpv6Socket({ interfaceIndex, types: [], onPackets: () => undefined })
  const frames = Array.from({ length: 16 }, () => arpFrame('10.0.0.1'))
  let round = 0
  const timer = setInterval(() => {
    sender.sendBatch(frames)
    icmp.send(Uint8Array.of(135, ...new Uint8Array(23)), 'ff02::1')
    if (round++ % 8 === 0) ip(`link set dev va mtu ${1400 + (round % 16)}`)
    if (round % 8 === 4) ip(`address replace 10.78.${round & 255}.1/32 dev va`)
  }, 3)
  return {
    [Symbol.dispose]() {
      clearInterval(timer)
      sender.close()
      icmp.close()
    },
  }
}

async function testThreads(): Promise<void> {
  makePair('va', 'vb')
  const va = indexOf(listLinks(), 'va')
  const vb = indexOf(listLinks(), 'vb')
  ip('address add 10.77.0.1/24 dev va')
  ip('neighbor add 10.77.0.2 lladdr 02:00:00:00:00:99 dev va')

  await t.test('workers terminated mid-receive leave no descriptor behind', async t => {
    await addIpv6('fe80::a', 'va')
    const disturbance = disturb(va)
    await terminateMidReceive(vb)
    const before = openDescriptors()
    t.ok((await terminateMidReceive(vb)) > 0)
    for (const callback of CALLBACKS) t.equal(await terminateMidReceive(vb, callback), 1, `inside ${callback}`)
    disturbance[Symbol.dispose]()
    await until(() => openDescriptors() <= before)
    t.ok(openDescriptors() <= before, `${openDescriptors()} descriptors, ${before} before`)
  })

  await t.test('a worker hears frames while the main thread is blocked', async t => {
    const { worker, heard } = await startWorker(vb)
    using sender = new PacketSocket({ interfaceIndex: va, etherType: ETH_P_ARP, onFrames: () => undefined })
    sender.send(arpFrame('10.0.0.1'))
    t.not(Atomics.wait(heard, 0, 0, 60_000), 'timed-out')
    t.equal(Atomics.load(heard, 0), 1)
    await worker.terminate()
  })

  await t.test('failing to open or to connect leaves no descriptor behind', async t => {
    const before = openDescriptors()
    for (let round = 0; round < 10; round++) {
      t.throws(() => new PacketSocket({ interfaceIndex: 9999, etherType: ETH_P_ARP, onFrames: () => undefined }))
      await t.rejects(connectTcp({ address: '127.0.0.1', port: 1 }))
      await t.rejects(listenTcp({ address: '10.9.9.9', port: 0 }))
      await t.rejects(connectTcp({ address: '127.0.0.1', port: 1, signal: AbortSignal.abort() }))
    }
    await until(() => openDescriptors() <= before)
    t.ok(openDescriptors() <= before)
  })

  await t.test('a process that ends with sockets open ends at once, code 0', async t => {
    const script = `
      import { LinkMonitor, PacketSocket, listLinks } from '@typemetal/sockets'
      const { index } = listLinks().find(link => link.name === 'vb')
      new PacketSocket({ interfaceIndex: index, etherType: 3, onFrames() {} })
      new LinkMonitor({ onChange() {} })
      process.exit()`
    const { status, stderr } = run(process.execPath, ['--input-type=module', '-e', script])
    t.same({ status, stderr }, { status: 0, stderr: '' })
  })

  const skip = run('setpriv', ['--version']).status === 0 ? false : 'needs setpriv (Debian package util-linux)'
  await t.test('without CAP_NET_RAW: one message that says what is needed', { skip }, async t => {
    const script = `
      import { Icmpv6Socket, listLinks, LinkMonitor, listenTcp, PacketSocket } from '@typemetal/sockets'
      const tell = error => console.log(JSON.stringify({ name: error.name, code: error.code, syscall: error.syscall, errno: error.errno, message: error.message }))
      const interfaceIndex = ${vb}
      try { new PacketSocket({ interfaceIndex, etherType: 0x806, onFrames() {} }) } catch (error) { tell(error) }
      try { new Icmpv6Socket({ interfaceIndex, types: [], onPackets() {} }) } catch (error) { tell(error) }
      await listenTcp({ address: '127.0.0.1', port: 179 }).catch(tell)
      new LinkMonitor({ onChange() {} }).close()
      console.log(JSON.stringify({ links: listLinks().length > 0 }))`
    const drop = ['--bounding-set=-all', '--inh-caps=-all']
    const { stdout, stderr } = run('setpriv', [...drop, process.execPath, '--input-type=module', '-e', script])
    t.equal(stderr, '')
    const [packet, icmp, low, rest] = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as object)
    const eperm = {
      name: 'SocketError',
      code: 'EPERM',
      syscall: 'socket',
      errno: 1,
      message: /needs CAP_NET_RAW: run as root/,
    }
    t.match(packet, eperm)
    t.match(packet, { message: /^socket AF_PACKET: EPERM operation not permitted: / })
    t.match(icmp, eperm)
    t.match(low, { code: 'EACCES', syscall: 'bind', message: /127\.0\.0\.1:179.*CAP_NET_BIND_SERVICE/ })
    t.same(rest, { links: true }, 'listing and watching interfaces need no privilege')
  })
}

function run(command: string, flags: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(command, flags, {
    encoding: 'utf8',
    timeout: 300_000,
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  })
}

if (await enterNamespace(import.meta.url)) await testThreads()
