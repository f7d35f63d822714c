/** 2,000 Services come and go while everything between the controller and the API server breaks: in the end each has one address. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { IPAddressPool, Service } from '@typemetal/cluster'
import { until } from '@typemetal/lab'
import {
  type AdminClient,
  ApiRefusal,
  type ApiServer,
  DEADLINE,
  type FaultProxy,
  NAMESPACE,
} from '@typemetal/lab/kubernetes'
import type { Test } from 'tap'
import { onApiServer } from './envtest.js'
import { ControllerProcess } from './envtest-controller.js'
import { ServiceHistory } from './envtest-history.js'
import { addressesOf, pool, service } from './envtest-objects.js'

const SERVICES = 2000
/** Of the pool. */
const ADDRESSES = 4096
const WRITERS = 12
/** Rounds in each of which a share is deleted and made again, with trouble. */
const ROUNDS = 2
const PATH = '/api/v1/namespaces/default/services'
const MEBIBYTE = 2 ** 20
/** How much more memory it may hold after the last round than after the first: what is garbage is not collected at once. */
const GROWTH = 40 * MEBIBYTE
/** After the API server was away a client may wait as long as this before it asks again. */
const PATIENT = { timeout: 3 * DEADLINE, interval: 100 }
/** What the log may complain of when all this happens. */
const EXPECTED: readonly unknown[] = ['updateStatus', 'storeUnreachable', 'lost']

onApiServer(`${SERVICES} Services`, { restarts: true }, async (t, server) => {
  const { admin } = server
  await admin.apply(pool('web', '10.64.0.0/20'))
  await using history = await ServiceHistory.start(server)
  const proxy = await server.proxy()
  const flags = ['--webhook-mode=disabled', '--log-level=warn']
  await using controller = await ControllerProcess.start(server, { name: 'churn', through: proxy, flags })
  await controller.ready()
  const memory: number[] = []
  const settle = async (t: Test): Promise<void> => {
    await settled(t, admin, history, controller)
    memory.push(controller.rss)
    t.comment(`RSS ${(controller.rss / MEBIBYTE).toFixed(0)} MiB`)
  }
  await t.test('all are created, in peace', async t => {
    const since = performance.now()
    await forAll(i => create(admin, i))
    const created = performance.now() - since
    await until('all to have an address', () => history.addresses.size === SERVICES || undefined, PATIENT)
    t.comment(`created after ${seconds(created)}, all served after ${seconds(performance.now() - since)}`)
    await settle(t)
  })
  for (let round = 0; round < ROUNDS; round++) {
    await t.test(`deleted and created again, in trouble: one of ${ROUNDS} shares`, async t => {
      const since = performance.now()
      const trouble = disturb(server, proxy)
      const isIn = (i: number): boolean => i % ROUNDS === round
      // Some are there again at once, some when their addresses are another's.
      const isQuick = (i: number): boolean => i % 3 === 0
      await forAll(async i => {
        if (isIn(i)) await remove(admin, i)
        if (isIn(i) && isQuick(i)) await create(admin, i)
      })
      await forAll(async i => {
        if (isIn(i) && !isQuick(i)) await create(admin, i)
      })
      await trouble
      t.comment(`written after ${seconds(performance.now() - since)}`)
      await settle(t)
      t.comment(`settled after ${seconds(performance.now() - since)}`)
    })
  }
  await t.test('nothing is left when all are gone', async t => {
    await forAll(i => remove(admin, i))
    await counted(t, admin, controller, 0)
  })
  t.same(history.doubled, [], 'no address was ever in the statuses of two')
  t.comment(`${history.versions} versions seen, ${history.gaps} gaps`)
  const [first = 0] = memory
  t.ok(Math.max(...memory) < first + GROWTH, `memory stays where it was: ${memory.join(', ')} octets`)
  t.ok(controller.process.running, 'the process has lived through it all')
  const complaints = controller.log.filter(({ level }) => level === 'error' || level === 'fatal')
  const unexpected = complaints.filter(({ op, event }) => ![op, event].some(each => EXPECTED.includes(each)))
  t.same(unexpected, [], 'it complains of nothing else')
})

