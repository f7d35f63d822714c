import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { createOpen, negotiate, RestartingSpeaker, type Negotiated, type RestartAction } from '@typemetal/bgp/fsm'
import type { FamilyName } from '@typemetal/bgp/wire'

const V4: FamilyName = 'ipv4-unicast'
const V6: FamilyName = 'ipv6-unicast'
const FAMILIES: readonly FamilyName[] = [V4, V6]

function agreed(graceful: boolean, restarting = false, families = FAMILIES): Negotiated {
  const common = { bgpIdentifier: 1, holdTime: 90, gracefulRestart: {} }
  const { gracefulRestart, ...plain } = common
  const theirs = { ...plain, asn: 64_513, families, ...(graceful && { gracefulRestart }) }
  return negotiate({ ...common, asn: 64_512, families: FAMILIES }, createOpen(theirs, { restarting }), 64_513)
}

const short = (actions: readonly RestartAction[]): string[] =>
  actions.map(action => (action.type === 'select' ? action.family.slice(0, 4) : action.type))

function restarted(...peers: string[]): RestartingSpeaker<string> {
  const speaker = new RestartingSpeaker<string>({ families: FAMILIES }, 0)
  for (const peer of peers) speaker.addPeer(peer)
  return speaker
}

t.test('RFC 4724 section 4.1: selection waits for the End-of-RIB of every peer, family by family', async t => {
  const speaker = restarted('a', 'b')
  t.ok(speaker.restarting)
  t.equal(speaker.nextTimeout, 360_000, 'Selection_Deferral_Timer')
  t.same(speaker.sessionUp('a', agreed(true)), [])
  t.same(speaker.endOfRib('a', V4), [], 'b has not been met')
  t.same(speaker.sessionUp('b', agreed(true)), [])
  t.same(short(speaker.endOfRib('b', V4)), ['ipv4'])
  t.equal(speaker.defers(V4), false)
  t.equal(speaker.defers(V6), true)
  t.ok(speaker.restarting, 'OPENs say so until all is done')
  t.same(speaker.endOfRib('b', V6), [])
  t.same(short(speaker.endOfRib('a', V6)), ['ipv6', 'restarted'])
  t.notOk(speaker.restarting)
  t.equal(speaker.nextTimeout, undefined)
  t.same(speaker.sessionUp('c', agreed(true)), [], 'over is over')
  t.same(speaker.handleTimeout(360_000), [])
})

t.test('RFC 4724 section 4.1: peers that are not waited for', async t => {
  t.same(short(restarted('a').sessionUp('a', agreed(false))), ['ipv4', 'ipv6', 'restarted'], 'without the capability')
  t.same(short(restarted('a').sessionUp('a', agreed(true, true))), ['ipv4', 'ipv6', 'restarted'], 'R bit set')
  const partial = restarted('a')
  t.same(short(partial.sessionUp('a', agreed(true, false, [V4]))), ['ipv6'], 'a family that it does not carry')

  const gone = restarted('a', 'b')
  gone.sessionUp('a', agreed(false))
  t.same(short(gone.removePeer('b')), ['ipv4', 'ipv6', 'restarted'], 'taken off')

  const down = restarted('a', 'b')
  down.sessionUp('a', agreed(false))
  down.sessionUp('b', agreed(true))
  t.same(short(down.sessionDown('b')), ['ipv4', 'ipv6', 'restarted'], 'down again')
})

t.test('RFC 4724 section 4.1: Selection_Deferral_Timer', async t => {
  const speaker = new RestartingSpeaker<string>({ families: FAMILIES, selectionDeferralTime: 60 }, 1000)
  speaker.addPeer('a')
  t.equal(speaker.nextTimeout, 61_000)
  t.same(speaker.handleTimeout(60_999), [])
  t.same(short(speaker.handleTimeout(61_000)), ['ipv4', 'ipv6', 'restarted'])
  for (const selectionDeferralTime of [-1, Infinity]) {
    t.throws(() => new RestartingSpeaker({ families: FAMILIES, selectionDeferralTime }, 0), RangeError)
  }
})

t.test(
  'RFC 4724 section 4.1: who learns nothing defers nothing, and says that it has restarted all the same',
  async t => {
    const speaker = new RestartingSpeaker<string>({ families: FAMILIES, selectionDeferralTime: 0 }, 1000)
    speaker.addPeer('a')
    t.same(
      [V4, V6].map(family => speaker.defers(family)),
      [false, false],
    )
    t.ok(speaker.restarting)
    t.equal(speaker.nextTimeout, 361_000, 'but not for ever')
    t.same(short(speaker.sessionUp('a', agreed(false))), ['ipv4', 'ipv6', 'restarted'])
    t.notOk(speaker.restarting)
  },
)

t.test('property: each family is selected exactly once, at the latest when the timer expires', async () => {
  const peer = fc.constantFrom('a', 'b', 'c')
  const step = fc.oneof(
    fc.record({ type: fc.constant('up' as const), peer, graceful: fc.boolean(), restarting: fc.boolean() }),
    fc.record({ type: fc.constant('down' as const), peer }),
    fc.record({ type: fc.constant('remove' as const), peer }),
    fc.record({ type: fc.constant('end-of-rib' as const), peer, family: fc.constantFrom(...FAMILIES) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), steps => {
      const speaker = restarted('a', 'b', 'c')
      const actions: RestartAction[] = []
      for (const next of steps) {
        if (next.type === 'up') actions.push(...speaker.sessionUp(next.peer, agreed(next.graceful, next.restarting)))
        else if (next.type === 'down') actions.push(...speaker.sessionDown(next.peer))
        else if (next.type === 'remove') actions.push(...speaker.removePeer(next.peer))
        else actions.push(...speaker.endOfRib(next.peer, next.family))
        assert.equal(speaker.restarting, actions.at(-1)?.type !== 'restarted')
      }
      actions.push(...speaker.handleTimeout(360_000))
      assert.deepEqual(short(actions).toSorted(), ['ipv4', 'ipv6', 'restarted'])
      assert.equal(actions.at(-1)?.type, 'restarted')
    }),
    { numRuns: 2000 },
  )
})
