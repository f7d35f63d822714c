import t from 'tap'
import { gaps, Lone, LOCAL, MS, S } from './bfd/lone.js'

/** The other end of most tests: 100 ms both ways. */
const PEER = { desiredMinTxInterval: 100 * MS, requiredMinRxInterval: 100 * MS }
const OPTIONS = { transmitInterval: 100, receiveInterval: 100 }

t.test('RFC 5880 section 6.8.3: one packet a second until the session is Up', async t => {
  const lone = new Lone({ transmitInterval: 10, receiveInterval: 10 })
  lone.advance(5 * S)
  const sent = lone.take()
  t.same(gaps(sent), [S, S, S, S, S])
  t.ok(sent.every(packet => packet.desiredMinTxInterval === S && packet.requiredMinRxInterval === 10 * MS))
  const slow = new Lone({ transmitInterval: 4000 })
  slow.advance(8 * S)
  t.match(slow.take(), [{ at: 0, desiredMinTxInterval: 4 * S }, { at: 4 * S }, { at: 8 * S }])
})

t.test('RFC 5880 section 6.8.3: Up brings the wanted interval, with a Poll Sequence', async t => {
  const lone = new Lone(OPTIONS)
  lone.advance(0)
  lone.take()
  lone.receive({ state: 'Init', ...PEER })
  lone.listen(300 * MS, 50 * MS, PEER)
  t.match(
    lone.take(),
    [0, 100, 200, 300].map(at => ({ at: at * MS, poll: true, desiredMinTxInterval: 100 * MS })),
  )
  t.equal(lone.snapshot.polling, true)
  lone.receive({ state: 'Up', final: true, ...PEER })
  t.equal(lone.snapshot.polling, false)
  lone.listen(200 * MS, 50 * MS, PEER)
  t.match(lone.take(), [
    { at: 400 * MS, poll: false },
    { at: 500 * MS, poll: false },
  ])
})

t.test('RFC 5880 section 6.8.3: Down brings the slow interval back at once, and ends the Poll Sequence', async t => {
  const lone = new Lone(OPTIONS).up(PEER)
  lone.perform(lone.session.change({ ...OPTIONS, transmitInterval: 50 }, lone.now))
  lone.receive({ state: 'Down', ...PEER })
  lone.advance(2 * S)
  const sent = lone.take()
  t.same(gaps(sent), [S, S])
  t.ok(sent.every(({ desiredMinTxInterval, poll }) => desiredMinTxInterval === S && !poll))
})

t.test('RFC 5880 section 6.5: a Poll Sequence uses the scheduled packets, and adds none', async t => {
  const lone = new Lone(OPTIONS).up(PEER)
  lone.listen(130 * MS, 10 * MS, PEER)
  lone.take()
  t.same(lone.session.change({ ...OPTIONS, receiveInterval: 200 }, lone.now), [])
  lone.listen(270 * MS, 10 * MS, PEER)
  t.match(
    lone.take(),
    [200, 300, 400].map(at => ({ at: at * MS, poll: true, requiredMinRxInterval: 200 * MS })),
  )
})

t.test('RFC 5880 section 6.8.3: a longer transmit interval waits for the Final', async t => {
  const lone = new Lone(OPTIONS).up(PEER)
  lone.perform(lone.session.change({ ...OPTIONS, transmitInterval: 400 }, lone.now))
  lone.listen(300 * MS, 50 * MS, PEER)
  t.match(
    lone.take(),
    [100, 200, 300].map(at => ({ at: at * MS, poll: true, desiredMinTxInterval: 400 * MS })),
  )
  t.equal(lone.snapshot.transmitInterval, 100 * MS)
  lone.receive({ state: 'Up', final: true, ...PEER })
  t.equal(lone.snapshot.transmitInterval, 400 * MS)
  lone.listen(1000 * MS, 50 * MS, PEER)
  t.same(
    lone.take().map(({ at }) => at / MS),
    [400, 800, 1200],
    'the packet that was scheduled keeps its time',
  )
})

