/** The main thread's handle. Every interface is excluded, so it needs no privilege and touches no network. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import t from 'tap'
import { Layer2, resolve } from '@typemetal/arp-ndp'

const NOTHING = { excludeInterfaces: [''] }
const LINUX_ONLY = process.platform !== 'linux' && 'needs Linux'

t.test('start, ask, close', { skip: LINUX_ONLY }, async t => {
  const layer2 = await Layer2.start(NOTHING)
  t.same(layer2.interfaces(), [])
  layer2.setAddresses([
    { address: '192.0.2.1', interfaces: ['eth0'] },
    { address: '192.0.2.1', interfaces: ['eth1'] },
    { address: '2001:DB8:0::1', interfaces: 'all' },
  ])
  const zero = { requestsReceived: 0, responsesSent: 0, gratuitousSent: 0 }
  t.same(
    [...(await layer2.counters())],
    [
      ['192.0.2.1', zero],
      ['2001:db8::1', zero],
    ],
  )
  t.same(await layer2.statistics(), [])
  t.same(await layer2.conflicts(), [])
  layer2.setAddresses([])
  t.equal((await layer2.counters()).size, 2, 'counters stay when addresses go')
  const late = layer2.counters()
  await Promise.all([layer2[Symbol.asyncDispose](), t.rejects(late, { code: 'ERR_L2_CLOSED' })])
  await layer2[Symbol.asyncDispose]()
  await t.rejects(layer2.counters(), { code: 'ERR_L2_CLOSED' })
  layer2.setAddresses([{ address: '192.0.2.1', interfaces: 'all' }])
  layer2.announce('192.0.2.1')
  t.pass('orders to a closed handle do nothing')
})

t.test('the caller’s mistakes', { skip: LINUX_ONLY }, async t => {
  await t.rejects(Layer2.start({ excludeInterfaces: ['('] }), SyntaxError)
  for (const [option, value] of [
    ['scanInterval', 0],
    ['scanInterval', Infinity],
    ['refreshInterval', 999],
    ['refreshInterval', Number.NaN],
    ['gratuitousRate', 0],
    ['gratuitousRate', 2e6],
    ['defend', 'sometimes'],
  ] as const) {
    const message = new RegExp(`^${option} must be .* not .*${value}'?$`)
    await t.rejects(Layer2.start({ ...NOTHING, [option]: value }), { name: 'RangeError', message }, option)
  }
  await using layer2 = await Layer2.start(NOTHING)
  const all = 'all' as const
  layer2.setAddresses([{ address: '192.0.2.1', interfaces: all }])
  for (const address of ['192.0.2.1/32', '192.0.2', 'example.org', 'ff02::1', '127.0.0.1']) {
    t.throws(() => layer2.setAddresses([{ address, interfaces: all }]), { name: 'RangeError', message: /^address "/ })
    t.throws(() => layer2.announce(address), { name: 'RangeError', message: /^address "/ })
  }
  t.throws(
    () => layer2.setAddresses([{ address: '192.0.2.2', interfaces: ['a b'] }]),
    /^interfaces\[0\] must be the name of an interface, not the string 'a b'$/,
  )
  const neighbor = { address: '192.0.2.1', interface: 'eth0', mac: '02:00:00:00:00:01', ip: '192.0.2.9' }
  for (const [field, value] of [
    ['address', '0.0.0.0'],
    ['interface', ''],
    ['mac', 'ff:ff:ff:ff:ff:ff'],
    ['mac', '02:00:00:00:00'],
    ['ip', '2001:db8::9'],
    ['ip', '224.0.0.1'],
  ] as const) {
    const message = new RegExp(`^${field} `)
    t.throws(() => layer2.refreshNeighbor({ ...neighbor, [field]: value }), { name: 'RangeError', message }, field)
  }
  layer2.refreshNeighbor(neighbor)
  t.same([...(await layer2.counters()).keys()], ['192.0.2.1'], 'nothing of it was taken')
  await t.rejects(resolve({ interface: 'no such one', address: '192.0.2.1' }), { code: 'ERR_L2_INTERFACE' })
  await t.rejects(resolve({ interface: 'lo', address: 'nonsense' }), TypeError)
  await t.rejects(resolve({ interface: 'lo', address: '2001:db8::1' }), { code: 'ERR_L2_INTERFACE' }, 'no link-local')
})

t.test('a signal closes it', { skip: LINUX_ONLY }, async t => {
  const controller = new AbortController()
  const layer2 = await Layer2.start({ ...NOTHING, signal: controller.signal })
  controller.abort()
  await layer2[Symbol.asyncDispose]()
  await t.rejects(layer2.counters(), { code: 'ERR_L2_CLOSED' })
  await t.rejects(Layer2.start({ ...NOTHING, signal: controller.signal }), { name: 'AbortError' })
  const during = new AbortController()
  const starting = Layer2.start({ ...NOTHING, signal: during.signal })
  during.abort()
  await t.rejects(starting, { name: 'AbortError' })
})

t.test('a worker that dies is an error event, and what waits is rejected', { skip: LINUX_ONLY }, async t => {
  let worker: Worker | undefined
  const listener = (message: unknown): void => {
    worker = (message as { worker: Worker }).worker
  }
  subscribe('worker_threads', listener)
  const layer2 = await Layer2.start(NOTHING)
  unsubscribe('worker_threads', listener)
  const died = once(layer2, 'error') as Promise<[Error]>
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  worker?.postMessage(null) // no request at all: the worker throws
  await t.rejects(layer2.counters(), { code: 'ERR_L2_CLOSED' })
  const [error] = await died
  t.match(error.message, /null/)
  await layer2[Symbol.asyncDispose]()
})
