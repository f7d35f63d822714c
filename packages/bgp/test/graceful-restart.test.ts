import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import {
  createOpen,
  negotiate,
  ReceivingSpeaker,
  type LocalSpeaker,
  type Negotiated,
  type OpenCircumstances,
  type SessionEnd,
  type StaleAction,
} from '@typemetal/bgp/fsm'
import type { FamilyName } from '@typemetal/bgp/wire'

const V4: FamilyName = 'ipv4-unicast'
const V6: FamilyName = 'ipv6-unicast'
const LOCAL: LocalSpeaker = {
  asn: 64_512,
  bgpIdentifier: 1,
  holdTime: 90,
  families: [V4, V6],
  gracefulRestart: {},
  longLivedGracefulRestart: { staleTime: 1000 },
}
const PEER: LocalSpeaker = { asn: 64_513, bgpIdentifier: 2, holdTime: 90, families: [V4, V6] }

/** What a session agrees on with a peer that sends such an OPEN; its F bits are set unless it is told otherwise. */
const agreed = (theirs: Partial<LocalSpeaker>, circumstances: OpenCircumstances = {}): Negotiated =>
  negotiate(LOCAL, createOpen({ ...PEER, ...theirs }, { forwardingPreserved: true, ...circumstances }), 64_513)

const short = (actions: readonly StaleAction[]): string[] =>
  actions.map(({ type, family }) => `${type} ${family.slice(0, 4)}`)
const s = (seconds: number): number => seconds * 1000

const GR = agreed({ gracefulRestart: { restartTime: 100, families: [V4] } })
const LLGR = agreed({
  gracefulRestart: { restartTime: 100, families: [V4] },
  longLivedGracefulRestart: { staleTime: 500, families: [V4] },
})

t.test('RFC 4724 section 4.2: routes are kept while the peer restarts, and go when it says End-of-RIB', async t => {
  const peer = new ReceivingSpeaker()
  t.same(short(peer.sessionDown('tcp', GR, 0)), ['mark-stale ipv4', 'delete-all ipv6'], 'of the families it named')
  t.equal(peer.nextTimeout, s(100), 'Restart Time')
  t.same(peer.families, [V4])
  t.same(peer.handleTimeout(s(99.9)), [])
  t.same(peer.sessionUp(GR, s(50)), [])
  t.equal(peer.nextTimeout, s(410), 'wait for End-of-RIB')
  t.same(peer.endOfRib(V6), [], 'the other family')
  t.same(short(peer.endOfRib(V4)), ['delete-stale ipv4'])
  t.same(peer.endOfRib(V4), [])
  t.equal(peer.nextTimeout, undefined)
  t.equal(peer.keeps(V4), false)
})

t.test('RFC 4724 section 4.2: a peer that does not come back within its Restart Time', async t => {
  const peer = new ReceivingSpeaker()
  peer.sessionDown('tcp', GR, 0)
  t.same(short(peer.handleTimeout(s(100))), ['delete-stale ipv4'])
  t.equal(peer.nextTimeout, undefined)
  t.same(peer.sessionUp(GR, s(101)), [])
  t.same(peer.endOfRib(V4), [])
})

t.test('RFC 4724 section 4.2: routes go when the peer is back without its forwarding state', async t => {
  const back: [string, Negotiated][] = [
    ['F bit not set', agreed({ gracefulRestart: {} }, { forwardingPreserved: false })],
    ['family not in the capability', agreed({ gracefulRestart: { families: [V6] } })],
    ['no capability', agreed({})],
    ['family not in the session', agreed({ families: [V6], gracefulRestart: {} })],
  ]
  for (const [name, negotiated] of back) {
    const peer = new ReceivingSpeaker()
    peer.sessionDown('tcp', GR, 0)
    t.same(short(peer.sessionUp(negotiated, s(1))), ['delete-stale ipv4'], name)
    t.equal(peer.nextTimeout, undefined)
  }
})

t.test('RFC 4724 section 4.2: the wait for End-of-RIB has a limit', async t => {
  const peer = new ReceivingSpeaker({ staleTime: 30 })
  peer.sessionDown('tcp', GR, 0)
  peer.sessionUp(GR, s(10))
  t.same(short(peer.handleTimeout(s(40))), ['delete-stale ipv4'])
})

