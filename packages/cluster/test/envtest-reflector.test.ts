/** How a store follows a real API server: pages, bookmarks, resumption, and a server or network that misbehaves. */
import type { ApiServer, PassingRequest } from '@typemetal/lab/kubernetes'
import type { Test } from 'tap'
import { onApiServer } from './envtest.js'
import { agrees, holds, note, NOTES, notesOf, told, withStores } from './envtest-fixture.js'
import { pool } from './objects.js'

const lists = (requests: readonly PassingRequest[]): readonly PassingRequest[] =>
  requests.filter(({ method, path, watch }) => method === 'GET' && path === NOTES && !watch)
const watches = (requests: readonly PassingRequest[]): readonly PassingRequest[] =>
  requests.filter(({ path, watch }) => path === NOTES && watch)
const versionOf = ({ query }: PassingRequest): number => Number(query.get('resourceVersion'))

onApiServer('a server that remembers', {}, async (t, server) => {
  await testReading(t, server)
  await testNetwork(t, server)
  await testBusy(t, server)
  await testRestarts(t, server)
})

onApiServer('a server that forgets at once', { watchCache: false }, testForgetting)

async function testReading(t: Test, server: ApiServer): Promise<void> {
  await withStores(t, server, 'a long list comes in pages of one moment', async (t, { proxy, open }) => {
    const names = Array.from({ length: 25 }, (_, i) => `n${String(i).padStart(2, '0')}`)
    await Promise.all(names.map(name => server.admin.apply(note(name))))
    const { store, count } = await open({ pageSize: 10 })
    t.same(notesOf(store), names)
    const pages = lists(proxy.requests)
    t.equal(pages.length, 3)
    t.ok(pages.every(({ query }) => query.get('limit') === '10'))
    t.equal(pages.filter(({ query }) => query.has('continue')).length, 2)
    t.equal(await count('typemetal_reflector_lists_total', { kind: 'ConfigMap', result: 'ok' }), 1)
    t.equal(await count('typemetal_reflector_objects', { kind: 'ConfigMap' }), 25)
  })

  await withStores(t, server, 'a watch that ends goes on where a bookmark was', async (t, { proxy, open }) => {
    const { store, count } = await open({ watchSeconds: [4, 4] })
    await holds(() => watches(proxy.requests).length === 1, 'the watch is open')
    // Others' changes move the server on; of them this watch hears by bookmarks only: its first, or one after it.
    for (let i = 0; i < 5; i++) await server.admin.apply(pool(`p${i}`, [`10.0.${i}.0/24`]))
    const [first = Infinity] = watches(proxy.requests).map(versionOf)
    await holds(() => watches(proxy.requests).some(each => versionOf(each) > first), 'a watch begins further on')
    t.ok((await count('typemetal_reflector_events_total', { type: 'BOOKMARK' })) >= 1)
    t.ok((await count('typemetal_reflector_restarts_total', { reason: 'closed' })) >= 1)
    await server.admin.apply(note('a'))
    await holds(() => notesOf(store).length === 1, 'the change is seen')
    t.equal(lists(proxy.requests).length, 1)
  })

  await withStores(
    t,
    server,
    'refresh: what was written before is seen, even if the watch is not',
    async (t, { proxy, open }) => {
      const { store, count } = await open()
      await holds(() => watches(proxy.requests).length === 1, 'the watch is open')
      proxy.stall(true)
      await server.admin.apply(note('a'))
      proxy.fault = ({ watch }) => (watch ? { type: 'delay', by: 60_000 } : undefined)
      proxy.stall(false)
      proxy.cut()
      await store.refresh?.()
      t.same(notesOf(store), ['a'])
      await Promise.all([store.refresh?.(), store.refresh?.()])
      t.ok((await count('typemetal_reflector_restarts_total', { reason: 'refresh' })) >= 1)
      proxy.fault = ({ watch }) => (watch ? undefined : { type: 'refuse', status: 500 })
      await t.rejects(store.refresh?.() ?? Promise.resolve(), { code: 'ERR_KUBERNETES_API', status: 500 })
      proxy.fault = () => undefined
      await server.admin.apply(note('b'))
      await holds(() => notesOf(store).length === 2, 'it goes on')
    },
  )
}

