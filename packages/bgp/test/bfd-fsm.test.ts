import t from 'tap'
import { Diagnostic, STATES, type ControlPacket, type State } from '@typemetal/bgp/bfd'
import { LOCAL, Lone, MS, REMOTE, S } from './bfd/lone.js'

const FAST: Partial<ControlPacket> = { desiredMinTxInterval: 300 * MS }

/** A session in that state; the way there is not in what it has sent or told. */
function inState(state: State): Lone {
  const lone = new Lone()
  lone.advance(0)
  if (state === 'Init') lone.receive({ state: 'Down' })
  else if (state === 'Up') lone.up(FAST)
  else if (state === 'AdminDown') lone.perform(lone.session.disable(lone.now))
  lone.take()
  lone.changes = []
  lone.remoteChanges = []
  return lone
}

/** Section 6.8.6: state of the session, received state, state after it and its diagnostic. */
const TABLE: readonly [from: State, received: State, to: State, diagnostic?: number][] = [
  ['AdminDown', 'AdminDown', 'AdminDown'],
  ['AdminDown', 'Down', 'AdminDown'],
  ['AdminDown', 'Init', 'AdminDown'],
  ['AdminDown', 'Up', 'AdminDown'],
  ['Down', 'AdminDown', 'Down'],
  ['Down', 'Down', 'Init', 0],
  ['Down', 'Init', 'Up', 0],
  ['Down', 'Up', 'Down'],
  ['Init', 'AdminDown', 'Down', Diagnostic.NeighborSignaledSessionDown],
  ['Init', 'Down', 'Init'],
  ['Init', 'Init', 'Up', 0],
  ['Init', 'Up', 'Up', 0],
  ['Up', 'AdminDown', 'Down', Diagnostic.NeighborSignaledSessionDown],
  ['Up', 'Down', 'Down', Diagnostic.NeighborSignaledSessionDown],
  ['Up', 'Init', 'Up'],
  ['Up', 'Up', 'Up'],
]

t.test('RFC 5880 section 6.8.6: the table has every cell', async t => {
  t.equal(new Set(TABLE.map(([from, received]) => `${from} ${received}`)).size, STATES.length ** 2)
})

for (const [from, received, to, diagnostic] of TABLE) {
  t.test(`RFC 5880 section 6.8.6: ${received} received in ${from} leads to ${to}`, async t => {
    const lone = inState(from)
    lone.receive({ state: received, diagnostic: 5, ...FAST })
    t.equal(lone.state, to)
    t.equal(lone.snapshot.remoteState, received)
    t.equal(lone.snapshot.remoteDiagnostic, 5)
    t.same(lone.discards, from === 'AdminDown' ? ['administratively-down'] : [])
    if (from === to) {
      t.same(lone.changes, [])
      t.same(lone.take(), [], 'nothing has changed: nothing is sent between the periodic packets')
      return
    }
    t.match(lone.changes, [{ from, to, diagnostic, remoteState: received, remoteDiagnostic: 5, cause: /neighbor/ }])
    t.same(lone.remoteChanges, [], 'the state action tells it')
    t.match(lone.take(), [{ state: to, diagnostic, yourDiscriminator: REMOTE }], 'section 6.8.7: told at once')
  })
}

t.test('a remote state that moves nothing is told alone', async t => {
  const lone = inState('Down')
  lone.receive({ state: 'AdminDown' })
  lone.receive({ state: 'AdminDown' })
  t.same(lone.remoteChanges, [{ type: 'remote-state', from: 'Down', to: 'AdminDown' }])
  const disabled = inState('AdminDown')
  t.match(disabled.receive({ state: 'Up' }), [{ type: 'remote-state' }, { type: 'discard' }])
})

t.test('RFC 5880 section 6.2: from Down to Up in three packets', async t => {
  const lone = new Lone()
  t.equal(lone.session.deadline, 0, 'an active session is due to send at once')
  lone.advance(0)
  t.match(lone.take(), [{ state: 'Down', myDiscriminator: LOCAL, yourDiscriminator: 0, poll: false }])
  lone.receive({ state: 'Init' })
  t.equal(lone.state, 'Up')
  t.match(lone.take(), [{ state: 'Up', poll: true, yourDiscriminator: REMOTE, controlPlaneIndependent: false }])
})

