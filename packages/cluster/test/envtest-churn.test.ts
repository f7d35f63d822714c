/** Services come, change and go while everything between a store and the server breaks: in the end both know the same. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { ApiServer, FaultProxy } from '@typemetal/lab/kubernetes'
import * as fc from 'fast-check'
import type { Service, Store } from '@typemetal/cluster'
import { acceptable, onApiServer } from './envtest.js'
import { agrees, type Opened, withStores } from './envtest-fixture.js'
import { service } from './objects.js'

const SERVICES = 120
const ROUNDS = 1500
const WRITERS = 8
const PATH = '/api/v1/services'
/** Milliseconds until a write must have gone well. */
const PATIENCE = 180_000

for (const watchCache of [true, false]) {
  onApiServer(`churn, watch cache ${watchCache ? 'on' : 'off'}`, { watchCache }, async (t, server) => {
    await withStores(t, server, 'never a lost or doubled object', async (t, { proxy, open }) => {
      const opened = await open({ pageSize: 40, watchSeconds: [2, 4], watchSilence: 2000 }, ['Service'])
      const seen = follow(opened.store)
      const stop = new AbortController()
      const trouble = disturb(server, proxy, stop.signal)
      try {
        await churn(server)
      } finally {
        stop.abort()
        await trouble
      }
      proxy.fault = () => undefined
      proxy.stall(false)
      await agrees(server, opened.store, 'Service', PATH)
      const keys = [...opened.store.snapshot().objects('Service').keys()]
      t.same([...seen.keys()].toSorted(), keys.toSorted(), 'who listens to changes knows the same')
      for (const [key, object] of opened.store.snapshot().objects('Service')) assert.equal(seen.get(key), object)
      await report(opened, t.comment.bind(t))
      t.ok((await opened.count('typemetal_reflector_restarts_total')) > 10, 'and it was not left in peace')
    })
  })
}

/** What somebody knows who only listens; that an object comes twice, or goes without having come, is an error. */
function follow(store: Store): ReadonlyMap<string, Service> {
  const known = new Map<string, Service>(store.snapshot().objects('Service'))
  store.on('change', changes => {
    const now = store.snapshot().objects('Service')
    for (const { key, type } of changes) {
      assert.equal(type === 'added', !known.has(key), `${key} ${type}`)
      const object = now.get(key)
      if (type === 'deleted') known.delete(key)
      else if (object) known.set(key, object)
    }
  })
  return known
}

/** Applies and removes Services, some at a time, past the proxy; a server that is away is waited for. */
async function churn(server: ApiServer): Promise<void> {
  const dice = fc.sample(fc.nat({ max: 99 }), { numRuns: ROUNDS, seed: 11 })
  const write = async (round: number, chance: number): Promise<void> => {
    const name = `s${(round * 7) % SERVICES}`
    const metadata = { name, namespace: 'default', labels: { round: String(round) } }
    const object = acceptable(service(name, { metadata }))
    for (const deadline = Date.now() + PATIENCE; ;) {
      try {
        await (chance < 70 ? server.admin.apply(object) : server.admin.remove(object))
        return
      } catch (error) {
        // A server that comes or goes refuses in many ways.
        if (Date.now() > deadline) throw error
        await delay(100)
      }
    }
  }
  const rounds = dice.entries()
  await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      for (const [round, chance] of rounds) await write(round, chance)
    }),
  )
}

/** Everything that can go wrong on the way, one thing after the other, until the signal aborts. */
async function disturb(server: ApiServer, proxy: FaultProxy, signal: AbortSignal): Promise<void> {
  let turn = 0
  const sometimes = (share: number): boolean => turn++ % Math.round(1 / share) === 0
  proxy.fault = ({ watch }) => {
    if (sometimes(0.2)) return { type: 'refuse', status: watch ? 429 : 500, ...(watch && { retryAfter: 0.1 }) }
    if (sometimes(0.25)) return { type: 'delay', by: 100 }
    return sometimes(0.3) ? { type: 'cut-answer' } : undefined
  }
  const steps: readonly (() => unknown)[] = [
    () => proxy.cut(),
    () => server.compact(),
    () => proxy.cut(),
    () => proxy.stall(true),
    () => delay(1000),
    () => proxy.stall(false),
    () => proxy.refuse(),
    () => server.compact(),
    () => proxy.accept(),
    () => server.kill().then(() => server.run()),
    () => proxy.cut(),
    () => server.restart(),
  ]
  for (let i = 0; !signal.aborted || i % steps.length !== 0; i++) {
    await steps[i % steps.length]?.()
    await delay(150)
  }
}

async function report({ count }: Opened, say: (text: string) => void): Promise<void> {
  const reasons = ['connection', 'expired', 'busy', 'server', 'closed', 'quiet']
  const counts = await Promise.all(
    reasons.map(async reason => `${reason} ${await count('typemetal_reflector_restarts_total', { reason })}`),
  )
  say(`restarts: ${counts.join(', ')}; lists ${await count('typemetal_reflector_lists_total', { result: 'ok' })}`)
}
