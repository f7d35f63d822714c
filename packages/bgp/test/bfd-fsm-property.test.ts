import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import {
  checkControlPacket,
  decodeControlPacket,
  encodeControlPacket,
  Session,
  STATES,
  type Action,
  type ControlPacket,
  type Microseconds,
  type SessionOptions,
  type State,
} from '@typemetal/bgp/bfd'
import { LOCAL, MS, S } from './bfd/lone.js'
import { randomOf } from './bfd/network.js'
import { anyControlPacket, digest } from './bfd/packets.js'

const interval = fc.constantFrom(1, 10, 50, 300, 1000, 5000)
const anyOptions: fc.Arbitrary<SessionOptions> = fc.record({
  transmitInterval: interval,
  receiveInterval: interval,
  echoInterval: interval,
  detectMultiplier: fc.constantFrom(1, 2, 3, 255),
  echoMode: fc.boolean(),
  passiveMode: fc.boolean(),
  authentication: fc.constantFrom(
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    { type: 'simple-password', keyId: 1, key: 'a' } as const,
    { type: 'keyed-md5', keyId: 1, key: 'a' } as const,
    { type: 'meticulous-keyed-sha1', keyId: 1, key: 'a' } as const,
  ),
})

function withoutAuthentication(packet: ControlPacket): ControlPacket {
  const { authentication, ...fields } = packet
  return authentication === undefined ? packet : fields
}

/** Packets that a session may get: most of them are plausible, so that it comes Up at times. */
const anyReceived: fc.Arbitrary<ControlPacket> = fc.oneof(
  { weight: 1, arbitrary: anyControlPacket },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        anyControlPacket,
        fc.constantFrom(...STATES, 'Init' as const, 'Up' as const, 'Up' as const),
        fc.constantFrom(0, 1, 50 * MS, S),
        fc.constantFrom(0, 10 * MS, 300 * MS, S),
      )
      .map(([packet, state, requiredMinRxInterval, desiredMinTxInterval]) => ({
        ...withoutAuthentication(packet),
        state,
        requiredMinRxInterval,
        desiredMinTxInterval,
        myDiscriminator: 5,
        yourDiscriminator: LOCAL,
      })),
  },
)

type Step =
  | { readonly do: 'receive'; readonly packet: ControlPacket }
  | { readonly do: 'change'; readonly options: SessionOptions }
  | { readonly do: 'wait'; readonly time: Microseconds }
  | { readonly do: 'until deadline' | 'echo' | 'disable' | 'enable' | 'fail' }

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: anyReceived.map(packet => ({ do: 'receive' as const, packet })) },
  { weight: 6, arbitrary: fc.constant({ do: 'until deadline' as const }) },
  { weight: 2, arbitrary: fc.nat(2 * S).map(time => ({ do: 'wait' as const, time })) },
  { weight: 1, arbitrary: anyOptions.map(options => ({ do: 'change' as const, options })) },
  { weight: 1, arbitrary: fc.constant({ do: 'echo' as const }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ do: 'disable' as const }, { do: 'enable' as const }, { do: 'fail' as const }),
  },
)

/** A session under random steps, and what must hold after each of them. */
class Trial {
  readonly session: Session
  options: SessionOptions
  state: State = 'Down'
  now: Microseconds = 0
  ups = 0
  sent = 0
  #polled: string | undefined
  #echo: Uint8Array | undefined

  constructor(options: SessionOptions, seed: number) {
    this.options = options
    this.session = new Session(options, { myDiscriminator: LOCAL, random: randomOf(seed), now: 0, digest })
  }

