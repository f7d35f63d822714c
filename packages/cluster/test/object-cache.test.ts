import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import {
  type Change,
  ChangeQueue,
  changedKeys,
  type KubernetesObject,
  LayeredMap,
  ObjectCache,
} from '@typemetal/cluster'
import { service, slice } from './objects.js'

t.test('property: a LayeredMap is a Map, and its older copies keep their entries', async () => {
  const change = fc.tuple(fc.nat({ max: 60 }), fc.option(fc.string(), { nil: undefined }))
  fc.assert(
    fc.property(fc.array(fc.array(change, { maxLength: 8 }), { maxLength: 60 }), batches => {
      const model = new Map<number, string>()
      let map = new LayeredMap<number, string>()
      const history: [LayeredMap<number, string>, Map<number, string>][] = []
      for (const batch of batches) {
        map = map.with(batch)
        for (const [key, value] of batch) {
          if (value === undefined) model.delete(key)
          else model.set(key, value)
        }
        assert.equal(map.size, model.size)
        assert.deepEqual([...map], [...model], 'in the order of insertion')
        for (const key of [0, 7, 60]) assert.equal(map.get(key), model.get(key))
        assert.equal(map.has(7), model.has(7))
        history.push([map, new Map(model)])
      }
      for (const [old, copy] of history) {
        assert.deepEqual(new Map(old), copy)
        assert.equal(old.size, copy.size)
        for (let key = 0; key <= 60; key++) assert.equal(old.get(key), copy.get(key))
      }
      const seen: unknown[] = []
      map.forEach((value, key, whole) => seen.push([key, value, whole === map]))
      assert.deepEqual(
        seen,
        [...map.keys()].map((key, i) => [key, [...map.values()][i], true]),
      )
    }),
  )
})

t.test('property: changedKeys are the keys that differ, whatever lies between the two maps', async () => {
  const change = fc.tuple(fc.nat({ max: 200 }), fc.option(fc.nat({ max: 2 }), { nil: undefined }))
  fc.assert(
    fc.property(
      fc.array(fc.array(change, { maxLength: 30 }), { minLength: 1, maxLength: 8 }),
      fc.nat(),
      (batches, n) => {
        const history = [new LayeredMap<number, number>()]
        for (const batch of batches) history.push((history.at(-1) ?? new LayeredMap()).with(batch))
        const [older, newer] = [history[n % history.length] ?? new Map(), history.at(-1) ?? new Map()]
        const keys = [...Array(201).keys()].filter(key => older.get(key) !== newer.get(key))
        const pairs: [ReadonlyMap<number, number>, ReadonlyMap<number, number>][] = [
          [older, newer],
          [newer, older],
          [new Map(older), newer],
        ]
        for (const [a, b] of pairs)
          assert.deepEqual(
            [...changedKeys(a, b)].toSorted((x, y) => x - y),
            keys,
          )
        assert.equal(changedKeys(newer, newer).size, 0)
      },
    ),
  )
})

t.test('a LayeredMap that somebody goes through does not change under them', async t => {
  const map = new LayeredMap<number, string>().with([
    [1, 'a'],
    [2, 'b'],
  ])
  const seen: [number, string][] = []
  let newer = map
  for (const entry of map) {
    seen.push(entry)
    newer = newer.with([
      [2, undefined],
      [3 + seen.length, 'new'],
    ])
  }
  t.same(seen, [
    [1, 'a'],
    [2, 'b'],
  ])
  t.same([...newer.keys()], [1, 4, 5])
  t.same([...map.keys()], [1, 2])
})

t.test('two LayeredMaps made of one know nothing of each other', async t => {
  const map = new LayeredMap<number, string>().with([[1, 'a']])
  const [left, right] = [map.with([[1, 'left']]), map.with([[2, 'right']])]
  t.same([...left], [[1, 'left']])
  t.same(
    [...right],
    [
      [1, 'a'],
      [2, 'right'],
    ],
  )
  t.same([...map], [[1, 'a']])
  t.same(changedKeys(left, right), new Set([1, 2]))
  t.equal(map.with([[1, 'a']]), map, 'what changes nothing makes no new version')
})

