import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { DeadlineTimer } from '@typemetal/sockets'

const skip = process.platform === 'linux' ? false : 'needs Linux'

/** Rings once at so many microseconds from now. @returns how late it was */
const ring = (microseconds: number): Promise<number> =>
  new Promise(resolve => {
    const timer = new DeadlineTimer(() => {
      const late = timer.now() - at
      timer.close()
      resolve(late)
    })
    const at = timer.now() + microseconds
    timer.set(at)
  })

t.test('timerfd_create(2): rings once, never early, and not by whole milliseconds', { skip }, async t => {
  const end = performance.now() + 60_000
  for (const wait of [100, 333.3, 1000.5, 1499.999, 2500, 5000, 12_345, -1000, 0]) {
    const limit = 500 + Math.max(0, -wait)
    let least = Infinity
    let early = 0
    // Others may keep this process from the processor: once it must get there in time, which the loop's own timers would never do.
    do {
      const late = await ring(wait)
      if (late < 0) early++
      least = Math.min(least, late)
    } while (least >= limit && performance.now() < end)
    t.equal(early, 0, `${wait} us: never early`)
    t.ok(least < limit, `${wait} us: ${least} us late at best`)
  }
})

t.test('set: times that are none, and times that never come', { skip }, async t => {
  let rings = 0
  const timer = new DeadlineTimer(() => rings++)
  t.throws(() => timer.set(NaN), { name: 'RangeError', message: /^at: / })
  for (const at of [Infinity, Number.MAX_VALUE, 2 ** 31 * 1e6, (2 ** 31 - 1000) * 1e6]) timer.set(at)
  await ring(2000)
  t.equal(rings, 0)
  timer.set(-Infinity)
  await ring(2000)
  t.equal(rings, 1, 'long ago is now')
  timer.close()
})

t.test('set: the last time counts, Infinity is never, nothing comes after close', { skip }, async t => {
  let rings = 0
  const timer = new DeadlineTimer(() => rings++)
  timer.set(timer.now() + 1000)
  timer.set(timer.now() + 3_600_000_000)
  await ring(5000)
  t.equal(rings, 0)
  timer.set(timer.now() + 1000)
  timer.set(Infinity)
  await ring(5000)
  t.equal(rings, 0)
  timer.set(timer.now() + 1000)
  await ring(5000)
  await ring(100)
  t.equal(rings, 1)
  timer.set(timer.now() + 10)
  const end = performance.now() + 2
  while (performance.now() < end);
  timer.set(timer.now() + 3_600_000_000) // it has expired, and the loop did not come to tell
  await ring(1000)
  t.equal(rings, 1)
  timer.set(timer.now() + 1000)
  timer.close()
  timer.close()
  await ring(5000)
  t.equal(rings, 1)
  t.throws(() => timer.set(1), { code: 'EBADF' })
})

t.test('it holds the process open until it is closed', { skip }, async t => {
  const script = `
    import { DeadlineTimer } from '@typemetal/sockets'
    const timer = new DeadlineTimer(() => { console.log('rang'); timer.close() })
    timer.set(timer.now() + 20_000)`
  const cwd = fileURLToPath(new URL('.', import.meta.url))
  const words = ['--input-type=module', '-e', script]
  const { stdout, status } = spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 300_000, cwd })
  t.same({ stdout, status }, { stdout: 'rang\n', status: 0 })
})
