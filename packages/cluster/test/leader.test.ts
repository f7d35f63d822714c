/** Leader election: one candidate's decisions, and many candidates in virtual time. */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { lead, LeaderElection, type LeaseSpec, type Term } from '@typemetal/cluster/leader'
import { ProcessClock, LeaseServer, settle, Time, type FlakyClient } from './leader/virtual.js'

const WALL = '2026-01-01T00:00:00.000000Z'

t.test('LeaderElection', async t => {
  t.test('takes a Lease that is not there, and one that was released, at once', async t => {
    const election = new LeaderElection({ identity: 'a' })
    const absent = election.consider(undefined, WALL, 0)
    t.match(absent, { type: 'write', reason: 'absent', spec: { holderIdentity: 'a', leaseDurationSeconds: 15 } })
    t.match(election.consider({ holderIdentity: '', leaseTransitions: 4 }, WALL, 0), {
      reason: 'released',
      spec: { holderIdentity: 'a', leaseTransitions: 5 },
    })
    t.notOk(election.leads(0), 'a bid is no grant')
  })

  t.test("waits as long as the Lease says after its last change, by our clock and not by the holder's", async t => {
    const election = new LeaderElection({ identity: 'a' })
    const held = (renewTime: string): LeaseSpec => ({ holderIdentity: 'b', leaseDurationSeconds: 4, renewTime })
    t.same(election.consider(held('1970'), WALL, 0), { type: 'wait', holder: 'b' })
    t.equal(election.consider(held('1970'), WALL, 3999).type, 'wait')
    t.equal(election.consider(held('2999'), WALL, 3999).type, 'wait', 'it was renewed')
    t.equal(election.consider(held('2999'), WALL, 7998).type, 'wait')
    t.match(election.consider(held('2999'), WALL, 7999), { type: 'write', reason: 'expired' })
    t.equal(election.holder, 'b')
  })

  t.test('leads from the grant until renewDeadline after the write was begun, keeps what is its history', async t => {
    const election = new LeaderElection({ identity: 'a' })
    const bid = election.consider({ holderIdentity: '', leaseTransitions: 1, acquireTime: 'old' }, WALL, 0)
    assert(bid.type === 'write')
    election.granted(bid.spec, 100)
    t.same([election.leads(10_099), election.leads(10_100), election.leadsUntil], [true, false, 10_100])
    const renewal = election.consider(bid.spec, 'later', 2000)
    t.match(renewal, { reason: 'renewal', spec: { acquireTime: WALL, renewTime: 'later', leaseTransitions: 2 } })
  })

  t.test('whoever sees another in the Lease does not lead', async t => {
    const election = new LeaderElection({ identity: 'a' })
    election.granted({ holderIdentity: 'a' }, 0)
    election.consider({ holderIdentity: 'b' }, WALL, 1)
    t.notOk(election.leads(2))
    t.equal(election.resign({ holderIdentity: 'b' }, WALL), undefined, "and does not give back what is another's")
    t.match(election.resign({ holderIdentity: 'a', leaseTransitions: 3 }, WALL), {
      holderIdentity: '',
      leaseTransitions: 3,
    })
  })

  t.test('times that would let two lead are refused', async t => {
    const refuse = (times: object, message: RegExp): void => {
      t.throws(() => new LeaderElection({ identity: 'a', times }), { name: 'RangeError', message })
    }
    refuse({ leaseDuration: 10_000 }, /leaseDuration must be above renewDeadline/)
    refuse({ renewDeadline: 2000 }, /renewDeadline must be above/)
    refuse({ retryPeriod: 0 }, /retryPeriod/)
    refuse({ renewDeadline: Number.NaN }, /renewDeadline/)
    t.throws(() => new LeaderElection({ identity: '' }), RangeError)
  })
})

/** A process that wants to lead. */
class Process {
  readonly client: FlakyClient
  readonly clock: ProcessClock
  readonly stop = new AbortController()
  readonly holders: string[] = []
  readonly ended: Promise<void>
  term: Term | undefined
  terms = 0

