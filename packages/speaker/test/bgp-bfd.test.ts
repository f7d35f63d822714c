/** The BFD worker comes and goes, and sessions outlive it. */
import t from 'tap'
import { BfdSessions } from '@typemetal/speaker'
import { FakeBfd } from './support/fake-bfd.js'
import { recordingLog } from './support/log.js'
import { VirtualClock, settle } from './support/virtual-clock.js'

function world() {
  const bfd = new FakeBfd()
  const log = recordingLog()
  const clock = new VirtualClock()
  const faults: (string | undefined)[] = []
  const sessions: BfdSessions = new BfdSessions({
    start: bfd.start,
    log,
    clock,
    changed: () => faults.push(sessions.fault),
  })
  return { bfd, log, clock, faults, sessions }
}

t.test('the first session starts the worker, the last one ends it, and the next one waits for its sockets', async t => {
  const { bfd, sessions } = world()
  const first = sessions.session({ address: '192.0.2.1', transmitInterval: 100 })
  t.equal(first.state, 'Down', 'BGP need not wait')
  first.change({ transmitInterval: 50 })
  await settle()
  t.match(
    bfd.workers[0]?.sessions[0]?.request,
    { address: '192.0.2.1', transmitInterval: 50 },
    'as it is wanted by then',
  )
  const second = sessions.session({ address: '192.0.2.2' })
  second.change({ detectMultiplier: 5 })
  t.strictSame(bfd.workers[0]?.sessions[1]?.changes, [{ detectMultiplier: 5 }])
  first.close()
  await settle()
  t.notOk(bfd.workers[0]?.closed)
  second.close()
  const third = sessions.session({ address: '192.0.2.3' })
  await settle()
  t.equal(bfd.workers.filter(({ closed }) => !closed).length, 1, 'one at a time')
  t.equal(third.reading?.state, 'Down')
  await sessions[Symbol.asyncDispose]()
  t.ok(bfd.workers.every(({ closed }) => closed))
})

t.test('a worker that dies accuses nobody, and another one goes on', async t => {
  const { bfd, log, clock, faults, sessions } = world()
  const session = sessions.session({ address: '192.0.2.1' })
  await settle()
  const states: string[] = []
  session.on('state', to => states.push(to))
  bfd.workers[0]?.sessions[0]?.become('Up')
  bfd.workers[0]?.die('out of memory')
  t.strictSame(states, ['Up', 'AdminDown'])
  t.equal(session.state, 'AdminDown', 'which RFC 5882 section 3.2 takes for no failure')
  t.equal(sessions.fault, 'out of memory')
  await clock.advance(1_000)
  t.equal(bfd.workers.length, 2)
  t.strictSame(states, ['Up', 'AdminDown', 'Down'])
  bfd.workers[1]?.sessions[0]?.become('Up')
  t.strictSame(states.at(-1), 'Up')
  t.equal(session.notifications, 3, 'what a new worker begins with is no news')
  t.strictSame(faults, ['out of memory', undefined])
  t.equal(log.lines.filter(({ level }) => level === 'error').length, 1)
  t.strictSame(
    log.lines.filter(line => line['peer'] === '192.0.2.1').map(line => line['event']),
    ['bfdSessionUp', 'bfdSessionDown', 'bfdSessionUp'],
  )
  await sessions[Symbol.asyncDispose]()
})

t.test('a worker that cannot start is tried again, later and later, and said once', async t => {
  const { bfd, log, clock, sessions } = world()
  bfd.refusal = 'another process has a port of BFD'
  const session = sessions.session({ address: '192.0.2.1' })
  await settle()
  t.equal(sessions.fault, 'another process has a port of BFD')
  t.match(sessions.readings(), [{ peer: '192.0.2.1', snapshot: undefined }], 'there to be alerted on')
  await clock.advance(600_000)
  t.equal(log.lines.filter(({ level }) => level === 'error').length, 1)
  bfd.refusal = undefined
  await clock.advance(60_000)
  t.equal(bfd.workers.length, 1)
  t.equal(sessions.fault, undefined)
  session.close()
  await settle()
  t.equal(clock.pending, 0)
})

t.test('nothing is tried any more when nobody wants it', async t => {
  const { bfd, clock, sessions } = world()
  bfd.refusal = 'no'
  sessions.session({ address: '192.0.2.1' }).close()
  await settle()
  t.equal(clock.pending, 0)
  t.equal(sessions.fault, undefined)
})