t.test('RFC 4724 section 4.2: a second restart ends what the first one left', async t => {
  const peer = new ReceivingSpeaker()
  peer.sessionDown('tcp', GR, 0)
  peer.sessionUp(GR, s(10))
  t.same(short(peer.sessionDown('tcp', GR, s(20))), ['delete-stale ipv4', 'mark-stale ipv4', 'delete-all ipv6'])
  t.equal(peer.nextTimeout, s(120))
})

t.test('RFC 4724 section 4, RFC 8538 section 4: which ends of a session are restarts', async t => {
  const ends: SessionEnd[] = ['tcp', 'notification', 'hold-timer', 'hard-reset', 'local-stop']
  const kept = (negotiated: Negotiated): SessionEnd[] =>
    ends.filter(how => {
      const peer = new ReceivingSpeaker()
      const actions = short(peer.sessionDown(how, negotiated, 0))
      t.equal(actions.includes('delete-all ipv4'), !peer.keeps(V4))
      return peer.keeps(V4)
    })
  t.same(kept(GR), ['tcp', 'notification', 'hold-timer'], 'both set the N bit')
  t.same(kept(agreed({ gracefulRestart: { notification: false } })), ['tcp'])
  t.same(kept(agreed({})), [], 'no graceful restart')
  t.same(kept(agreed({ gracefulRestart: { families: [] } })), [], 'the peer only helps others')
  t.same(kept(agreed({ gracefulRestart: { restartTime: 0 } })), [], 'no time to restart in')
})

t.test('RFC 9494 section 4.2: long-lived stale routes', async t => {
  const peer = new ReceivingSpeaker()
  peer.sessionDown('tcp', LLGR, 0)
  t.same(short(peer.handleTimeout(s(100))), ['mark-long-lived ipv4'])
  t.equal(peer.nextTimeout, s(600), 'Long-Lived Stale Time after the Restart Time')
  t.same(short(peer.handleTimeout(s(600))), ['delete-stale ipv4'])

  const late = new ReceivingSpeaker()
  late.sessionDown('tcp', LLGR, 0)
  t.same(short(late.handleTimeout(s(600))), ['delete-stale ipv4'], 'called late: both are over')

  const back = new ReceivingSpeaker()
  back.sessionDown('tcp', LLGR, 0)
  back.handleTimeout(s(100))
  t.same(back.sessionUp(LLGR, s(200)), [])
  t.same(short(back.endOfRib(V4)), ['delete-stale ipv4'])
})

t.test('RFC 9494 section 4.2: a family without graceful restart is long-lived at once', async t => {
  const negotiated = agreed({ gracefulRestart: { families: [] }, longLivedGracefulRestart: { staleTime: 500 } })
  const peer = new ReceivingSpeaker()
  t.same(short(peer.sessionDown('tcp', negotiated, 0)), [
    'mark-stale ipv4',
    'mark-long-lived ipv4',
    'mark-stale ipv6',
    'mark-long-lived ipv6',
  ])
  t.equal(peer.nextTimeout, s(500))
})

t.test('RFC 9494 section 4.2: once long-lived, it is the long-lived capability that must be there again', async t => {
  const away = (): ReceivingSpeaker => {
    const peer = new ReceivingSpeaker()
    peer.sessionDown('tcp', LLGR, 0)
    peer.handleTimeout(s(100))
    return peer
  }
  t.same(short(away().sessionUp(GR, s(200))), ['delete-stale ipv4'], 'not there')
  const other = agreed({ gracefulRestart: {}, longLivedGracefulRestart: { staleTime: 1, families: [V6] } })
  t.same(short(away().sessionUp(other, s(200))), ['delete-stale ipv4'], 'another family')
  const lost = agreed(
    { gracefulRestart: {}, longLivedGracefulRestart: { staleTime: 1 } },
    { forwardingPreserved: false },
  )
  t.same(short(away().sessionUp(lost, s(200))), ['delete-stale ipv4'], 'F bit not set')
})

t.test('RFC 9494 section 4.2: the Long-Lived Stale Time goes on until a session has synchronized', async t => {
  const flapped = (down: number): { peer: ReceivingSpeaker; actions: string[] } => {
    const peer = new ReceivingSpeaker({ staleTime: 1000 })
    peer.sessionDown('tcp', LLGR, 0)
    peer.handleTimeout(s(100))
    peer.sessionUp(LLGR, s(550))
    return { peer, actions: short(peer.sessionDown('tcp', LLGR, s(down))) }
  }
  const soon = flapped(580)
  t.same(soon.actions, ['mark-stale ipv4', 'delete-all ipv6'], 'nothing is deleted')
  t.equal(soon.peer.nextTimeout, s(600), 'the time that began at 100 s')
  t.same(short(soon.peer.handleTimeout(s(600))), ['delete-stale ipv4'])

  const after = flapped(610)
  t.same(after.actions, ['delete-all ipv4', 'delete-all ipv6'], 'over while it synchronized')
  t.equal(after.peer.nextTimeout, undefined)
})

