import t from 'tap'
import { Diagnostic } from '@typemetal/bgp/bfd'
import { gaps, LOCAL, Lone, MS, S } from './bfd/lone.js'

const OPTIONS = { transmitInterval: 100, receiveInterval: 100, echoInterval: 50, echoMode: true }
const PEER = { desiredMinTxInterval: 100 * MS, requiredMinRxInterval: 100 * MS, requiredMinEchoRxInterval: 20 * MS }
const NO_ECHO = { ...PEER, requiredMinEchoRxInterval: 0 }

/** Lets time pass; what goes out comes back after a while, and the peer's packets come every 100 ms. */
function loop(lone: Lone, time: number, back = 2 * MS, packet: object = PEER): void {
  const end = lone.now + time
  let next = lone.now + 100 * MS
  while (lone.now < end) {
    const due = Math.min(next, end, lone.session.deadline)
    lone.advance(due - lone.now)
    if (lone.now === next) {
      lone.receive({ state: 'Up', ...packet })
      next += 100 * MS
    }
    const echo = lone.echoes.at(-1)
    if (echo !== undefined && echo.at === lone.now) {
      lone.advance(back)
      lone.perform(lone.session.receiveEcho(echo, lone.now))
    }
  }
}

t.test('RFC 5880 section 6.8.9: echo packets only while Up, when both sides want them', async t => {
  const lone = new Lone(OPTIONS)
  lone.advance(0)
  t.match(lone.take(), [{ requiredMinEchoRxInterval: 50 * MS }])
  lone.receive({ state: 'Down', ...PEER, desiredMinTxInterval: S })
  lone.advance(S)
  t.same(lone.echoes, [])
  lone.receive({ state: 'Up', ...PEER })
  lone.advance(0)
  t.match(lone.echoes, [{ at: S, myDiscriminator: LOCAL }])
  lone.receive({ state: 'Down', ...PEER })
  lone.advance(S)
  t.equal(lone.echoes.length, 1, 'not when Down')
  t.match(lone.snapshot, { echoActive: false, echoInterval: 0 })
})

t.test('RFC 5880 section 6.8.9: none to a peer that loops none, nor without echoMode', async t => {
  const refused = new Lone(OPTIONS).up(NO_ECHO)
  const off = new Lone({ ...OPTIONS, echoMode: false }).up(PEER)
  for (const lone of [refused, off]) {
    lone.listen(S, 50 * MS, lone === off ? PEER : NO_ECHO)
    t.same(lone.echoes, [])
    t.match(lone.snapshot, { echoActive: false, requiredMinRxInterval: 100 * MS })
  }
  t.equal(off.take()[0]?.requiredMinEchoRxInterval, 0, 'we do not offer what we are not asked to')
})

t.test('RFC 5880 section 6.8.6: echo packets cease when the peer says so, and begin again', async t => {
  const lone = new Lone(OPTIONS).up(PEER)
  loop(lone, S)
  lone.receive({ state: 'Up', ...NO_ECHO })
  const { length } = lone.echoes
  t.ok(length > 15)
  lone.listen(S, 100 * MS, NO_ECHO)
  t.equal(lone.echoes.length, length)
  lone.receive({ state: 'Up', ...PEER })
  lone.advance(0)
  t.equal(lone.echoes.length, length + 1)
  t.equal(lone.state, 'Up')
})

t.test('RFC 5880 section 6.8.9: the rate is what both bear', async t => {
  for (const [theirs, interval] of [
    [20 * MS, 50 * MS],
    [80 * MS, 80 * MS],
  ] as const) {
    const lone = new Lone(OPTIONS).up({ ...PEER, requiredMinEchoRxInterval: theirs })
    t.equal(lone.snapshot.echoInterval, interval)
    loop(lone, S, 2 * MS, { ...PEER, requiredMinEchoRxInterval: theirs })
    t.same(new Set(gaps(lone.echoes)), new Set([interval]))
  }
})

t.test('RFC 5880 section 6.8.9: jitter of 25 %, also at Detect Mult 1', async t => {
  for (const [random, gap] of [
    [0, 37.5 * MS],
    [0.5, 43.75 * MS],
    [1 - 2 ** -53, 50 * MS],
  ] as const) {
    const lone = new Lone({ ...OPTIONS, detectMultiplier: 1 }, { random: () => random }).up(PEER)
    loop(lone, 300 * MS)
    t.ok(lone.echoes.length > 4)
    for (const one of gaps(lone.echoes)) t.ok(Math.abs(one - gap) < 0.001)
  }
})

t.test('RFC 5880 section 6.8.9: a session that goes Down and Up does not send them closer together', async t => {
  const lone = new Lone(OPTIONS).up(PEER)
  lone.advance(0)
  lone.advance(10 * MS)
  lone.receive({ state: 'Down', ...PEER })
  t.equal(lone.state, 'Down')
  lone.receive({ state: 'Init', ...PEER })
  t.equal(lone.state, 'Up')
  lone.advance(40 * MS)
  t.same(gaps(lone.echoes), [50 * MS])
})

