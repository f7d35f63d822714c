import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { Outbox } from '../dist/node/outbox.js'
import type { AddressCounters } from '@typemetal/arp-ndp/responder'

const LENGTH = 4
const counters = (): AddressCounters => ({ requestsReceived: 0, responsesSent: 0, gratuitousSent: 0 })

/** A transmit queue with so much room, and an outbox in front of it; frames are numbers. */
class Queue {
  room = Infinity
  failure: Error | undefined
  readonly sent: number[] = []
  readonly errors: unknown[] = []
  readonly counters = counters()
  readonly outbox = new Outbox(
    LENGTH,
    frames => {
      if (this.failure !== undefined) throw this.failure
      const taken = frames.slice(0, this.room)
      this.room -= taken.length
      // Read now: the octets are written again as soon as the call is over.
      for (const frame of taken) this.sent.push(new DataView(frame.buffer, frame.byteOffset).getUint32(0))
      return taken.length
    },
    error => this.errors.push(error),
  )

  answer(number: number): void {
    const { place } = this.outbox
    new DataView(place.buffer, place.byteOffset).setUint32(0, number)
    this.outbox.answer(this.counters)
  }
  announceWritten(number: number): void {
    const { roundPlace: place } = this.outbox
    new DataView(place.buffer, place.byteOffset).setUint32(0, number)
    this.outbox.announceWritten(this.counters, 'gratuitousSent')
  }
  announce(number: number): void {
    const frame = new Uint8Array(LENGTH)
    new DataView(frame.buffer).setUint32(0, number)
    this.outbox.announce({ frame, counters: this.counters, counter: 'gratuitousSent' })
  }
}
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

t.test('answers written in place go out in order, a full batch without being asked for', async t => {
  const queue = new Queue()
  for (const number of upTo(150)) queue.answer(number)
  t.equal(queue.sent.length, 128)
  t.equal(queue.outbox.waiting, 22)
  t.equal(queue.outbox.flush(), true)
  t.same(queue.sent, upTo(150))
  t.equal(queue.counters.responsesSent, 150)
  t.equal(queue.outbox.waiting, 0)
})

t.test(
  'answers that find the transmit queue full wait with their octets, and those behind them behind them',
  async t => {
    const queue = new Queue()
    queue.room = 10
    for (const number of upTo(200)) queue.answer(number)
    t.equal(queue.outbox.flush(), false)
    t.same(queue.sent, upTo(10))
    t.equal(queue.counters.responsesSent, 10)
    t.equal(queue.outbox.waiting, 190)
    for (const number of [200, 201]) queue.answer(number)
    queue.announce(999)
    queue.room = Infinity
    t.equal(queue.outbox.flush(), true)
    t.same(queue.sent, [...upTo(202), 999], 'announcements last')
    t.match(queue.counters, { responsesSent: 202, gratuitousSent: 1 })
    t.equal(queue.outbox.lost, 0)
  },
)

t.test('frames of rounds written in place go out behind answers, a full batch without being asked for', async t => {
  const queue = new Queue()
  for (const number of upTo(3)) queue.answer(number)
  for (const number of upTo(70)) queue.announceWritten(100 + number)
  t.same(queue.sent, [...upTo(3), ...upTo(64).map(number => 100 + number)])
  queue.room = 2
  t.equal(queue.outbox.flush(), false)
  queue.answer(3)
  for (const number of upTo(64)) queue.announceWritten(200 + number)
  queue.room = Infinity
  t.equal(queue.outbox.flush(), true)
  t.same(queue.sent.slice(67), [164, 165, 3, 166, 167, 168, 169, ...upTo(64).map(number => 200 + number)])
  t.match(queue.counters, { responsesSent: 4, gratuitousSent: 70 + 64 })
})

t.test('what cannot be sent at all is lost, told and not counted as sent', async t => {
  const queue = new Queue()
  queue.failure = new Error('the interface is gone')
  for (const number of upTo(3)) queue.answer(number)
  queue.announce(4)
  t.equal(queue.outbox.flush(), true)
  t.equal(queue.outbox.lost, 4)
  t.same(queue.errors, [queue.failure, queue.failure])
  t.match(queue.counters, { responsesSent: 0, gratuitousSent: 0 })
  queue.failure = undefined
  queue.answer(5)
  queue.outbox.flush()
  t.same(queue.sent, [5], 'and what comes later is not')
})

t.test('a flood of answers before a full transmit queue does not grow memory', async t => {
  const queue = new Queue()
  queue.room = 0
  for (const number of upTo(40_000)) queue.answer(number)
  queue.outbox.flush()
  t.equal(queue.outbox.waiting, 32_768)
  t.equal(queue.outbox.lost, 40_000 - 32_768)
  queue.outbox.giveUp()
  t.equal(queue.outbox.waiting, 0)
  t.equal(queue.outbox.lost, 40_000)
})

t.test('property: every frame is sent once, lost or waits; answers keep their order', async () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant('answer' as const), count: fc.nat({ max: 130 }) }, { noNullPrototype: true }),
    fc.record({ type: fc.constant('announce' as const), count: fc.nat({ max: 70 }) }, { noNullPrototype: true }),
    fc.record({ type: fc.constant('round' as const), count: fc.nat({ max: 70 }) }, { noNullPrototype: true }),
    fc.record({ type: fc.constant('room' as const), count: fc.nat({ max: 100 }) }, { noNullPrototype: true }),
    fc.record({ type: fc.constant('flush' as const), count: fc.nat({ max: 1 }) }, { noNullPrototype: true }),
    fc.record({ type: fc.constant('fail' as const), count: fc.nat({ max: 1 }) }, { noNullPrototype: true }),
  )
  fc.assert(
    fc.property(fc.array(step), steps => {
      const queue = new Queue()
      let given = 0
      for (const { type, count } of steps) {
        if (type === 'room') queue.room = count
        if (type === 'fail') queue.failure = count === 1 ? new Error('no') : undefined
        if (type === 'flush') queue.outbox.flush()
        if (type === 'answer') for (let i = 0; i < count; i++) queue.answer(2 * given++)
        if (type === 'announce') for (let i = 0; i < count; i++) queue.announce(2 * given++ + 1)
        if (type === 'round') for (let i = 0; i < count; i++) queue.announceWritten(2 * given++ + 1)
        const { responsesSent, gratuitousSent } = queue.counters
        assert.equal(queue.sent.length + queue.outbox.lost + queue.outbox.waiting, given)
        assert.equal(responsesSent + gratuitousSent, queue.sent.length)
      }
      const answers = queue.sent.filter(number => number % 2 === 0)
      assert.deepEqual(
        answers,
        answers.toSorted((a, b) => a - b),
      )
      assert.equal(new Set(queue.sent).size, queue.sent.length, 'none twice')
    }),
  )
})