t.test('RFC 5880 section 6.8.1: LocalDiag tells why the last session failed until the next is Up', async t => {
  const lone = inState('Up')
  lone.receive({ state: 'Down' })
  t.equal(lone.take()[0]?.diagnostic, Diagnostic.NeighborSignaledSessionDown)
  lone.receive({ state: 'Down' })
  t.equal(lone.state, 'Init')
  t.equal(lone.take()[0]?.diagnostic, Diagnostic.NeighborSignaledSessionDown)
  lone.receive({ state: 'Init' })
  t.equal(lone.take()[0]?.diagnostic, Diagnostic.NoDiagnostic)
})

for (const state of ['Init', 'Up'] as const) {
  t.test(`RFC 5880 section 6.8.4: ${state} goes Down after the Detection Time without a packet`, async t => {
    const lone = inState(state)
    const time = lone.snapshot.detectionTime
    t.equal(time, state === 'Up' ? 900 * MS : 3 * S)
    t.equal(lone.session.detectionDeadline, lone.now + time)
    lone.advance(time - 1)
    t.equal(lone.state, state)
    lone.take()
    lone.advance(1)
    t.equal(lone.state, 'Down')
    const diagnostic = Diagnostic.ControlDetectionTimeExpired
    t.match(lone.changes, [
      { from: state, to: 'Down', diagnostic, cause: 'no control packet within the detection time' },
    ])
    t.match(lone.take(), [{ state: 'Down', diagnostic, yourDiscriminator: 0, poll: false, desiredMinTxInterval: S }])
    t.equal(lone.session.detectionDeadline, Infinity)
    lone.advance(60 * S)
    t.equal(lone.changes.length, 1)
  })
}

t.test('RFC 5880 section 6.8.1: RemoteDiscr is cleared after a Detection Time in Down too', async t => {
  const lone = inState('Down')
  lone.receive({ state: 'Up' })
  t.equal(lone.snapshot.yourDiscriminator, REMOTE)
  t.equal(lone.session.detectionDeadline, Infinity, 'nothing goes down by that')
  lone.advance(3 * S)
  t.equal(lone.snapshot.yourDiscriminator, 0)
  t.same(lone.changes, [])
  t.match(lone.snapshot, { remoteDetectMult: 0, detectionTime: 0, receiveInterval: 0, remoteMinRxInterval: 1 })
})

t.test('what the remote system reported last stays after it has gone silent', async t => {
  const lone = inState('Down')
  lone.receive({ state: 'AdminDown', controlPlaneIndependent: true, diagnostic: 7 })
  lone.advance(10 * S)
  t.match(lone.snapshot, { remoteState: 'AdminDown', remoteDiagnostic: 7, remoteControlPlaneIndependent: true })
})

t.test('a system that asked for no packets and went away is told again that we are there', async t => {
  const lone = inState('Up')
  lone.receive({ state: 'Up', requiredMinRxInterval: 0, ...FAST })
  lone.advance(899 * MS)
  t.same(lone.take(), [])
  lone.advance(10 * S)
  t.ok(lone.take().length > 5)
})

t.test('RFC 5880 section 6.8.6: Your Discriminator of another session is discarded', async t => {
  const lone = inState('Up')
  const before = lone.snapshot
  t.match(lone.receive({ state: 'Down', yourDiscriminator: LOCAL + 1 }), [{ type: 'discard', reason: 'discriminator' }])
  t.same(lone.snapshot, before)
})

t.test('RFC 5880 section 6.8.6: the peer has come back with another discriminator', async t => {
  const lone = inState('Up')
  lone.receive({ state: 'Down', myDiscriminator: 77, yourDiscriminator: 0 })
  t.equal(lone.state, 'Down')
  t.match(lone.take(), [{ state: 'Down', yourDiscriminator: 77 }])
})

t.test('RFC 5880 section 6.8.4: a discarded packet does not count as received', async t => {
  const lone = inState('Up')
  const { detectionDeadline } = lone.session
  lone.advance(100 * MS)
  lone.receive({ state: 'Up', yourDiscriminator: LOCAL + 1 })
  t.equal(lone.session.detectionDeadline, detectionDeadline)
})