async function testNetwork(t: Test, server: ApiServer): Promise<void> {
  await withStores(
    t,
    server,
    'connections break: nothing lost, nothing doubled, no new list',
    async (t, { proxy, open }) => {
      const { store, changes, count } = await open()
      for (const name of ['a', 'b', 'c']) {
        await holds(() => proxy.connections > 0, 'there is a connection')
        proxy.cut()
        await server.admin.apply(note(name))
        await holds(() => notesOf(store).includes(name), `${name} is seen`)
      }
      await server.admin.remove(note('b'))
      await holds(() => !notesOf(store).includes('b'), 'b is gone')
      t.same(told(changes), ['a added', 'b added', 'c added', 'b deleted'])
      t.equal(lists(proxy.requests).length, 1)
      t.ok((await count('typemetal_reflector_restarts_total', { reason: 'connection' })) >= 2)
    },
  )

  await withStores(
    t,
    server,
    'nobody is there for a while: an outage is told, then its end',
    async (t, { proxy, open }) => {
      await server.admin.apply(note('a'))
      const { store, outages, changes } = await open()
      await proxy.refuse()
      await server.admin.apply(note('b'))
      await server.admin.remove(note('a'))
      await holds(() => outages.length > 0, 'the outage is told')
      t.match(outages[0], /^cannot reach the Kubernetes API at https:\/\/127\.0\.0\.1:\d+: /)
      t.same(notesOf(store), ['a'], 'what was known stays')
      await proxy.accept()
      await holds(() => notesOf(store).join() === 'b', 'the changes are seen')
      await holds(() => outages.at(-1) === undefined, 'the end of the outage is told')
      // Why nobody is there may be told in other words: cut off at first, refused then.
      t.equal(outages.filter(reason => reason === undefined).length, 1, 'once')
      t.same(told(changes), ['b added', 'a deleted'])
      t.equal(lists(proxy.requests).length, 1)
    },
  )

  await withStores(t, server, 'slow answers, and a watch that falls silent', async (t, { proxy, open }) => {
    for (const name of ['a', 'b', 'c']) await server.admin.apply(note(name))
    proxy.fault = () => ({ type: 'delay', by: 300 })
    const { store, count, outages } = await open({ pageSize: 1, watchSilence: 8000 })
    t.same(notesOf(store), ['a', 'b', 'c'])
    await server.admin.apply(note('d'))
    await holds(() => notesOf(store).includes('d'), 'd is seen')
    // Not reset, not ended: the network is simply gone for this connection, and for those after it.
    proxy.stall(true)
    await server.admin.apply(note('e'))
    await holds(
      async () => (await count('typemetal_reflector_restarts_total', { reason: 'quiet' })) > 0,
      'it is given up',
    )
    proxy.stall(false)
    await holds(() => notesOf(store).includes('e'), 'e is seen')
    t.equal(lists(proxy.requests).length, 3, 'its three pages at the start')
    t.same(outages, [], 'a quiet watch is no outage')
  })
}

async function testBusy(t: Test, server: ApiServer): Promise<void> {
  await withStores(t, server, '429: left alone for as long as it says', async (t, { proxy, open }) => {
    const asked: number[] = []
    proxy.fault = request => {
      asked.push(performance.now())
      return asked.length === 1 && !request.watch ? { type: 'refuse', status: 429, retryAfter: 1 } : undefined
    }
    const { store } = await open()
    t.ok((asked[1] ?? 0) - (asked[0] ?? 0) >= 990, 'the first list')
    await holds(() => asked.length === 3, 'the watch is open')
    proxy.fault = ({ watch }) => {
      if (!watch) return undefined
      asked.push(performance.now())
      return asked.length === 4 ? { type: 'refuse', status: 429, retryAfter: 1 } : undefined
    }
    proxy.cut()
    await server.admin.apply(note('a'))
    await holds(() => notesOf(store).length === 1, 'a is seen')
    t.ok((asked[4] ?? 0) - (asked[3] ?? 0) >= 990, 'a watch')
    t.equal(lists(proxy.requests).length, 2)
  })

  await withStores(t, server, '500 and 503 now and then', async (t, { proxy, open }) => {
    const { store, count } = await open({ watchSeconds: [1, 2] })
    let asked = 0
    proxy.fault = () => (++asked % 3 === 0 ? undefined : { type: 'refuse', status: asked % 3 === 1 ? 500 : 503 })
    for (const name of ['a', 'b', 'c', 'd']) {
      await server.admin.apply(note(name))
      await holds(() => notesOf(store).includes(name), `${name} is seen`)
      proxy.cut()
    }
    t.ok((await count('typemetal_reflector_restarts_total', { reason: 'server' })) >= 4)
    t.equal(lists(proxy.requests).length, 1)
  })
}

