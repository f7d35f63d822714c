/** What the process asks of V8: fewer full collections while much comes and goes, and no more memory at rest. */
import { fileURLToPath } from 'node:url'
import { run } from '@typemetal/lab'
import t from 'tap'

const HEAP_GROWTH = fileURLToPath(new URL('../dist/startup/heap-growth.js', import.meta.url))

/** Much that stays, and as much again that lives for a while: counts the full collections. */
const CHURN = `
  import { PerformanceObserver, constants } from 'node:perf_hooks'
  let full = 0
  const count = list => (full += list.getEntries().filter(({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR).length)
  new PerformanceObserver(count).observe({ entryTypes: ['gc'] })
  const lasting = Array.from({ length: 300_000 }, (_, i) => ({ i, name: 'n' + i }))
  let young = []
  for (let round = 0; round < 300; round++) {
    young = [...young.slice(-20), Array.from({ length: 20_000 }, (_, i) => ({ round, i }))]
    await new Promise(setImmediate)
  }
  console.log(full, lasting.length)
`

t.test('full collections are at most half as many', async t => {
  const collections = async (begin: string): Promise<number> => {
    const script = `${begin}\n${CHURN}`
    const argv = [process.execPath, '--optimize-for-size', '--input-type=module', '--eval', script]
    const { stdout } = await run(['env', '-u', 'NODE_OPTIONS', ...argv])
    return parseInt(stdout)
  }
  const usual = await collections('')
  const limited = await collections(
    `import { limitCollections } from ${JSON.stringify(HEAP_GROWTH)}\nlimitCollections()`,
  )
  t.comment(`${usual} without, ${limited} with`)
  t.ok(limited > 0 && limited <= usual / 2, `${limited} of ${usual}`)
})