t.test('RFC 5880 section 6.8.3: a shorter transmit interval counts at once', async t => {
  const lone = new Lone({ ...OPTIONS, transmitInterval: 400 }).up(PEER)
  lone.listen(500 * MS, 50 * MS, PEER)
  lone.take()
  lone.perform(lone.session.change(OPTIONS, lone.now))
  lone.advance(0)
  t.match(lone.take(), [{ at: 500 * MS, poll: true, desiredMinTxInterval: 100 * MS }], '100 ms after the last one')
  lone.listen(200 * MS, 50 * MS, PEER)
  t.same(
    lone.take().map(({ at }) => at / MS),
    [600, 700],
  )
})

t.test(
  'RFC 5880 section 6.8.3: a shorter receive interval waits for the Final before it shortens the Detection Time',
  async t => {
    const lone = new Lone({ ...OPTIONS, receiveInterval: 300 }).up(PEER)
    t.equal(lone.snapshot.detectionTime, 900 * MS)
    lone.perform(lone.session.change({ ...OPTIONS, receiveInterval: 200 }, lone.now))
    t.equal(lone.snapshot.requiredMinRxInterval, 200 * MS)
    lone.listen(300 * MS, 100 * MS, PEER)
    t.equal(lone.snapshot.detectionTime, 900 * MS)
    t.equal(lone.snapshot.receiveInterval, 300 * MS)
    lone.receive({ state: 'Up', final: true, ...PEER })
    t.equal(lone.snapshot.detectionTime, 600 * MS)
    t.equal(lone.snapshot.receiveInterval, 200 * MS)
  },
)

t.test('RFC 5880 section 6.8.3: a longer receive interval makes the Detection Time longer at once', async t => {
  const lone = new Lone(OPTIONS).up(PEER)
  lone.perform(lone.session.change({ ...OPTIONS, receiveInterval: 200 }, lone.now))
  t.equal(lone.snapshot.detectionTime, 600 * MS)
  t.equal(lone.session.detectionDeadline, lone.now + 600 * MS)
})

t.test('RFC 5880 section 6.8.3: a change during a Poll Sequence begins another one after it', async t => {
  const lone = new Lone(OPTIONS).up(PEER)
  lone.perform(lone.session.change({ ...OPTIONS, receiveInterval: 200 }, lone.now))
  lone.listen(100 * MS, 50 * MS, PEER)
  lone.perform(lone.session.change({ ...OPTIONS, receiveInterval: 50 }, lone.now))
  t.match(lone.snapshot, { polling: true, changePending: true, requiredMinRxInterval: 200 * MS })
  lone.listen(100 * MS, 50 * MS, PEER)
  t.match(lone.take(), [
    { at: 100 * MS, poll: true, requiredMinRxInterval: 200 * MS },
    { at: 200 * MS, poll: true, requiredMinRxInterval: 200 * MS },
  ])
  // Two polls are out, the first one 100 ms ago: another Final may come until as long after the second.
  lone.receive({ state: 'Up', final: true, ...PEER })
  t.match(lone.snapshot, { polling: false, changePending: true, requiredMinRxInterval: 200 * MS })
  lone.advance(99 * MS)
  lone.receive({ state: 'Up', final: true, ...PEER })
  t.match(lone.snapshot, { polling: false, changePending: true }, 'the Final of the second poll')
  lone.advance(1 * MS)
  t.match(lone.take(), [{ at: 300 * MS, poll: true, requiredMinRxInterval: 50 * MS }])
  lone.receive({ state: 'Up', final: true, ...PEER })
  t.match(lone.snapshot, { polling: false, changePending: false, requiredMinRxInterval: 50 * MS })
})

