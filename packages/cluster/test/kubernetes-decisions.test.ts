/** What the store on the Kubernetes API decides without a server: how to go on, and which events to write. */
import * as fc from 'fast-check'
import t from 'tap'
import {
  ApiError,
  checkLimits,
  type ClusterEvent,
  ConflictError,
  DEFAULT_EVENT_LIMITS,
  DEFAULT_LIMITS,
  EventCorrelator,
  type EventRecord,
  failureOf,
  NotFoundError,
  type Outcome,
  resumptionOf,
} from '@typemetal/cluster'

const failed = (error: unknown, lasted = 0): Outcome => ({ type: 'failed', error, lasted })
const TOO_LARGE = new ApiError(504, 'Too large resource version', { causes: ['ResourceVersionTooLarge'] })

t.test('kinds of failure', async t => {
  for (const [error, kind] of [
    [new ApiError(410, 'gone'), 'expired'],
    [TOO_LARGE, 'expired'],
    [new ApiError(429, 'busy'), 'busy'],
    [new ApiError(503, 'busy', { retryAfter: 1000 }), 'busy'],
    [new ApiError(503, 'broken'), 'server'],
    [new ApiError(500, 'broken'), 'server'],
    [new ApiError(422, 'no'), 'refused'],
    [new ApiError(401, 'who'), 'unauthorized'],
    [new ApiError(403, 'no'), 'forbidden'],
    [new ApiError(0, 'no list'), 'malformed'],
    [new SyntaxError('no JSON'), 'malformed'],
    [new NotFoundError(), 'not-found'],
    [new ConflictError(), 'conflict'],
    [new Error('socket hang up'), 'connection'],
  ] as const) {
    t.equal(failureOf(error), kind, `${kind}: ${String(error)}`)
  }
})

t.test('how a watch goes on', async t => {
  const next = (outcome: Outcome) => resumptionOf(outcome, { shortWatch: 1000 })
  const quiet = { relist: false, pause: false, trouble: false }
  t.match(next({ type: 'closed', lasted: 300_000, events: 0 }), { ...quiet, reset: true, reason: 'closed' })
  t.match(next({ type: 'closed', lasted: 10, events: 1 }), { ...quiet, reset: true })
  t.match(next({ type: 'closed', lasted: 10, events: 0 }), { pause: true, reset: false, trouble: false }, 'no storm')
  t.match(next({ type: 'quiet' }), { ...quiet, reason: 'quiet' })
  t.match(next({ type: 'interrupted' }), { ...quiet, relist: true, reason: 'refresh' })
  t.match(next(failed(new ApiError(410, 'gone'))), { relist: true, pause: true, trouble: false, reason: 'expired' })
  t.match(next(failed(TOO_LARGE)), { relist: true }, 'a server restored from a backup')
  t.match(next(failed(new ApiError(429, 'busy', { retryAfter: 7000 }))), { least: 7000, pause: true, relist: false })
  t.match(next(failed(new Error('reset'))), { relist: false, pause: true, reset: false, trouble: true })
  t.match(next(failed(new Error('reset'), 5000)), { pause: true, reset: true, trouble: false }, 'it had worked')
})

t.test('limits', async t => {
  t.same(checkLimits(), DEFAULT_LIMITS)
  t.equal(checkLimits({ pageSize: 7 }).pageSize, 7)
  t.throws(() => checkLimits({ pageSize: 0 }), new RangeError('limits.pageSize: is not above 0: 0'))
  t.throws(() => checkLimits({ watchSeconds: [0, 5] }), RangeError)
  t.throws(() => checkLimits({ watchSeconds: [9, 5] }), new RangeError('limits.watchSeconds: 9 is above 5'))
  t.throws(() => checkLimits({ writeTimeout: Number.NaN }), RangeError)
})

const event = (message: string, name = 'web', reason = 'Failed'): ClusterEvent => ({
  regarding: { apiVersion: 'v1', kind: 'Service', namespace: 'default', name },
  type: 'Warning',
  reason,
  message,
  component: 'test',
})
const at = (now: number): string => new Date(now).toISOString()
/** Says one thing after the other, a second apart. */
function say(correlator: EventCorrelator, messages: readonly string[], start = 0): (EventRecord | undefined)[] {
  return messages.map((message, i) => correlator.observe(event(message), 'uid', start + i * 1000, at(i)))
}
const numbered = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `message ${i}`)

t.test('events: the same again is one record with a count', async t => {
  const correlator = new EventCorrelator()
  const [first, second] = say(correlator, ['no pool', 'no pool'])
  t.equal(first, second)
  t.match(second, { count: 2, message: 'no pool', firstTimestamp: at(0), lastTimestamp: at(1), created: false })
  t.not(correlator.observe(event('no pool'), 'another uid', 0, at(0)), first, 'an object made anew is another one')
  t.not(correlator.observe(event('no pool', 'api'), 'uid', 0, at(0)), first)
})

t.test('events: ten different messages of one reason become one, until it has been quiet', async t => {
  const correlator = new EventCorrelator()
  const records = say(correlator, numbered(15))
  t.equal(new Set(records).size, 10)
  t.match(records[14], { message: '(combined from similar events): message 14', count: 6 })
  t.match(say(correlator, ['message 3'], 20_000)[0], { message: 'message 3', count: 2 }, 'what was told apart stays so')
  const later = 20_000 + DEFAULT_EVENT_LIMITS.similarFor + 1
  t.match(say(correlator, ['message 99'], later)[0], { message: 'message 99', count: 1 })
})

t.test('events: 25 about one object in a row, then one in five minutes; those between are counted', async t => {
  const correlator = new EventCorrelator()
  const loop = Array.from({ length: 40 }, () => 'again')
  const records = loop.map(message => correlator.observe(event(message), 'uid', 0, at(0)))
  t.equal(records.filter(Boolean).length, 25)
  t.ok(correlator.observe(event('again', 'api'), 'uid', 0, at(0)), 'other objects are other budgets')
  const { refill } = DEFAULT_EVENT_LIMITS
  t.equal(correlator.observe(event('again'), 'uid', refill - 1, at(0)), undefined)
  t.match(correlator.observe(event('again'), 'uid', refill, at(0)), { count: 42 })
  t.equal(correlator.observe(event('again'), 'uid', refill, at(0)), undefined)
})

t.test('property: events: memory is bounded, counts are exact', async () => {
  const one = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), message: fc.constantFrom('x', 'y') })
  fc.assert(
    fc.property(fc.array(one, { maxLength: 200 }), events => {
      const correlator = new EventCorrelator({ burst: 1000 })
      const counts = new Map<EventRecord, number>()
      for (const [i, { name, message }] of events.entries()) {
        const record = correlator.observe(event(message, name), name, i, at(i))
        if (!record) return false
        counts.set(record, (counts.get(record) ?? 0) + 1)
      }
      return [...counts].every(([record, count]) => record.count === count)
    }),
  )
  const small = new EventCorrelator({ remembered: 3 })
  const records = ['a', 'b', 'c', 'd', 'a'].map(name => small.observe(event('x', name), name, 0, at(0)))
  t.match(records.at(-1), { count: 1 }, 'the one that was not heard of for longest is forgotten')
})