t.test('RFC 5880 section 6.8.3: beside echo packets, control packets come once a second', async t => {
  const lone = new Lone(OPTIONS)
  lone.advance(0)
  lone.take()
  lone.receive({ state: 'Init', ...PEER })
  t.match(
    lone.take(),
    [{ poll: true, desiredMinTxInterval: 100 * MS, requiredMinRxInterval: S }],
    'one Poll Sequence for all',
  )
  t.equal(lone.snapshot.detectionTime, 3 * S)
  lone.receive({ state: 'Up', final: true, ...PEER })
  loop(lone, 300 * MS)
  lone.perform(lone.session.change({ ...OPTIONS, receiveInterval: 2000 }, lone.now))
  t.equal(lone.snapshot.requiredMinRxInterval, 2 * S, 'or less')
  loop(lone, 110 * MS)
  lone.receive({ state: 'Up', final: true, ...PEER })
  lone.take()
  lone.perform(lone.session.change({ ...OPTIONS, echoMode: false }, lone.now))
  t.match(
    lone.snapshot,
    { requiredMinRxInterval: 100 * MS, polling: true, detectionTime: 6 * S },
    'with a Poll Sequence',
  )
  lone.listen(100 * MS, 100 * MS, PEER)
  t.match(lone.take(), [{ poll: true, requiredMinEchoRxInterval: 0 }])
  lone.receive({ state: 'Up', final: true, ...PEER })
  t.equal(lone.snapshot.detectionTime, 300 * MS)
})

t.test('RFC 5880 section 6.8.5: the session goes Down when echo packets do not come back', async t => {
  const lone = new Lone(OPTIONS).up(PEER)
  loop(lone, S)
  t.equal(lone.state, 'Up')
  const [last] = lone.echoes.slice(-1)
  const next = last!.at + 50 * MS
  // The first without an answer is sent at `next`.
  lone.advance(next - lone.now)
  t.equal(lone.session.detectionDeadline, next + 150 * MS)
  lone.advance(150 * MS - 1)
  t.equal(lone.state, 'Up')
  lone.take()
  lone.advance(1)
  const diagnostic = Diagnostic.EchoFunctionFailed
  t.match(lone.changes, [{ from: 'Up', to: 'Down', diagnostic, cause: 'no echo packet within the detection time' }])
  t.match(lone.take(), [{ state: 'Down', diagnostic, requiredMinRxInterval: 100 * MS }])
})

t.test('RFC 5880 section 6.8.5: one that comes back is enough', async t => {
  const lone = new Lone(OPTIONS).up(PEER)
  lone.advance(0)
  lone.advance(140 * MS)
  t.equal(lone.echoes.length, 3)
  t.same(lone.session.receiveEcho(lone.echoes[1]!, lone.now), [])
  t.equal(lone.session.detectionDeadline, lone.now + 150 * MS, 'the third is out')
  t.same(lone.session.receiveEcho(lone.echoes[2]!, lone.now), [])
  t.equal(lone.session.detectionDeadline, 3 * S, 'none is out: only the Detection Time of control packets counts')
})

t.test('a stall in which nothing was sent accuses nobody', async t => {
  const lone = new Lone(OPTIONS).up(PEER)
  lone.advance(0)
  t.same(lone.session.receiveEcho(lone.echoes[0]!, 1 * MS), [])
  lone.now += 2 * S
  lone.receive({ state: 'Up', ...PEER })
  lone.perform(lone.session.expire(lone.now))
  t.equal(lone.state, 'Up')
  t.equal(lone.echoes.length, 2)
  t.equal(lone.session.detectionDeadline, lone.now + 150 * MS)
})

t.test('RFC 5880 section 6.8.8: an echo packet that was not waited for is discarded', async t => {
  const lone = new Lone(OPTIONS).up(PEER)
  lone.advance(60 * MS)
  const [first, second] = lone.echoes
  const refused = [{ type: 'discard', reason: 'echo' }]
  t.same(lone.session.receiveEcho({ ...second!, cookie: second!.cookie ^ 1 }, lone.now), refused, 'made up')
  t.same(lone.session.receiveEcho({ ...second!, myDiscriminator: LOCAL + 1 }, lone.now), refused, 'of another session')
  t.same(
    lone.session.receiveEcho({ ...second!, sequenceNumber: second!.sequenceNumber + 1 }, lone.now),
    refused,
    'not sent',
  )
  t.same(lone.session.receiveEcho(second!, lone.now), [])
  t.same(lone.session.receiveEcho(second!, lone.now), refused, 'twice')
  t.same(lone.session.receiveEcho(first!, lone.now), refused, 'overtaken')
  t.same(new Lone(OPTIONS).session.receiveEcho(second!, 0), refused, 'not active')
})

t.test('RFC 5880 section 6.8.4: control packets are still watched', async t => {
  const lone = new Lone(OPTIONS).up(PEER)
  while (lone.state === 'Up') {
    lone.advance(lone.session.deadline - lone.now)
    const echo = lone.echoes.at(-1)
    if (echo?.at === lone.now) lone.perform(lone.session.receiveEcho(echo, lone.now))
  }
  t.equal(lone.now, 3 * S)
  t.match(lone.changes, [{ diagnostic: Diagnostic.ControlDetectionTimeExpired }])
})
