/** Packets that a session would believe, made up by somebody who knows enough, as many as a link carries. */
import t from 'tap'
import { encodeControlPacket, type Action, type ControlPacket } from '@typemetal/bgp/bfd'
import { LOCAL, Lone, MS, REMOTE, S } from './bfd/lone.js'
import { PACKET } from './bfd/packets.js'

/** What a session takes in one second at most: what may come at once, and then some hundred. */
const MOST = 1024 + 250

/** Gives the session packets by turns, evenly spread over a second. */
function flood(lone: Lone, count: number, ...packets: readonly Partial<ControlPacket>[]): Action['type'][] {
  const told: Action['type'][] = []
  for (let sent = 0; sent < count; sent++) {
    lone.advance(S / count)
    told.push(...lone.receive(packets[sent % packets.length]!).map(({ type }) => type))
  }
  return told
}

const countOf = (told: readonly string[], type: Action['type']): number => told.filter(one => one === type).length

t.test('RFC 5880 section 6.8.7: a storm of Polls is answered some hundred times a second', async t => {
  const lone = new Lone().up()
  const told = flood(lone, 20_000, { state: 'Up', poll: true })
  t.ok(countOf(told, 'send') < MOST, `${countOf(told, 'send')} answers`)
  t.equal(countOf(told, 'send') + countOf(told, 'discard'), 20_000)
  t.equal(lone.state, 'Up', 'those that were taken keep it up')
  t.same([...new Set(lone.discards)], ['rate'])
})

t.test('RFC 5880 section 9: states that change with each packet are told some hundred times a second', async t => {
  const lone = new Lone()
  lone.advance(0)
  const told = flood(lone, 20_000, { state: 'Down', yourDiscriminator: 0 }, { state: 'Init' })
  t.ok(countOf(told, 'state') < MOST, `${countOf(told, 'state')} changes`)
  t.ok(countOf(told, 'send') < MOST)
  const disabled = new Lone()
  disabled.perform(disabled.session.disable(0))
  t.ok(countOf(flood(disabled, 20_000, { state: 'Down' }, { state: 'Up' }), 'remote-state') < MOST)
})

t.test('RFC 5880 section 9: after the storm every packet counts again', async t => {
  const lone = new Lone().up()
  flood(lone, 20_000, { state: 'Up' })
  lone.advance(20 * MS)
  lone.discards = []
  lone.receive({ state: 'Up', poll: true })
  t.same(lone.discards, [])
  t.match(lone.take().at(-1), { final: true, yourDiscriminator: REMOTE })
})

t.test('RFC 5880 section 6.7: forged packets use up nothing', async t => {
  const authentication = { type: 'keyed-sha1', keyId: 1, key: 'secret' } as const
  const lone = new Lone({ authentication })
  const forged = { ...PACKET, yourDiscriminator: LOCAL, state: 'Down' } as const
  const section = { type: 'keyed-sha1', keyId: 1, sequenceNumber: 7, digest: new Uint8Array(20) } as const
  const octets = encodeControlPacket({ ...forged, authentication: section })
  for (let sent = 0; sent < 20_000; sent++) {
    lone.perform(lone.session.receive({ ...forged, authentication: section }, octets, lone.now))
  }
  t.same([...new Set(lone.discards)], ['authentication-digest'])
})

for (const interval of [10, 300]) {
  t.test(
    `RFC 5880 section 6.8.2: at ${interval} ms nothing is too much, not even all at once after a stall`,
    async t => {
      const lone = new Lone({ receiveInterval: interval, transmitInterval: interval }).up()
      const every = 0.75 * interval * MS
      for (let passed = 0; passed < 5 * S; passed += every) {
        lone.advance(every)
        lone.receive({ state: 'Up', poll: true })
        lone.receive({ state: 'Up', final: true })
      }
      for (let waiting = 0; waiting < 900; waiting++) lone.receive({ state: 'Up' })
      t.same(lone.discards, [])
      t.equal(lone.state, 'Up')
    },
  )
}