/** Does something for each Service, some at a time. */
async function forAll(work: (i: number) => Promise<void>): Promise<void> {
  const numbers = Array.from({ length: SERVICES }, (_, i) => i).values()
  await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      for (const i of numbers) await work(i)
    }),
  )
}

const create = (admin: AdminClient, i: number): Promise<void> =>
  insist(async () => {
    await admin.request({ method: 'POST', path: PATH, body: service(`s${i}`) }).catch((error: unknown) => {
      // An attempt of which we did not hear has made it.
      if (!(error instanceof ApiRefusal && error.status === 409)) throw error
    })
  })

const remove = (admin: AdminClient, i: number): Promise<void> => insist(() => admin.remove(service(`s${i}`)))

/** Does it again while the API server is away, which refuses in many ways when it comes or goes. */
async function insist(work: () => Promise<void>): Promise<void> {
  for (const deadline = performance.now() + 3 * DEADLINE; ;) {
    try {
      return await work()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await delay(100)
    }
  }
}

/** Everything that can go wrong on the way, once. */
async function disturb(server: ApiServer, proxy: FaultProxy): Promise<void> {
  let turn = 0
  const every = (n: number): boolean => turn % n === 0
  proxy.fault = ({ method, watch }) => {
    turn++
    if (watch) return every(3) ? { type: 'refuse', status: 429, retryAfter: 0.2 } : undefined
    if (every(53)) return { type: 'refuse', status: 429, retryAfter: 1 }
    if (every(31)) return { type: 'refuse', status: 500 }
    if (every(13)) return { type: 'delay', by: 200 }
    if (method === 'GET') return undefined
    if (every(19)) return { type: 'refuse', status: 409 }
    return every(23) ? { type: 'cut-answer' } : undefined
  }
  const steps: readonly (() => unknown)[] = [
    () => proxy.cut(),
    () => proxy.stall(true),
    () => delay(1500),
    () => proxy.stall(false),
    () => server.compact(),
    () => server.kill().then(() => server.run()),
    () => delay(1000),
    () => proxy.refuse(),
    () => server.compact(),
    () => delay(1000),
    () => proxy.accept(),
    () => server.restart(),
    () => proxy.cut(),
  ]
  for (const step of steps) {
    await step()
    await delay(300)
  }
  proxy.fault = () => undefined
}

/** Waits until every Service has one address of its own, and everybody counts them right. */
async function settled(
  t: Test,
  admin: AdminClient,
  history: ServiceHistory,
  controller: ControllerProcess,
): Promise<void> {
  const services = await until(
    'every Service to have an address',
    async () => {
      const services = await admin.list<Service>(`${PATH}?labelSelector=!provider`)
      const served = services.filter(each => addressesOf(each).length > 0)
      if (served.length === SERVICES) return served
      throw new Error(`${served.length} of ${services.length} have one`)
    },
    { ...PATIENT, interval: 500 },
  )
  const addresses = services.flatMap(addressesOf)
  t.equal(addresses.length, SERVICES, 'each has one address')
  t.equal(new Set(addresses).size, SERVICES, 'none is given twice')
  for (const address of addresses) assert.match(address, /^10\.64\.(?:\d|1[0-5])\.\d+$/)
  await until('the history to know the same', () => history.addresses.size === SERVICES || undefined, PATIENT)
  await counted(t, admin, controller, SERVICES)
}

/** Waits until the pool's status and the metrics say how many addresses are given. */
async function counted(t: Test, admin: AdminClient, controller: ControllerProcess, given: number): Promise<void> {
  const path = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}/ipaddresspools/web`
  const status = await until(
    `the pool to count ${given}`,
    async () => {
      const { status } = (await admin.request({ method: 'GET', path })) as IPAddressPool
      if (status?.assignedIPv4 === given) return status
      throw new Error(JSON.stringify(status))
    },
    PATIENT,
  )
  t.match(status, { assignedIPv4: given, availableIPv4: ADDRESSES - given })
  t.equal(await controller.metric('metallb_allocator_addresses_in_use_total', 'pool="web"'), given)
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`
