/** The machine's clock may jump: nothing here that waits looks at it. */
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import t from 'tap'
import { systemClock } from '@typemetal/speaker'

const SOURCES = fileURLToPath(new URL('../src', import.meta.url))

t.test('only the clock asks for the time of day, and only for timestamps', async t => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  t.ok(files.length > 50)
  for (const name of files) {
    const text = readFileSync(join(SOURCES, name), 'utf8')
    const uses = text.match(/\bDate\b(?:\.now|\()|new Date\b|\bsetTimeout\(|performance\.now/g) ?? []
    if (name !== 'clock.ts') t.strictSame(uses, [], name)
  }
})

t.test('a jump of the time of day moves no timer', async t => {
  const { now } = Date
  t.teardown(() => (Date.now = now))
  const start = systemClock.now()
  const fired = new Promise<number>(resolve => systemClock.after(20, () => resolve(systemClock.now() - start)))
  const alive = setInterval(() => {}, 1_000)
  Date.now = () => now() - 86_400_000
  const waited = await fired
  clearInterval(alive)
  t.ok(waited >= 15, `${waited} ms, and not a day`)
  t.ok(systemClock.now() >= start)
  t.match(systemClock.timestamp(), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
})
