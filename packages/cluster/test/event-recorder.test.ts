/** Events on their way to an API server: some at once, each by one request at a time, none lost without being counted. */
import { setImmediate } from 'node:timers/promises'
import type { ClusterEvent } from '@typemetal/cluster'
import { createLogger } from '@typemetal/cluster/process'
import t from 'tap'
import { SilenceError } from '../dist/store/kubernetes/api-error.js'
import { EventRecorder } from '../dist/store/kubernetes/event-recorder.js'
import { type RecordResult, silentMetrics } from '../dist/store/kubernetes/metrics.js'
import type { ApiRequest, ApiTransport } from '../dist/store/kubernetes/transport.js'

/** A server that answers when it is told to. */
class Desk {
  readonly results: RecordResult[] = []
  readonly requests: ApiRequest[] = []
  readonly waiting: (() => void)[] = []
  most = 0
  failure: Error | undefined
  #open = 0
  readonly recorder = new EventRecorder({
    transport: { send: (request: ApiRequest) => this.#send(request) } as unknown as ApiTransport,
    log: createLogger({ level: 'none' }),
    uidOf: () => 'uid',
    limits: { firstPause: 1, longestPause: 1 },
    random: () => 0.5,
    metrics: { ...silentMetrics, countRecorded: result => void this.results.push(result) },
    eventLimits: { burst: 1e9, similar: 1e9 },
  })

  count(result: RecordResult): number {
    return this.results.filter(each => each === result).length
  }

  /** Answers everything, also what comes of that. */
  async answer(): Promise<void> {
    await setImmediate()
    while (this.waiting.length > 0) {
      for (const each of this.waiting.splice(0)) each()
      await setImmediate()
    }
  }

  async #send(request: ApiRequest): Promise<unknown> {
    this.requests.push(request)
    this.most = Math.max(this.most, ++this.#open)
    await new Promise<void>(resolve => void this.waiting.push(resolve))
    this.#open--
    if (this.failure) throw this.failure
    return {}
  }
}

const event = (name: string, message = 'said'): ClusterEvent => ({
  regarding: { apiVersion: 'v1', kind: 'Service', namespace: 'default', name },
  type: 'Normal',
  reason: 'x',
  message,
  component: 'test',
})

t.test('some are written at once, and all in the end', async t => {
  const desk = new Desk()
  for (let i = 0; i < 100; i++) desk.recorder.record(event(`s${i}`))
  await desk.answer()
  t.equal(desk.count('created'), 100)
  t.equal(desk.most, 8)
})

t.test('the same again while it is written: one request at a time, and then the count', async t => {
  const desk = new Desk()
  desk.recorder.record(event('a'))
  await setImmediate()
  for (let i = 0; i < 5; i++) desk.recorder.record(event('a'))
  desk.recorder.record(event('b'))
  await setImmediate()
  t.equal(desk.requests.length, 2, 'another one does not wait for it')
  await desk.answer()
  t.same(
    desk.requests.map(({ method, body }) => [method, (body as { readonly count: number }).count]),
    [
      ['POST', 1],
      ['POST', 1],
      ['PATCH', 6],
    ],
  )
})

t.test('what has no room is counted, and the repetition of what waits still counts', async t => {
  const desk = new Desk()
  for (let i = 0; i < 10_020; i++) desk.recorder.record(event(`s${i}`))
  desk.recorder.record(event('s10019'))
  desk.recorder.record(event('s9999'))
  t.equal(desk.count('dropped'), 21)
  await desk.answer()
  t.equal(desk.count('created'), 10_000)
})

t.test('closed, it writes what waits; a server that is away ends that, with a count', async t => {
  const desk = new Desk()
  for (let i = 0; i < 20; i++) desk.recorder.record(event(`s${i}`))
  const closed = desk.recorder.close()
  await desk.answer()
  await closed
  t.equal(desk.count('created'), 20)

  const dead = new Desk()
  dead.failure = new SilenceError('no answer')
  for (let i = 0; i < 100; i++) dead.recorder.record(event(`s${i}`))
  const given = dead.recorder.close()
  await dead.answer()
  await given
  t.equal(dead.count('failed') + dead.count('dropped'), 100)
  t.ok(dead.requests.length <= 16, `${dead.requests.length} requests`)
})