t.test(
  'RFC 5880 section 6.8.3: a longer receive interval counts from the moment that its Poll Sequence begins',
  async t => {
    const lone = new Lone(OPTIONS).up({ ...PEER, detectMult: 5 })
    lone.perform(lone.session.change({ ...OPTIONS, receiveInterval: 200 }, lone.now))
    lone.advance(200 * MS)
    lone.perform(lone.session.change({ ...OPTIONS, receiveInterval: 1000 }, lone.now))
    lone.receive({ state: 'Up', final: true, ...PEER, detectMult: 5 })
    t.match(lone.snapshot, { changePending: true, detectionTime: S })
    lone.advance(100 * MS)
    t.match(lone.take().at(-1), { poll: true, requiredMinRxInterval: S })
    t.equal(lone.snapshot.detectionTime, 5 * S, 'the peer may be as slow from now on')
  },
)

t.test('RFC 5880 section 6.8.3: changes before the first Poll packet are told by one sequence', async t => {
  const lone = new Lone(OPTIONS).up(PEER)
  lone.perform(lone.session.change({ ...OPTIONS, receiveInterval: 200 }, lone.now))
  lone.perform(lone.session.change({ transmitInterval: 50, receiveInterval: 250 }, lone.now))
  lone.receive({ state: 'Up', final: true, ...PEER })
  t.equal(lone.snapshot.polling, true, 'a Final before the first Poll answers nothing')
  lone.listen(100 * MS, 50 * MS, PEER)
  t.match(lone.take(), [{ poll: true, desiredMinTxInterval: 50 * MS, requiredMinRxInterval: 250 * MS }])
  lone.receive({ state: 'Up', final: true, ...PEER })
  t.match(lone.snapshot, { polling: false, changePending: false })
})

t.test('RFC 5880 section 6.5: nothing to change, no Poll Sequence', async t => {
  const lone = new Lone(OPTIONS).up(PEER)
  t.same(lone.session.change({ ...OPTIONS, detectMultiplier: 5 }, lone.now), [])
  lone.listen(100 * MS, 50 * MS, PEER)
  t.match(lone.take(), [{ poll: false, detectMult: 5 }], 'section 6.8.12: the Detect Mult needs none')
  t.equal(lone.snapshot.remoteDetectionTime, 500 * MS)
})

t.test('RFC 5880 section 6.5: a Final out of nowhere changes nothing', async t => {
  const lone = new Lone(OPTIONS).up(PEER)
  const before = lone.snapshot
  t.same(lone.receive({ state: 'Up', final: true, ...PEER }), [])
  t.same(lone.snapshot, before)
})

t.test('a change of a session that is Down is told by the next packet', async t => {
  const lone = new Lone(OPTIONS)
  lone.advance(500 * MS)
  lone.take()
  t.same(lone.session.change({ transmitInterval: 2000, receiveInterval: 50 }, lone.now), [])
  t.match(lone.snapshot, { desiredMinTxInterval: 2 * S, requiredMinRxInterval: 50 * MS, polling: false })
  lone.advance(3 * S)
  t.match(lone.take(), [{ at: 2 * S, poll: false, desiredMinTxInterval: 2 * S }])
})

t.test('a change of a session in Init waits until the other end is known to be there', async t => {
  const lone = new Lone(OPTIONS)
  lone.advance(0)
  lone.receive({ state: 'Down', ...PEER })
  lone.take()
  t.equal(lone.snapshot.changePending, false)
  lone.perform(lone.session.change({ transmitInterval: 3000, receiveInterval: 50 }, lone.now))
  lone.advance(0)
  t.match(lone.snapshot, { desiredMinTxInterval: S, requiredMinRxInterval: 100 * MS, changePending: true })
  lone.receive({ state: 'Up', ...PEER })
  t.match(lone.take(), [{ poll: true, desiredMinTxInterval: 3 * S, requiredMinRxInterval: 50 * MS }])
  t.equal(lone.snapshot.transmitInterval, S, 'longer: not before the Final')
})