async function testRestarts(t: Test, server: ApiServer): Promise<void> {
  for (const how of ['stop', 'kill'] as const) {
    await withStores(t, server, `the API server restarts (${how})`, async (t, { open }) => {
      await server.admin.apply(note('a'))
      const { store, changes, outages } = await open()
      await server[how]()
      await holds(() => outages.length > 0, 'the outage is told')
      await server.run()
      await server.admin.apply(note('b'))
      await server.admin.remove(note('a'))
      await holds(() => notesOf(store).join() === 'b', 'the changes are seen')
      await agrees(server, store, 'ConfigMap', NOTES)
      // Listed again, where the server has lost the way to what we know, they come in another order.
      t.same(told(changes).toSorted(), ['a deleted', 'b added'])
      await holds(() => outages.at(-1) === undefined, 'the end of the outage is told')
    })
  }

  await withStores(
    t,
    server,
    'it has forgotten where we were: 410 Gone, and all is listed again',
    async (t, { proxy, open }) => {
      for (const name of ['a', 'b', 'c']) await server.admin.apply(note(name))
      const { store, changes, count } = await open()
      await proxy.refuse()
      await server.admin.remove(note('a'))
      await server.admin.apply(note('b', 'new'))
      await server.admin.apply(note('d'))
      await server.kill()
      await server.compact()
      await server.run()
      await proxy.accept()
      await holds(() => notesOf(store).join() === 'b,c,d', 'what has changed is seen')
      await agrees(server, store, 'ConfigMap', NOTES)
      t.same(told(changes).toSorted(), ['a deleted', 'b modified', 'd added'])
      t.equal(await count('typemetal_reflector_restarts_total', { reason: 'expired' }), 1)
      // A server that has just begun may refuse one for a moment.
      t.equal(await count('typemetal_reflector_lists_total', { result: 'ok' }), 2)
    },
  )
}

async function testForgetting(t: Test, server: ApiServer): Promise<void> {
  await withStores(t, server, 'a compaction while nobody watched: 410 Gone', async (t, { proxy, open }) => {
    for (const name of ['a', 'b']) await server.admin.apply(note(name))
    const { store, changes, count } = await open()
    await proxy.refuse()
    await server.admin.remove(note('a'))
    await server.admin.apply(note('c'))
    await server.compact()
    await proxy.accept()
    await holds(() => notesOf(store).join() === 'b,c', 'what has changed is seen')
    t.same(told(changes).toSorted(), ['a deleted', 'c added'])
    t.equal(await count('typemetal_reflector_restarts_total', { reason: 'expired' }), 1)
    t.equal(lists(proxy.requests).length, 2)
  })

  await withStores(t, server, 'a compaction between two pages: all at once', async (t, { proxy, open }) => {
    const names = Array.from({ length: 12 }, (_, i) => `n${String(i).padStart(2, '0')}`)
    await Promise.all(names.map(name => server.admin.apply(note(name))))
    let compacted: Promise<void> | undefined
    proxy.fault = ({ query }) => {
      if (!query.has('continue') || compacted) return undefined
      compacted = server.admin.remove(note('n03')).then(() => server.compact())
      return { type: 'hold', until: compacted }
    }
    const { store } = await open({ pageSize: 5 })
    await compacted
    t.same(
      notesOf(store),
      names.filter(name => name !== 'n03'),
      'and not a mixture of two moments',
    )
    const asked = lists(proxy.requests).map(({ query }) => [query.get('limit'), query.has('continue')])
    t.same(asked, [
      ['5', false],
      ['5', true],
      [null, false],
    ])
    await agrees(server, store, 'ConfigMap', NOTES)
  })
}