  step(step: Step): void {
    const { now, session } = this
    switch (step.do) {
      case 'receive': {
        const octets = encodeControlPacket(step.packet)
        const before = session.snapshot()
        const actions = session.receive(decodeControlPacket(octets), octets, now)
        this.#check(actions)
        const discard = actions.findIndex(({ type }) => type === 'discard')
        if (discard >= 0) assert.equal(discard, actions.length - 1, 'nothing after a discard')
        if (discard === 0 && this.state !== 'AdminDown') assert.deepEqual(session.snapshot(), before)
        if (discard < 0 && step.packet.poll) assert.ok(actions.some(isFinal), 'section 6.8.7: a Poll is answered')
        if (discard < 0 && step.packet.final) this.#polled = undefined
        break
      }
      case 'change':
        this.options = step.options
        this.#check(session.change(step.options, now))
        break
      case 'wait':
        this.#expireUntil(now + step.time)
        break
      case 'until deadline':
        if (session.deadline < Infinity) this.#expireUntil(Math.max(now, session.deadline))
        break
      case 'echo':
        this.#check(session.receiveEcho({ myDiscriminator: LOCAL, sequenceNumber: 1, cookie: this.sent }, now))
        break
      case 'disable':
        this.#check(session.disable(now))
        assert.equal(session.state, 'AdminDown')
        break
      case 'enable':
        this.#check(session.enable(now))
        assert.notEqual(session.state, 'AdminDown')
        break
      case 'fail':
        this.#check(session.fail(now, 5, 'the link is down'))
        assert.ok(session.state.endsWith('Down'))
    }
  }

  #expireUntil(end: Microseconds): void {
    // 255 packets of 1 ms and 0.75 ms are the most in a wait; a machine that is always due would stay here.
    for (let rounds = 0; this.session.deadline <= end; rounds++) {
      assert.ok(rounds < 10_000)
      this.now = Math.max(this.now, this.session.deadline)
      this.#check(this.session.expire(this.now))
      assert.ok(this.session.deadline > this.now, 'what was due is done')
    }
    this.now = end
  }

  #check(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.type === 'send') this.#checkSent(action.octets)
      else if (action.type === 'send-echo') {
        assert.equal(this.state, 'Up', 'section 6.8.9')
        assert.notDeepEqual(action.octets, this.#echo)
        this.#echo = action.octets
      } else if (action.type === 'state') {
        assert.equal(action.from, this.state)
        assert.notEqual(action.to, action.from)
        this.state = action.to
        if (action.to === 'Up') this.ups++
        this.#polled = undefined
      }
    }
    const { session } = this
    const snapshot = session.snapshot()
    assert.equal(session.state, this.state)
    assert.ok(!Number.isNaN(session.deadline))
    assert.ok(session.detectionDeadline >= session.deadline)
    if (this.state === 'Down' || this.state === 'AdminDown') assert.equal(session.detectionDeadline, Infinity)
    if (snapshot.polling) assert.equal(this.state, 'Up')
    if (snapshot.echoActive) assert.ok(this.state === 'Up' && snapshot.requiredMinRxInterval > 0)
    assert.ok(snapshot.transmitInterval === 0 || session.deadline < Infinity)
  }

  #checkSent(octets: Uint8Array): void {
    this.sent++
    assert.equal(checkControlPacket(octets), undefined)
    const packet = decodeControlPacket(octets)
    assert.equal(packet.state, this.state)
    assert.ok(!(packet.poll && packet.final), 'section 6.5')
    assert.equal(packet.demand, false)
    assert.equal(packet.authentication?.type, this.options.authentication?.type)
    if (packet.state !== 'Up') assert.ok(packet.desiredMinTxInterval >= S, 'section 6.8.3')
    if (this.options.passiveMode === true) assert.notEqual(packet.yourDiscriminator, 0, 'section 6.8.7')
    if (!packet.poll) return
    const values = `${packet.desiredMinTxInterval} ${packet.requiredMinRxInterval}`
    assert.ok(this.#polled === undefined || this.#polled === values, 'section 6.8.3: one Poll Sequence at a time')
    this.#polled = values
  }
}

const isFinal = (action: Action): boolean => action.type === 'send' && decodeControlPacket(action.octets).final

t.test('property: any steps leave a session that keeps the rules', async t => {
  let ups = 0
  let sent = 0
  fc.assert(
    fc.property(anyOptions, fc.nat(), fc.array(anyStep, { maxLength: 60 }), (options, seed, steps) => {
      const trial = new Trial(options, seed)
      for (const step of steps) trial.step(step)
      ups += trial.ups
      sent += trial.sent
    }),
    { numRuns: 4000 },
  )
  t.ok(ups > 500, `${ups} times Up`)
  t.ok(sent > 5000, `${sent} packets`)
})