for (const state of ['Down', 'Init', 'Up'] as const) {
  t.test(`RFC 5880 section 6.8.7: a Poll is answered at once when the session is ${state}`, async t => {
    const lone = new Lone(OPTIONS)
    if (state === 'Up') lone.up(PEER)
    else lone.advance(0)
    if (state === 'Init') lone.receive({ state: 'Down', ...PEER, desiredMinTxInterval: S })
    lone.take()
    const { deadline } = lone.session
    lone.advance(30 * MS)
    lone.receive({ state: state === 'Init' ? 'Down' : 'Up', poll: true, ...PEER, desiredMinTxInterval: S })
    t.match(lone.take(), [{ state, poll: false, final: true }])
    t.equal(lone.session.deadline, deadline, 'the schedule goes on')
  })
}

t.test('RFC 5880 section 6.5: a packet never has both bits', async t => {
  const lone = new Lone(OPTIONS).up(PEER)
  lone.perform(lone.session.change({ ...OPTIONS, receiveInterval: 200 }, lone.now))
  lone.receive({ state: 'Up', poll: true, ...PEER })
  t.match(
    lone.take(),
    [{ poll: false, final: true, requiredMinRxInterval: 200 * MS }],
    'section 6.8.3: new values in a Final',
  )
  lone.advance(100 * MS)
  t.match(lone.take(), [{ poll: true, final: false }])
})

t.test('RFC 5880 section 6.8.6: the Final tells the new state when the Poll has changed it', async t => {
  const lone = new Lone(OPTIONS)
  lone.advance(0)
  lone.take()
  lone.receive({ state: 'Init', poll: true, ...PEER })
  t.match(lone.take(), [{ state: 'Up', poll: false, final: true }], 'one packet for both')
  lone.advance(100 * MS)
  t.match(lone.take(), [{ state: 'Up', poll: true, final: false }])
})

t.test('RFC 5880 section 6.8.7: the larger of our interval and the one the peer can receive', async t => {
  const lone = new Lone(OPTIONS).up({ ...PEER, requiredMinRxInterval: 250 * MS })
  t.equal(lone.snapshot.transmitInterval, 250 * MS)
  lone.listen(500 * MS, 50 * MS, { ...PEER, requiredMinRxInterval: 250 * MS })
  t.same(
    lone.take().map(({ at }) => at / MS),
    [250, 500],
  )
  lone.advance(30 * MS)
  lone.receive({ state: 'Up', ...PEER, requiredMinRxInterval: 500 * MS })
  lone.listen(500 * MS, 50 * MS, { ...PEER, requiredMinRxInterval: 500 * MS })
  t.same(
    lone.take().map(({ at }) => at / MS),
    [1000],
    'longer: from the last packet on',
  )
})

t.test('RFC 5880 section 6.8.3: a reduced Required Min RX Interval is honored immediately', async t => {
  const slow = { ...PEER, requiredMinRxInterval: 400 * MS }
  const lone = new Lone(OPTIONS).up(slow)
  lone.listen(450 * MS, 50 * MS, slow)
  lone.take()
  lone.receive({ state: 'Up', ...PEER })
  lone.listen(60 * MS, 20 * MS, PEER)
  t.match(lone.take(), [{ at: 500 * MS }], 'within 100 ms of the packet at 400 ms')
  lone.receive({ state: 'Up', ...slow })
  lone.listen(200 * MS, 50 * MS, slow)
  lone.take()
  lone.receive({ state: 'Up', ...PEER })
  t.equal(lone.session.deadline, lone.now, 'as soon as practicable when that time has passed')
})

t.test('RFC 5880 section 6.8.7: no periodic packets while Required Min RX Interval is zero', async t => {
  const none = { ...PEER, requiredMinRxInterval: 0 }
  const lone = new Lone(OPTIONS).up(PEER)
  lone.receive({ state: 'Up', ...none })
  lone.perform(lone.session.change({ ...OPTIONS, receiveInterval: 150 }, lone.now))
  lone.listen(2 * S, 50 * MS, none)
  t.same(lone.take(), [])
  t.match(lone.snapshot, { transmitInterval: 0, remoteDetectionTime: 0 })
  lone.receive({ state: 'Up', poll: true, ...none })
  t.match(lone.take(), [{ final: true }])
  lone.receive({ state: 'Down', ...none })
  t.match(lone.take(), [{ state: 'Down' }], 'a new state is told all the same')
  lone.receive({ state: 'Up', ...PEER })
  lone.advance(S)
  t.equal(lone.take().length, 1)
})

