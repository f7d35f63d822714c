import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import type { FamilyName } from '@typemetal/bgp/wire'
import { assertEmpty, FAMILIES } from './rib-scene.js'
import { known, Wanted, withPref } from './rib-wanted.js'

const anyKey = fc.oneof(
  fc.nat({ max: 5 }).map(i => `10.0.0.${i}/32`),
  fc.nat({ max: 5 }).map(i => `2001:db8::${i + 1}/128`),
)
/** Runs of prefixes, more than one round looks at. */
const anyRun = fc.record({ from: fc.nat({ max: 60 }), count: fc.nat({ max: 60 }) })
const anyFamily = fc.constantFrom<FamilyName>(...FAMILIES)
const anyPref = fc.nat({ max: 3 })
const anyPathId = fc.constantFrom(0, 0, 1, 7)

const anyStep = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('set' as const), key: anyKey, pref: anyPref, pathId: anyPathId }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), key: anyKey, pathId: anyPathId }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('fill' as const), run: anyRun, pref: anyPref, pathId: anyPathId }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('empty' as const), run: anyRun, pathId: anyPathId }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('next' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refresh' as const), family: anyFamily }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('start' as const), family: anyFamily }) },
)

const inRun = ({ from, count }: { from: number; count: number }): string[] =>
  Array.from({ length: count }, (_, i) => `10.0.1.${from + i}/32`)

for (const { name, addPath } of [
  { name: 'without Path Identifiers', addPath: [] },
  { name: 'with Path Identifiers', addPath: FAMILIES },
  { name: 'with Path Identifiers in one family', addPath: ['ipv6-unicast'] },
] as const) {
  t.test(
    `property: however changes and sending interleave, the peer ends up with what is wanted, ${name}`,
    async () => {
      fc.assert(
        fc.property(fc.array(anyStep, { maxLength: 60 }), fc.subarray<FamilyName>([...FAMILIES]), (steps, started) => {
          const wanted = new Wanted({ addPath, started })
          const begun = new Set(started)
          /** LOCAL_PREF of all routes, in the order in which they have come. */
          const model = new Map<string, Map<number, number>>()
          const set = (key: string, pref: number, pathId: number): void => {
            model.set(key, (model.get(key) ?? new Map<number, number>()).set(pathId, pref))
            wanted.set(key, withPref(pref), pathId)
          }
          const remove = (key: string, pathId: number): void => {
            const paths = model.get(key)
            if (paths?.delete(pathId) && paths.size === 0) model.delete(key)
            wanted.delete(key, pathId)
          }
          for (const step of steps) {
            if ('family' in step) begun.add(step.family)
            if (step.do === 'set') set(step.key, step.pref, step.pathId)
            else if (step.do === 'delete') remove(step.key, step.pathId)
            else if (step.do === 'fill') for (const key of inRun(step.run)) set(key, step.pref, step.pathId)
            else if (step.do === 'empty') for (const key of inRun(step.run)) remove(key, step.pathId)
            else if (step.do === 'refresh') wanted.out.start(step.family, true)
            else if (step.do === 'start') wanted.out.start(step.family)
            else {
              wanted.out.next((octets, count) => wanted.mirror.take(octets, count))
              assert.equal(wanted.out.size, wanted.mirror.routes.size)
            }
          }
          for (const family of FAMILIES) if (!begun.has(family)) wanted.out.start(family)
          const expected = new Map<string, number>()
          for (const [key, paths] of model) {
            const family: FamilyName = key.includes(':') ? 'ipv6-unicast' : 'ipv4-unicast'
            const hasPathIds = (addPath as readonly FamilyName[]).includes(family)
            const [first] = paths.values()
            if (!hasPathIds) expected.set(`${key} 0`, first!)
            else for (const [pathId, pref] of paths) expected.set(`${key} ${pathId}`, pref)
          }
          assert.equal(wanted.out.wantedSize, expected.size)
          wanted.drain()
          assert.deepEqual(known(wanted), expected)
          assert.equal(wanted.out.size, expected.size)
          assert.equal(wanted.out.wantedSize, expected.size)
          assert.deepEqual(wanted.drain(), [], 'nothing is left')
          for (const family of FAMILIES) assert.ok(wanted.out.isDone(family))
          wanted.out.close()
          wanted.clear()
          assertEmpty(wanted.rib)
        }),
        { numRuns: 700 },
      )
    },
  )
}