t.test('RFC 9494 section 4.2: the Long-Lived Stale Time ends while the session synchronizes', async t => {
  const back = (): ReceivingSpeaker => {
    const peer = new ReceivingSpeaker({ staleTime: 1000 })
    peer.sessionDown('tcp', LLGR, 0)
    peer.handleTimeout(s(100))
    peer.sessionUp(LLGR, s(550))
    t.equal(peer.nextTimeout, s(600), 'it goes on')
    t.same(short(peer.handleTimeout(s(600))), ['delete-stale ipv4'])
    return peer
  }
  t.same(short(back().sessionDown('tcp', LLGR, s(610))), ['delete-all ipv4', 'delete-all ipv6'], 'nothing may remain')
  const synchronized = back()
  t.same(synchronized.endOfRib(V4), [])
  t.same(short(synchronized.sessionDown('tcp', LLGR, s(620))), ['mark-stale ipv4', 'delete-all ipv6'])
  t.equal(synchronized.nextTimeout, s(720))
  const again = back()
  again.sessionDown('tcp', LLGR, s(610))
  again.sessionUp(LLGR, s(620))
  t.same(short(again.sessionDown('tcp', LLGR, s(630))), ['mark-stale ipv4', 'delete-all ipv6'], 'a session later')
})

t.test(
  'RFC 9494 section 4.2: a second restart leaves what the first one left until the Long-Lived Stale Time is over',
  async t => {
    const peer = new ReceivingSpeaker({ staleTime: 1000 })
    peer.sessionDown('tcp', LLGR, 0)
    peer.sessionUp(LLGR, s(50))
    t.same(short(peer.sessionDown('tcp', LLGR, s(80))), ['mark-stale ipv4', 'delete-all ipv6'])
    t.equal(peer.nextTimeout, s(180), 'a Restart Time anew')
    t.same(short(peer.handleTimeout(s(180))), ['mark-long-lived ipv4'])
    t.equal(peer.nextTimeout, s(600), 'both times since the first restart')

    const late = new ReceivingSpeaker({ staleTime: 1000 })
    late.sessionDown('tcp', LLGR, 0)
    late.sessionUp(LLGR, s(50))
    t.same(short(late.sessionDown('tcp', LLGR, s(590))), ['delete-stale ipv4', 'mark-stale ipv4', 'delete-all ipv6'])
    t.equal(late.nextTimeout, s(690))
  },
)

t.test('RFC 4724 section 4.2, RFC 9494 section 4.2: our limits to what the peer asks', async t => {
  const peer = new ReceivingSpeaker({ maximumRestartTime: 10, maximumLongLivedStaleTime: 20 })
  peer.sessionDown('tcp', LLGR, 0)
  t.equal(peer.nextTimeout, s(10))
  peer.handleTimeout(s(10))
  t.equal(peer.nextTimeout, s(30))
  for (const wrong of [{ staleTime: -1 }, { maximumRestartTime: Number.NaN }, { staleTime: Infinity }]) {
    t.throws(() => new ReceivingSpeaker(wrong), RangeError)
  }
})

t.test('a peer that is given up while it is away', async t => {
  const peer = new ReceivingSpeaker()
  peer.sessionDown('tcp', LLGR, 0)
  t.same(short(peer.sessionDown('local-stop', undefined, s(1))), ['delete-all ipv4'])
  t.equal(peer.nextTimeout, undefined)
})

/** What happens to a session in a property. */
type Step =
  | { readonly type: 'down'; readonly how: SessionEnd }
  | { readonly type: 'up'; readonly which: number }
  | { readonly type: 'end-of-rib'; readonly family: FamilyName }
  | { readonly type: 'wait'; readonly seconds: number }