t.test('RFC 5880 section 6.8.4: the Detection Time is the remote Detect Mult times the agreed interval', async t => {
  const lone = new Lone({ ...OPTIONS, detectMultiplier: 9 }).up({ ...PEER, detectMult: 4 })
  t.equal(lone.snapshot.detectionTime, 400 * MS)
  lone.receive({ state: 'Up', ...PEER, detectMult: 4, desiredMinTxInterval: 700 * MS })
  t.equal(lone.snapshot.detectionTime, 2800 * MS)
  lone.receive({ state: 'Up', ...PEER, detectMult: 2, desiredMinTxInterval: 7 * MS })
  t.equal(lone.snapshot.detectionTime, 200 * MS)
})

for (const { detectMultiplier, random, part } of [
  { detectMultiplier: 3, random: 0, part: 0.75 },
  { detectMultiplier: 3, random: 0.5, part: 0.875 },
  { detectMultiplier: 3, random: 1 - 2 ** -53, part: 1 },
  { detectMultiplier: 1, random: 0, part: 0.75 },
  { detectMultiplier: 1, random: 0.5, part: 0.825 },
  { detectMultiplier: 1, random: 1 - 2 ** -53, part: 0.9 },
]) {
  t.test(`RFC 5880 section 6.8.7: jitter makes ${part * 100} % at Detect Mult ${detectMultiplier}`, async t => {
    const lone = new Lone({ ...OPTIONS, detectMultiplier }, { random: () => random }).up(PEER)
    lone.listen(500 * MS, 50 * MS, PEER)
    for (const gap of gaps(lone.take())) t.ok(Math.abs(gap - part * 100 * MS) < 0.001)
  })
}

t.test('a late timer does not make the schedule drift', async t => {
  const lone = new Lone(OPTIONS).up({ ...PEER, detectMult: 255 })
  const at: number[] = []
  for (let round = 0; round < 50; round++) {
    lone.now = lone.session.deadline + (round % 5) * 4 * MS
    at.push(lone.now / MS)
    t.equal(lone.perform(lone.session.expire(lone.now)).length, 1)
  }
  t.same(
    at,
    Array.from(at, (_, index) => (index + 1) * 100 + (index % 5) * 4),
  )
})

t.test(
  'RFC 5880 section 6.8.7: after a stall no packet comes sooner than 75 % of the interval after another',
  async t => {
    const lone = new Lone(OPTIONS).up({ ...PEER, detectMult: 255 })
    lone.now = lone.session.deadline + 2 * S
    t.equal(lone.perform(lone.session.expire(lone.now)).length, 1, 'what was missed is not made up for')
    lone.take()
    lone.advance(300 * MS)
    t.same(gaps(lone.take()), [100 * MS, 100 * MS])
  },
)

t.test('RFC 5880 section 6.8.7: late timers never bring two packets closer than 75 %', async t => {
  const lone = new Lone(OPTIONS).up({ ...PEER, detectMult: 255 })
  const at: number[] = []
  for (let round = 0; round < 20; round++) {
    lone.now = lone.session.deadline + (round % 2 === 0 ? 60 * MS : 0)
    at.push(lone.now)
    lone.perform(lone.session.expire(lone.now))
  }
  for (const [index, one] of at.entries()) if (index > 0) t.ok(one - at[index - 1]! >= 75 * MS)
})

const DEMAND = { ...PEER, demand: true }