  constructor(
    readonly name: string,
    readonly server: LeaseServer,
    time: Time,
    { speed = 1, work }: { speed?: number; work?: (term: Term) => Promise<void> } = {},
  ) {
    this.client = server.client()
    this.clock = new ProcessClock(time, speed)
    const options = { leases: this.client, name: 'lock', namespace: 'ns', identity: name, clock: this.clock }
    const onHolder = (holder: string): void => void this.holders.push(holder)
    this.ended = lead({ ...options, random: () => 0.5, onHolder }, this.stop.signal, work ?? (term => this.#work(term)))
  }

  get leads(): boolean {
    return this.term?.leads() ?? false
  }

  async #work(term: Term): Promise<void> {
    this.term = term
    this.terms++
    await new Promise<void>(resolve => {
      if (term.signal.aborted) resolve()
      term.signal.addEventListener('abort', () => resolve())
    })
    this.term = undefined
  }
}

t.test('lead', async t => {
  t.test('one of three leads; it gives the Lease back when stopped, and the next leads within retryPeriod', async t => {
    const time = new Time()
    const server = new LeaseServer(time)
    const processes = ['a', 'b', 'c'].map(name => new Process(name, server, time))
    await time.pass(60_000)
    t.same(
      processes.map(({ leads }) => leads),
      [true, false, false],
    )
    t.ok(server.writes >= 28 && server.writes <= 31, `${server.writes} writes in a minute`)
    processes[0]?.stop.abort()
    await time.pass(100)
    await processes[0]?.ended
    t.equal(server.lease?.spec?.holderIdentity, '')
    await time.pass(2400)
    t.equal(processes.filter(({ leads }) => leads).length, 1)
    t.equal(server.lease?.spec?.leaseTransitions, 1)
    t.match(processes[1]?.holders, ['', 'a', /[bc]/].slice(1))
    for (const { stop } of processes) stop.abort()
    await time.pass(100)
    await Promise.all(processes.map(({ ended }) => ended))
    await time.pass(60_000)
    t.equal(time.timers, 0, 'no timer is left')
  })

  t.test('a leader that is cut off stops after renewDeadline, another leads after leaseDuration', async t => {
    const time = new Time()
    const server = new LeaseServer(time)
    const [a, b] = [new Process('a', server, time), new Process('b', server, time)]
    await time.pass(10_000)
    t.ok(a.leads)
    a.client.weather = () => ({ there: 1, back: 1, lost: 'there' })
    let stopped = 0
    let taken = 0
    const begin = time.now
    await time.pass(25_000, () => {
      if (!a.leads) stopped ||= time.now - begin
      if (b.leads) taken ||= time.now - begin
    })
    t.ok(stopped > 7000 && stopped <= 10_000, `stopped after ${stopped} ms`)
    t.ok(taken >= 13_000 && taken <= 17_500, `taken over after ${taken} ms`)
    a.client.weather = () => ({ there: 1, back: 1, lost: 'no' })
    await time.pass(10_000)
    t.same([a.leads, b.leads, a.terms], [false, true, 1], 'the former leader is a candidate')
  })

  t.test('a renewal whose answer gets lost is found out by reading', async t => {
    const time = new Time()
    const a = new Process('a', new LeaseServer(time), time)
    await time.pass(3000)
    let lose = 1
    a.client.weather = () => ({ there: 1, back: 1, lost: lose-- > 0 ? 'back' : 'no' })
    await time.pass(30_000)
    t.same([a.leads, a.terms], [true, 1])
  })

  t.test('the Lease is given back whenever the end comes, also in the middle of a renewal', async t => {
    const kept: number[] = []
    for (let at = 3000; at < 6000; at += 100) {
      const time = new Time()
      const server = new LeaseServer(time)
      const a = new Process('a', server, time)
      await time.pass(2500)
      a.client.weather = () => ({ there: 300, back: 300, lost: 'no' })
      await time.pass(at - 2500)
      a.stop.abort()
      await time.pass(4900)
      await a.ended
      if (server.lease?.spec?.holderIdentity !== '') kept.push(at)
    }
    t.strictSame(kept, [])
  })

  t.test('work that ends, or fails, ends the whole, and gives the Lease back', async t => {
    const time = new Time()
    const server = new LeaseServer(time)
    const done = new Process('done', server, time, { work: async () => {} })
    await time.pass(1000)
    await done.ended
    t.equal(server.lease?.spec?.holderIdentity, '')
    const failing = new Process('failing', server, time, { work: async () => Promise.reject(new Error('broken')) })
    const failure = t.rejects(failing.ended, { message: 'broken' })
    await time.pass(5000)
    await failure
    t.equal(server.lease?.spec?.holderIdentity, '')
    t.equal(time.timers, 0, 'no timer is left')
  })

  t.test('a process that was paused knows that it does not lead before any timer of it has fired', async t => {
    const time = new Time()
    const server = new LeaseServer(time)
    const [a, b] = [new Process('a', server, time), new Process('b', server, time)]
    await time.pass(5000)
    a.clock.pause(40_000)
    await time.pass(39_999)
    t.ok(a.term, 'nobody has told it')
    t.same([a.leads, b.leads], [false, true])
    await time.pass(20_000)
    t.equal(a.term, undefined)
  })
})

t.test('property: never two leaders; always one, as soon as the weather allows', async () => {
  const weather = fc.record({
    there: fc.integer({ min: 0, max: 6000 }),
    back: fc.integer({ min: 0, max: 6000 }),
    lost: fc.constantFrom('no' as const, 'no' as const, 'there' as const, 'back' as const),
  })
  const step = fc.record({
    process: fc.nat({ max: 2 }),
    weather: fc.array(weather, { minLength: 1, maxLength: 5 }),
    pause: fc.option(fc.integer({ min: 1, max: 40_000 }), { nil: 0, freq: 4 }),
    lasts: fc.integer({ min: 1, max: 12_000 }),
  })
  const speeds = fc.tuple(...[0, 1, 2].map(() => fc.double({ min: 0.98, max: 1.02, noNaN: true })))
  const run = fc.asyncProperty(fc.array(step, { maxLength: 20 }), speeds, async (steps, speeds) => {
    const time = new Time()
    const server = new LeaseServer(time)
    const processes = speeds.map((speed, i) => new Process(`p${i}`, server, time, { speed }))
    const watch = (): void => assert(processes.filter(({ leads }) => leads).length <= 1, `two lead at ${time.now}`)
    for (const { process: index, weather, pause, lasts } of steps) {
      const process = processes[index]!
      let turn = 0
      process.client.weather = () => weather[turn++ % weather.length]!
      if (pause > 0) process.clock.pause(pause)
      await time.pass(lasts, watch)
    }
    for (const { client } of processes) client.weather = () => ({ there: 1, back: 1, lost: 'no' })
    await time.pass(60_000, watch)
    assert.equal(processes.filter(({ leads }) => leads).length, 1)
    for (const { stop } of processes) stop.abort()
    await time.pass(20_000, watch)
    await settle()
    await Promise.all(processes.map(({ ended }) => ended))
  })
  await fc.assert(run, { numRuns: 60 })
})