const peerSpeaker = fc.record({
  families: fc.constantFrom<FamilyName[]>([V4], [V6], [V4, V6]),
  restartTime: fc.constantFrom(0, 10, 100),
  longLived: fc.constantFrom(undefined, 0, 50, 500),
  restartable: fc.boolean(),
  notification: fc.boolean(),
  forwardingPreserved: fc.constantFrom(true, true, true, false),
})
const sessionOf = fc.option(peerSpeaker).map(peer => {
  if (!peer) return agreed({})
  const { families, restartTime, longLived, restartable, notification, forwardingPreserved } = peer
  const gracefulRestart = { restartTime, notification, ...(!restartable && { families: [] }) }
  const long = longLived !== undefined && { longLivedGracefulRestart: { staleTime: longLived } }
  return agreed({ families, gracefulRestart, ...long }, { forwardingPreserved })
})
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constant('down' as const),
    how: fc.constantFrom<SessionEnd>('tcp', 'tcp', 'notification', 'hold-timer', 'hard-reset', 'local-stop'),
  }),
  fc.record({ type: fc.constant('up' as const), which: fc.nat(1) }),
  fc.record({ type: fc.constant('end-of-rib' as const), family: fc.constantFrom(V4, V6) }),
  fc.record({ type: fc.constant('wait' as const), seconds: fc.constantFrom(1, 20, 59, 90, 120, 300, 700) }),
)

/** Plays steps in virtual time, and looks after every action. */
class Play {
  readonly peer = new ReceivingSpeaker({ staleTime: 60 })
  readonly #negotiated = new Set<FamilyName>()
  /** Since when there have been stale routes of a family. */
  readonly #staleSince = new Map<FamilyName, number>()
  /** Two kinds of sessions, that come back again and again. */
  readonly #kinds: readonly [Negotiated, Negotiated]
  #session: Negotiated | undefined
  #now = 0

  constructor(kinds: readonly [Negotiated, Negotiated]) {
    this.#kinds = kinds
  }

  step(next: Step): void {
    if (next.type === 'wait') this.#wait(next.seconds)
    else if (next.type === 'down' && this.#session) {
      this.#look(this.peer.sessionDown(next.how, this.#session, this.#now))
      this.#session = undefined
    } else if (next.type === 'up' && !this.#session) {
      this.#session = this.#kinds[next.which] ?? this.#kinds[0]
      for (const family of this.#session.families) this.#negotiated.add(family)
      this.#look(this.peer.sessionUp(this.#session, this.#now))
    } else if (next.type === 'end-of-rib' && this.#session) this.#look(this.peer.endOfRib(next.family))
  }

  #longest(family: FamilyName): number {
    const most = (times: readonly (number | undefined)[]): number => Math.max(...times.map(time => time ?? 0))
    const long = this.#kinds.map(
      kind => kind.longLivedGracefulRestart?.find(entry => entry.family === family)?.staleTime,
    )
    return most(this.#kinds.map(kind => kind.gracefulRestart?.restartTime)) + most(long)
  }

  #wait(seconds: number): void {
    const end = this.#now + s(seconds)
    for (;;) {
      const next = this.peer.nextTimeout
      if (next === undefined || next > end) break
      assert.ok(next >= this.#now)
      this.#now = next
      const actions = this.peer.handleTimeout(next)
      assert.ok(actions.length > 0, 'a timeout that is due does something')
      this.#look(actions)
    }
    this.#now = end
    this.#checkAges()
  }

  #look(actions: readonly StaleAction[]): void {
    for (const { type, family } of actions) {
      assert.ok(this.#negotiated.has(family), `${type} for ${family}, which no session has carried`)
      if (type === 'mark-stale') this.#staleSince.set(family, this.#staleSince.get(family) ?? this.#now)
      else if (type === 'mark-long-lived') assert.ok(this.#staleSince.has(family), 'stale before it is long-lived')
      else this.#staleSince.delete(family)
    }
    assert.deepEqual([...this.#staleSince.keys()].toSorted(), [...this.peer.families].toSorted())
    this.#checkAges()
  }

  /** Restart Time, Long-Lived Stale Time and the wait for End-of-RIB, each as long as the peer asks for at most. */
  #checkAges(): void {
    for (const [family, since] of this.#staleSince) {
      assert.ok(this.#now - since <= s(this.#longest(family) + 60), `${family} stale for ${this.#now - since} ms`)
    }
    assert.equal(this.peer.nextTimeout === undefined, this.#staleSince.size === 0)
  }
}

t.test(
  'property: stale routes never outlive the times; nothing happens to a family that was not negotiated',
  async () => {
    fc.assert(
      fc.property(fc.tuple(sessionOf, sessionOf), fc.array(step, { maxLength: 60, size: 'max' }), (kinds, steps) => {
        const play = new Play(kinds)
        for (const next of steps) play.step(next)
      }),
      { numRuns: 3000 },
    )
  },
)