t.test('a LayeredMap far behind the newest still knows its entries, and what has changed since', async t => {
  let map = new LayeredMap(new Map(Array.from({ length: 500 }, (_, i) => [i, 0])))
  const [first, middle] = [map, map.with([[0, 1]])]
  map = middle
  for (let i = 1; i < 400; i++) map = map.with([[i, 1]])
  for (let i = 0; i < 500; i++) t.ok(first.get(i) === 0 && middle.get(i) === (i === 0 ? 1 : 0))
  t.equal(changedKeys(first, map).size, 400)
  t.same([...changedKeys(first, middle)], [0])
  t.equal(changedKeys(map, middle).size, 399)
})

t.test('ten thousand changes of a LayeredMap are not ten thousand copies of it', async t => {
  // Whoever copies a Map sets each of its entries.
  const maps: Map<unknown, unknown> = Map.prototype
  const original = Object.getOwnPropertyDescriptor(maps, 'set')!
  const restore = (): unknown => Object.defineProperty(maps, 'set', original)
  t.teardown(restore)
  let count = 0
  maps.set = function (key, value) {
    count++
    return (original.value as typeof maps.set).call(this, key, value)
  }
  let map = new LayeredMap<number, number>()
  for (let i = 0; i < 10_000; i++) map = map.with([[i, i]])
  restore()
  t.equal(map.size, 10_000)
  t.ok(count >= 10_000 && count < 100_000, `${count} entries were set`)
})

const version = (object: KubernetesObject, resourceVersion: string): KubernetesObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion },
})

t.test('ObjectCache says what is different', async t => {
  const cache = new ObjectCache()
  const update = (object: KubernetesObject | undefined): readonly Change[] =>
    cache.apply([{ kind: 'Service', key: 'default/web', object }])
  const empty = cache.snapshot()
  t.equal(cache.snapshot(), empty, 'the same snapshot until something changes')
  t.same(update(undefined), [])
  t.match(update(version(service('web'), '1')), [{ type: 'added' }])
  t.same(update(version(service('web'), '1')), [], 'the same version again')
  t.match(update(version(service('web'), '2')), [{ type: 'modified' }])
  t.match(update(undefined), [{ type: 'deleted' }])
  t.equal(empty.objects('Service').size, 0)
  cache.apply([
    {
      kind: 'EndpointSlice',
      key: 'default/x',
      object: { ...slice('x', 'web'), metadata: { name: 'x', namespace: 'default' } },
    },
  ])
  t.same(cache.snapshot().endpointSlicesOf('default/web'), [], 'a slice without the label belongs to nobody')
})

t.test('ChangeQueue hands changes on in batches, after the code that runs now', async t => {
  const batches: (readonly Change[])[] = []
  const queue = new ChangeQueue(changes => batches.push(changes))
  const say = (key: string, ...types: readonly Change['type'][]): void => {
    for (const type of types) queue.push([{ kind: 'Service', key, type }])
  }
  say('a', 'added', 'modified')
  say('b', 'modified', 'deleted')
  say('c', 'deleted', 'added')
  say('d', 'added', 'deleted')
  say('e', 'modified', 'modified')
  t.same(batches, [])
  await new Promise(resolve => setImmediate(resolve))
  t.same(
    batches.map(batch => batch.map(({ key, type }) => `${key} ${type}`)),
    [['a added', 'b deleted', 'c modified', 'e modified']],
  )
  queue.push([])
  await new Promise(resolve => setImmediate(resolve))
  t.same(batches[1], [], 'only the faults changed')
  say('x', 'added')
  queue.clear()
  await new Promise(resolve => setImmediate(resolve))
  t.equal(batches.length, 2)
})
