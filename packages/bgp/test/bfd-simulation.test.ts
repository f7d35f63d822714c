import assert from 'node:assert/strict'
import t from 'tap'
import {
  Diagnostic,
  type AuthenticationOptions,
  type AuthenticationType,
  type SessionOptions,
} from '@typemetal/bgp/bfd'
import { MS, S } from './bfd/lone.js'
import { End, Pair, randomOf, type Network } from './bfd/network.js'

const INTERVALS = [20, 50, 50, 100, 100, 300, 300, 1000]
const SHORTEST = 20 * MS
/** RFC 5880 section 6.8.7 leaves 10 % at a Detect Mult of 1; clocks, timers and the network share them. */
const CALM: Network = { delay: MS, variation: 0.8 * MS, loss: 0, duplication: 0.01, ordered: false, slop: 0.2 * MS }

type Random = () => number
const pick = <T>(random: Random, values: readonly T[]): T => values[Math.floor(random() * values.length)]!
const between = (random: Random, least: number, most: number): number => least + random() * (most - least)

function someOptions(
  random: Random,
  detectMultiplier = pick(random, [1, 2, 3, 3, 5]),
): Required<Pick<SessionOptions, 'detectMultiplier' | 'receiveInterval' | 'transmitInterval'>> {
  return { transmitInterval: pick(random, INTERVALS), receiveInterval: pick(random, INTERVALS), detectMultiplier }
}

type Options = ReturnType<typeof someOptions>

interface Kind {
  readonly least?: number
  readonly passive?: number
  readonly type?: AuthenticationType | undefined
}

/** A pair, and what its two ends want now. */
class Scene {
  readonly random: Random
  readonly pair: Pair
  readonly wanted = new Map<End, Options>()
  readonly seed: number
  readonly authentication: AuthenticationOptions | undefined

  /** @param kind the least Detect Mult, the part of the pairs with a passive end, and the authentication of both ends */
  constructor(seed: number, network: Network, drift: number, { least = 1, passive = 0.3, type }: Kind = {}) {
    this.seed = seed
    this.random = randomOf(seed)
    this.authentication = type && { type, keyId: 1, key: 'secret' }
    const { random } = this
    const ends = [1, 2].map(discriminator => {
      const options = someOptions(random, Math.max(least, pick(random, [1, 2, 3, 3, 5])))
      const passiveMode = discriminator === 2 && random() < passive
      const end = new End(
        { ...options, ...this.#constant(passiveMode) },
        discriminator,
        random,
        1 + between(random, -drift, drift),
      )
      this.wanted.set(end, options)
      return end
    })
    this.pair = new Pair(ends[0]!, ends[1]!, { ...network, delay: between(random, 0, network.delay) }, random)
  }

  /** Options that do not change. */
  #constant(passiveMode: boolean): SessionOptions {
    return { passiveMode, authentication: this.authentication }
  }

  get ends(): readonly [End, End] {
    return [this.pair.a, this.pair.b]
  }

  /** Lets both come up. Packets keep their order meanwhile: a Down that comes after an Init is believed, as it must be. */
  settle(): void {
    const { ordered } = this.pair.network
    this.pair.network.ordered = true
    this.pair.run(this.pair.now + 4 * S)
    this.pair.network.ordered = ordered
    this.checkAgreement()
  }