t.test('RFC 5880 section 6.8.16: AdminDown is told at once, and as long as it lasts', async t => {
  const lone = inState('Up')
  lone.perform(lone.session.disable(lone.now))
  const diagnostic = Diagnostic.AdministrativelyDown
  t.match(lone.changes, [{ from: 'Up', to: 'AdminDown', diagnostic }])
  t.match(lone.take(), [{ state: 'AdminDown', diagnostic, poll: false, desiredMinTxInterval: S }])
  lone.advance(30 * S)
  t.equal(lone.take().length, 30)
  t.same(lone.session.disable(lone.now), [], 'nothing to do')
  lone.receive({ state: 'Up', poll: true })
  t.same(lone.take(), [], 'section 6.8.6: the packet is discarded before its Poll is answered')
  lone.perform(lone.session.enable(lone.now))
  t.match(lone.take(), [{ state: 'Down' }])
  t.same(lone.session.enable(lone.now), [], 'nothing to do')
  lone.receive({ state: 'Init' })
  t.equal(lone.state, 'Up')
})

t.test('RFC 5880 section 6.8.17: another reason for AdminDown', async t => {
  const lone = inState('Up')
  lone.perform(lone.session.disable(lone.now, Diagnostic.ConcatenatedPathDown))
  t.match(lone.take(), [{ state: 'AdminDown', diagnostic: Diagnostic.ConcatenatedPathDown }])
  t.throws(() => lone.session.disable(lone.now, 32), { name: 'RangeError', message: /^diagnostic / })
})

t.test('RFC 5880 section 6.8.15: a local failure takes the session down', async t => {
  for (const state of ['Init', 'Up'] as const) {
    const lone = inState(state)
    lone.perform(lone.session.fail(lone.now, Diagnostic.ForwardingPlaneReset, 'the forwarding plane was reset'))
    t.match(lone.changes, [{ to: 'Down', diagnostic: 4, cause: 'the forwarding plane was reset' }])
    t.match(lone.take(), [{ state: 'Down', diagnostic: 4, yourDiscriminator: REMOTE }])
  }
  for (const state of ['Down', 'AdminDown'] as const) {
    const lone = inState(state)
    t.same(lone.session.fail(lone.now, Diagnostic.PathDown, 'the link is down'), [])
    t.throws(() => lone.session.fail(lone.now, -1, ''), { name: 'RangeError', message: /^diagnostic / })
  }
})

t.test('RFC 5880 section 6.1: a passive session says nothing until it has heard the other', async t => {
  const lone = new Lone({ passiveMode: true })
  t.equal(lone.session.deadline, Infinity)
  lone.advance(60 * S)
  t.same(lone.take(), [])
  lone.receive({ state: 'Down', yourDiscriminator: 0 })
  t.match(lone.take(), [{ state: 'Init', yourDiscriminator: REMOTE }])
  lone.receive({ state: 'Up', ...FAST })
  t.equal(lone.state, 'Up')
  lone.take()
  lone.advance(900 * MS - 1)
  t.equal(lone.take().length, 2)
  lone.advance(60 * S)
  t.equal(lone.state, 'Down')
  t.same(lone.take(), [], 'section 6.8.7: not a word while RemoteDiscr is zero, the new state included')
  lone.receive({ state: 'Down', yourDiscriminator: 0 })
  t.equal(lone.take().length, 1)
})

t.test(
  'RFC 5880 section 6.1: a passive session that is told to be active begins at once, and the other way',
  async t => {
    const lone = new Lone({ passiveMode: true })
    lone.perform(lone.session.disable(lone.now))
    lone.perform(lone.session.enable(lone.now))
    t.same(lone.take(), [])
    lone.advance(10 * S)
    lone.perform(lone.session.change({ passiveMode: false }, lone.now))
    lone.advance(0)
    t.equal(lone.take().length, 1)
    lone.perform(lone.session.change({ passiveMode: true }, lone.now))
    lone.advance(60 * S)
    t.same(lone.take(), [])
  },
)

t.test(
  'RFC 5880 section 6.8.6: nothing happens on a packet that says nothing new, and no array is made for it',
  async t => {
    const lone = inState('Up')
    const first = lone.receive({ state: 'Up', ...FAST })
    t.same(first, [])
    t.equal(lone.receive({ state: 'Up', ...FAST }), first)
    lone.advance(300 * MS)
    lone.listen(900 * MS, 300 * MS, FAST)
    const [, one, two] = lone.take()
    t.ok(one)
    t.equal(one?.octets, two?.octets, 'the same octets are sent again')
  },
)