t.test('RFC 5880 section 6.6: in Demand mode of the peer, no periodic packets', async t => {
  const lone = new Lone(OPTIONS).up(PEER)
  lone.receive({ state: 'Up', ...DEMAND })
  t.match(lone.snapshot, { remoteDemandActive: true, transmitInterval: 0 })
  lone.listen(2 * S, 50 * MS, DEMAND)
  t.same(lone.take(), [])
  lone.receive({ state: 'Up', poll: true, ...DEMAND })
  t.match(lone.take(), [{ final: true, demand: false }], 'a Poll is answered')
  lone.receive({ state: 'Up', ...PEER })
  t.equal(lone.session.deadline, lone.now, 'at its end they come again')
  t.equal(lone.snapshot.remoteDemandActive, false)
})

t.test('RFC 5880 section 6.6: Demand mode counts only when both are Up', async t => {
  const lone = new Lone(OPTIONS)
  lone.advance(0)
  lone.receive({ state: 'Down', ...DEMAND, desiredMinTxInterval: S })
  lone.take()
  lone.listen(2 * S, 500 * MS, { ...DEMAND, state: 'Down', desiredMinTxInterval: S })
  t.equal(lone.take().length, 2)
  const down = new Lone(OPTIONS)
  down.receive({ state: 'Up', ...DEMAND, desiredMinTxInterval: S })
  down.listen(2 * S, 500 * MS, { ...DEMAND, desiredMinTxInterval: S })
  t.equal(down.take().length, 3, 'a peer that is still Up hears of it')
  lone.receive({ state: 'Init', ...DEMAND })
  lone.receive({ state: 'Init', ...DEMAND, final: true })
  t.equal(lone.snapshot.remoteDemandActive, false)
  lone.take()
  lone.listen(200 * MS, 50 * MS, { ...DEMAND, state: 'Init' })
  t.equal(lone.take().length, 2)
})

t.test('RFC 5880 section 6.6: a Poll Sequence of ours in Demand mode of the peer', async t => {
  const lone = new Lone(OPTIONS).up(PEER)
  lone.receive({ state: 'Up', ...DEMAND })
  lone.listen(S, 50 * MS, DEMAND)
  lone.perform(lone.session.change({ ...OPTIONS, receiveInterval: 150 }, lone.now))
  lone.listen(200 * MS, 50 * MS, DEMAND)
  t.match(
    lone.take(),
    [0, 100, 200].map(after => ({ at: S + after * MS, poll: true, requiredMinRxInterval: 150 * MS })),
  )
  lone.perform(lone.session.change({ ...OPTIONS, receiveInterval: 120 }, lone.now))
  lone.receive({ state: 'Up', final: true, ...DEMAND })
  // First poll 200 ms ago, last one now: the next sequence keeps 200 ms away from it.
  lone.listen(190 * MS, 10 * MS, DEMAND)
  t.same(lone.take(), [])
  lone.listen(10 * MS, 10 * MS, DEMAND)
  t.match(lone.take(), [{ poll: true, requiredMinRxInterval: 120 * MS }])
  lone.receive({ state: 'Up', final: true, ...DEMAND })
  lone.listen(S, 50 * MS, DEMAND)
  t.same(lone.take(), [], 'silent again')
  t.match(lone.snapshot, { requiredMinRxInterval: 120 * MS, polling: false, changePending: false })
})

t.test('RFC 5880 section 6.6: a peer in Demand mode is still watched, as it goes on sending', async t => {
  const lone = new Lone(OPTIONS).up(DEMAND)
  lone.advance(300 * MS - 1)
  t.equal(lone.state, 'Up')
  lone.advance(1)
  t.equal(lone.state, 'Down')
})

t.test('the context is checked', async t => {
  t.throws(() => new Lone({}, { myDiscriminator: 0 }), { name: 'RangeError', message: /^myDiscriminator / })
  t.throws(() => new Lone({}, { myDiscriminator: 2 ** 32 }), { name: 'RangeError', message: /^myDiscriminator / })
  t.equal(new Lone().snapshot.myDiscriminator, LOCAL)
})