  /** Changes the intervals of one end. */
  change(): void {
    const end = pick(this.random, this.ends)
    const options = someOptions(this.random, this.wanted.get(end)!.detectMultiplier)
    this.wanted.set(end, options)
    this.pair.call(end, (session, now) => session.change({ ...options, ...this.#constant(end.passive) }, now))
  }

  /** Interval at which an end sends when all is settled. */
  interval(end: End): number {
    const receiver = this.wanted.get(this.pair.other(end))!
    return Math.max(this.wanted.get(end)!.transmitInterval, receiver.receiveInterval) * MS
  }

  /** Detection Time of an end when all is settled. */
  detectionTime(end: End): number {
    const other = this.pair.other(end)
    return this.wanted.get(other)!.detectMultiplier * this.interval(other)
  }

  /** Fails unless both ends are Up, no Poll Sequence is on, and each knows of the other what it wants. */
  checkAgreement(): void {
    for (const end of this.ends) {
      const here = end.session.snapshot()
      const there = this.pair.other(end).session.snapshot()
      const options = this.wanted.get(end)!
      const note = `seed ${this.seed}: ${JSON.stringify({ here, there })}`
      assert.equal(here.state, 'Up', note)
      assert.equal(here.remoteState, 'Up', note)
      assert.equal(here.polling || here.changePending, false, note)
      assert.equal(here.desiredMinTxInterval, options.transmitInterval * MS, note)
      assert.equal(here.requiredMinRxInterval, options.receiveInterval * MS, note)
      assert.equal(here.remoteDesiredMinTxInterval, there.desiredMinTxInterval, note)
      assert.equal(here.remoteMinRxInterval, there.requiredMinRxInterval, note)
      assert.equal(here.transmitInterval, this.interval(end), note)
      assert.equal(here.transmitInterval, there.receiveInterval, note)
      assert.equal(here.detectionTime, this.detectionTime(end), note)
      assert.equal(here.detectionTime, there.remoteDetectionTime, note)
      assert.equal(end.mixedPolls, 0, note)
    }
  }
}

/** Counts over all pairs, so that a test that has tested nothing fails. */
interface Totals {
  packets: number
  polls: number
  downs: number
}
const add = (totals: Totals, { ends, pair }: Scene): void => {
  totals.packets += pair.packets
  for (const end of ends) {
    totals.polls += end.polls
    totals.downs += end.changes.filter(({ to }) => to === 'Down').length
  }
}

t.test('RFC 5880 section 6.8.3: 5,000 pairs change their intervals over and over, and none goes Down', async t => {
  const totals: Totals = { packets: 0, polls: 0, downs: 0 }
  for (let seed = 1; seed <= 5000; seed++) {
    const scene = new Scene(seed, CALM, 200e-6)
    const { pair, random } = scene
    scene.settle()
    for (let change = 0; change < 8; change++) {
      scene.change()
      // Often before the Poll Sequence of the last change has begun, or ended.
      pair.run(pair.now + between(random, 0, pick(random, [10 * MS, 200 * MS, 2 * S])))
    }
    pair.run(pair.now + 6 * S)
    add(totals, scene)
    for (const end of scene.ends) {
      assert.deepEqual(
        end.changes.map(({ to }) => to).filter(to => to !== 'Init'),
        ['Up'],
        `seed ${seed}`,
      )
    }
    scene.checkAgreement()
  }
  t.ok(totals.polls > 30_000, `${totals.polls} Poll Sequences`)
  t.ok(totals.packets > 1_000_000, `${totals.packets} packets`)
})

t.test('RFC 5880 section 6.8.4: 2,000 pairs with clocks 2 % apart, stalls, and a network that reorders', async t => {
  const totals: Totals = { packets: 0, polls: 0, downs: 0 }
  for (let seed = 1; seed <= 2000; seed++) {
    const network = { ...CALM, delay: 5 * MS, variation: SHORTEST / 4, duplication: 0.05, slop: 2 * MS }
    const scene = new Scene(10_000 + seed, network, 10_000e-6, { least: 2 })
    const { pair, random } = scene
    scene.settle()
    for (let round = 0; round < 12; round++) {
      if (random() < 0.4) scene.change()
      pick(random, scene.ends).stalledUntil = pair.now + between(random, 0, SHORTEST / 4)
      pair.run(pair.now + between(random, 0, 600 * MS))
    }
    pair.run(pair.now + 6 * S)
    add(totals, scene)
    scene.checkAgreement()
  }
  t.equal(totals.downs, 0)
  t.ok(totals.polls > 10_000, `${totals.polls} Poll Sequences`)
})

t.test('RFC 5880 section 6.8.4: 2,000 pairs of which one end dies, or one direction, are Down in time', async t => {
  let oneWay = 0
  for (let seed = 1; seed <= 2000; seed++) {
    const scene = new Scene(20_000 + seed, CALM, 200e-6)
    const { pair, random } = scene
    scene.settle()
    scene.change()
    pair.run(pair.now + 4 * S + between(random, 0, S))
    scene.checkAgreement()
    const lost = pick(random, scene.ends)
    const survivor = pair.other(lost)
    const dies = random() < 0.5
    lost.cut = true
    lost.dead = dies
    const at = pair.now
    const detectionTime = scene.detectionTime(survivor)
    const interval = scene.interval(lost)
    pair.run(at + detectionTime + interval)
    const down = survivor.changes.at(-1)!
    assert.equal(down.to, 'Down', `seed ${seed}`)
    assert.equal(down.diagnostic, Diagnostic.ControlDetectionTimeExpired)
    // 200 ppm of the longest Detection Time are 1 ms.
    assert.ok(down.at - survivor.lastAt > detectionTime - MS, `seed ${seed}: not sooner than the Detection Time`)
    assert.ok(down.at - at <= detectionTime + interval, `seed ${seed}`)
    if (dies) continue
    oneWay++
    pair.run(pair.now + 10 * MS)
    const told = lost.changes.some(({ diagnostic }) => diagnostic === Diagnostic.NeighborSignaledSessionDown)
    // Section 6.8.7: a passive end has no discriminator any more, and must not tell.
    assert.equal(told, !survivor.passive, `seed ${seed}`)
  }
  t.ok(oneWay > 500)
})

t.test('RFC 5880 section 6.8.4: 1,500 pairs on a bad network go Down only when packets are missing', async t => {
  const totals: Totals = { packets: 0, polls: 0, downs: 0 }
  let silences = 0
  let refused = 0
  for (let seed = 1; seed <= 1500; seed++) {
    // A sixth of them, since hashing takes most of the time.
    const type = ([undefined, 'keyed-md5', 'meticulous-keyed-sha1'] as const)[seed % 12 > 2 ? 0 : seed % 3]
    const network = { ...CALM, ordered: true, variation: SHORTEST / 4 }
    const scene = new Scene(30_000 + seed, network, 200e-6, { least: 2, type })
    const { pair, random } = scene
    pair.network.loss = between(random, 0.05, 0.4)
    pair.run(2 * S)
    for (let change = 0; change < 12; change++) {
      pair.run(pair.now + between(random, 0, 2 * S))
      scene.change()
    }
    for (const { diagnostic, last, lost, otherState, silence, to } of scene.ends.flatMap(({ changes }) => changes)) {
      if (to !== 'Down' || diagnostic !== Diagnostic.ControlDetectionTimeExpired) continue
      silences++
      const { detectMult, desiredMinTxInterval } = last!
      assert.ok(silence >= 0.999 * detectMult * desiredMinTxInterval, `seed ${scene.seed}: Down after ${silence} µs`)
      // One that is not Up itself is about to be slow; before that, only lost packets make such a silence.
      if (otherState === 'Up') assert.ok(lost >= detectMult - 1, `seed ${scene.seed}: ${lost} of ${detectMult} lost`)
    }
    pair.network.loss = 0
    refused += pair.refused
    // Poll Sequences that were asked again and again end, and the handshake has its time.
    pair.run(pair.now + 20 * S)
    scene.checkAgreement()
    add(totals, scene)
  }
  t.ok(refused > 100, `${refused} packets refused for their sequence number`)
  t.ok(silences > 2000, `${silences} Downs by silence`)
  t.ok(totals.polls > 15_000, `${totals.polls} Poll Sequences`)
})

t.test('1,500 pairs of which one end stalls for long: it accuses nobody', async t => {
  let told = 0
  for (let seed = 1; seed <= 1500; seed++) {
    const scene = new Scene(40_000 + seed, CALM, 200e-6, { passive: 0 })
    const { pair, random } = scene
    scene.settle()
    const stalled = pick(random, scene.ends)
    const other = pair.other(stalled)
    const length = scene.detectionTime(other) * between(random, 1.2, 5)
    stalled.stalledUntil = pair.now + length
    pair.run(pair.now + length + 10 * MS)
    const because = (end: End, diagnostic: number): boolean =>
      end.changes.some(change => change.diagnostic === diagnostic)
    assert.ok(because(other, Diagnostic.ControlDetectionTimeExpired), `seed ${seed}: it heard nothing`)
    assert.ok(!because(stalled, Diagnostic.ControlDetectionTimeExpired), `seed ${seed}`)
    if (because(stalled, Diagnostic.NeighborSignaledSessionDown)) told++
    pair.run(pair.now + 8 * S)
    scene.checkAgreement()
  }
  t.ok(told > 1000, `${told} were told by the other end`)
})

t.test('RFC 5880 section 6.8.16: 500 pairs of which one end is taken down and comes back, over and over', async t => {
  for (let seed = 1; seed <= 500; seed++) {
    const scene = new Scene(50_000 + seed, CALM, 200e-6)
    const { pair, random } = scene
    scene.settle()
    for (let round = 0; round < 5; round++) {
      const end = pick(random, scene.ends)
      pair.call(end, (session, now) => session.disable(now))
      pair.run(pair.now + between(random, 5 * MS, 3 * S))
      assert.equal(pair.other(end).session.state, 'Down')
      assert.equal(pair.other(end).session.snapshot().remoteState, 'AdminDown')
      pair.call(end, (session, now) => session.enable(now))
      scene.settle()
    }
  }
  t.pass()
})
