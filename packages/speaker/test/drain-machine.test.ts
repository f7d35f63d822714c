/** The drain in virtual time: every order of events, every bound. */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { DrainMachine, checkDrainOptions, simulateDrain } from '@typemetal/speaker'
import type { DrainAction, DrainEvent, DrainScenario } from '@typemetal/speaker'

const HEIRS = new Map([
  ['10.0.0.1', 'n2'],
  ['fd00::1', 'n3'],
])
const LONELY = new Map([['10.0.0.1', undefined]])

/** `at action` of every step. */
const script = (scenario: DrainScenario): readonly string[] =>
  simulateDrain(scenario).map(({ at, action }) => `${at} ${text(action)}`)

function text(action: DrainAction): string {
  if (action.type === 'transition') return `${action.to}: ${action.reason}`
  if (action.type === 'stopAnswering') return `stopAnswering ${action.addresses.join(' ')}: ${action.reason}`
  return 'scope' in action ? `${action.type} ${action.scope}` : action.type
}

t.test(
  'RFC 8326: preference first, then the ring, routes, sessions; addresses go when their successor was heard',
  async t => {
    t.strictSame(script({ cause: 'signal', peers: 2, heirs: HEIRS }), [
      '0 lowering: signal',
      '0 lowerPreference all',
      '3010 handingOver: peersHadTime',
      '3010 leaveRing',
      '3310 stopAnswering 10.0.0.1: successorsSeen',
      '3310 stopAnswering fd00::1: successorsSeen',
      '3310 withdrawing: successorsSeen',
      '3310 withdrawRoutes all',
      '3320 parting: peersTold',
      '3320 closeSessions all',
      '3320 clearStatuses',
      '3370 ended: parted',
      '3370 exit',
    ])
  },
)

t.test('without peers and addresses a drain is over at once', async t => {
  const steps = script({ cause: 'signal', peers: 0, heirs: new Map(), alone: false })
  t.equal(steps.at(-1), '50 exit')
  t.ok(steps.includes('0 handingOver: noPeers') && steps.includes('0 withdrawing: nothingToHandOver'))
})

t.test('no successor heard: answered until the bound', async t => {
  const steps = script({ cause: 'signal', peers: 0, heirs: HEIRS, successorAfter: undefined })
  t.ok(steps.includes('5000 withdrawing: successorBound'), steps.join('\n'))
  t.ok(steps.includes('5000 stopAnswering 10.0.0.1 fd00::1: successorBound'))
})

t.test('the only node answers and announces until the very end', async t => {
  const steps = script({ cause: 'signal', peers: 1, heirs: LONELY })
  t.strictSame(steps.slice(-6), [
    '3010 parting: onlyNode',
    '3010 closeSessions all',
    '3010 clearStatuses',
    '3060 stopAnswering 10.0.0.1: parted',
    '3060 ended: parted',
    '3060 exit',
  ])
  t.notOk(steps.some(step => step.includes('withdrawRoutes')))
})

t.test('RFC 4724: an upgrade spares the peers that keep our routes', async t => {
  const steps = script({ cause: 'upgrade', peers: 1, heirs: new Map(), alone: false })
  const scopes = steps.filter(step => step.includes('withoutGracefulRestart')).map(step => step.split(' ')[1])
  t.strictSame(scopes, ['lowerPreference', 'withdrawRoutes', 'closeSessions'])
})

t.test('a node that goes away takes nobody for restarting', async t => {
  const machine = new DrainMachine()
  machine.handle({ type: 'node', cause: 'cordon' }, 0)
  machine.handle({ type: 'signal', restart: true }, 1)
  t.equal(machine.lowered, 'all')
})

t.test('a cordoned node: drained, and the process stays', async t => {
  const steps = script({ cause: 'cordon', peers: 1, heirs: HEIRS })
  t.equal(steps.at(-1), '3320 drained: peersTold')
  t.notOk(steps.some(step => /closeSessions|exit|clearStatuses/.test(step)))
})

t.test('the only node, cordoned: it answers and announces until another one comes and was heard', async t => {
  const machine = new DrainMachine()
  machine.handle({ type: 'others', heirs: LONELY, alone: true }, 0)
  machine.handle({ type: 'node', cause: 'cordon' }, 0)
  machine.handle({ type: 'peersTold', peers: 1 }, 0)
  machine.handleTimeout(3_000)
  t.equal(machine.state, 'drained')
  t.strictSame([...machine.held.keys()], ['10.0.0.1'])
  t.equal(machine.withdrawn, 'none')
  t.equal(machine.nextTimeout, undefined)
  t.strictSame(
    machine.handle({ type: 'others', heirs: new Map([['10.0.0.1', 'n2']]), alone: false }, 9_000).map(text),
    ['withdrawRoutes all'],
  )
  t.strictSame(machine.handle({ type: 'successor', address: '10.0.0.1' }, 9_300).map(text), [
    'stopAnswering 10.0.0.1: successorsSeen',
  ])
})

t.test(
  'all nodes are drained, or the others die: the last resort answers and announces again, until one comes',
  async t => {
    const machine = new DrainMachine()
    machine.handle({ type: 'others', heirs: HEIRS, alone: false }, 0)
    machine.handle({ type: 'node', cause: 'cordon' }, 0)
    machine.handle({ type: 'peersTold', peers: 1 }, 0)
    machine.handleTimeout(3_000)
    for (const address of HEIRS.keys()) machine.handle({ type: 'successor', address }, 3_100)
    machine.handle({ type: 'peersTold', peers: 1 }, 3_100)
    t.equal(machine.state, 'drained')
    const nobody = new Map([...HEIRS.keys()].map(address => [address, undefined]))
    t.strictSame(machine.handle({ type: 'others', heirs: nobody, alone: true }, 4_000).map(text), [
      'answerAgain',
      'announceRoutes',
    ])
    t.strictSame([machine.held.size, machine.withdrawn, machine.lowered, machine.left], [2, 'none', 'all', true])
    t.strictSame(machine.handle({ type: 'others', heirs: nobody, alone: true }, 4_100), [])
    t.strictSame(machine.handle({ type: 'others', heirs: HEIRS, alone: false }, 5_000).map(text), [
      'withdrawRoutes all',
    ])
    t.strictSame(machine.handleTimeout(10_000).map(text), ['stopAnswering 10.0.0.1 fd00::1: successorBound'])
  },
)

t.test('a successor that is never heard gets its time also on a node that is drained already', async t => {
  const machine = new DrainMachine()
  machine.handle({ type: 'others', heirs: LONELY, alone: true }, 0)
  machine.handle({ type: 'node', cause: 'cordon' }, 0)
  machine.handle({ type: 'peersTold', peers: 0 }, 0)
  machine.handle({ type: 'others', heirs: new Map([['10.0.0.1', 'n2']]), alone: false }, 9_000)
  t.equal(machine.nextTimeout, 14_000)
  t.strictSame(machine.handleTimeout(14_000).map(text), ['stopAnswering 10.0.0.1: successorBound'])
  t.equal(machine.nextTimeout, undefined)
})

t.test('a second signal ends at once, wherever it is', async t => {
  const machine = new DrainMachine()
  machine.handle({ type: 'others', heirs: HEIRS, alone: false }, 0)
  machine.handle({ type: 'signal', restart: false }, 0)
  t.strictSame(machine.handle({ type: 'signal', restart: false }, 1).map(text), [
    'stopAnswering 10.0.0.1 fd00::1: secondSignal',
    'ended: secondSignal',
    'exit',
  ])
  t.strictSame(machine.handle({ type: 'signal', restart: false }, 2), [])
})

t.test('when it has ended nothing is done any more', async t => {
  const machine = new DrainMachine()
  machine.handle({ type: 'signal', restart: false }, 0)
  machine.handle({ type: 'signal', restart: false }, 0)
  t.equal(machine.state, 'ended')
  machine.handle({ type: 'others', heirs: HEIRS, alone: false }, 0)
  t.strictSame(machine.handle({ type: 'successor', address: '10.0.0.1' }, 0), [])
  t.strictSame(machine.handle({ type: 'node', cause: 'cordon' }, 0), [])
})

t.test('a peer that takes nothing holds up nobody', async t => {
  const steps = script({ cause: 'signal', peers: 1, heirs: new Map(), alone: false, toldAfter: 60_000 })
  t.ok(steps.includes('1000 handingOver: peersBound'))
  t.ok(steps.includes('2000 parting: peersBound'))
})

t.test('options: what is no duration is refused by name', async t => {
  t.throws(() => checkDrainOptions({ peerWait: -1 }), { name: 'RangeError', message: /^peerWait / })
  t.throws(() => new DrainMachine({ timeout: NaN }), { name: 'RangeError', message: /^timeout / })
})

/** What a world sees that carries out the actions, with what must never happen. */
class World {
  lowered = false
  left = false
  withdrawn = false
  exited = false
  readonly answering = new Set<string>(HEIRS.keys())
  readonly seen = new Set<string>()
  readonly done = new Map<string, number>()
  leftAt = Infinity

  constructor(readonly machine: DrainMachine) {}

  carryOut(actions: readonly DrainAction[], now: number, heirs: ReadonlyMap<string, string | undefined>): void {
    for (const action of actions) {
      assert.equal(this.exited, false, 'nothing after the exit')
      this.#count(action)
      this.#apply(action, now, heirs)
    }
  }

  #count(action: DrainAction): void {
    // What takes back may be needed each time.
    if (['transition', 'answerAgain', 'announceRoutes'].includes(action.type)) return
    const names = action.type === 'stopAnswering' ? action.addresses.map(a => `stop ${a}`) : [action.type]
    for (const name of names) {
      const count = (this.done.get(name) ?? 0) + 1
      assert.equal(count, 1, `${name} at most once`)
      this.done.set(name, count)
    }
  }

  #apply(action: DrainAction, now: number, heirs: ReadonlyMap<string, string | undefined>): void {
    switch (action.type) {
      case 'transition':
        if (action.to === 'announcing') this.done.clear()
        break
      case 'lowerPreference':
        this.lowered = true
        break
      case 'restorePreference':
        this.lowered = false
        break
      case 'leaveRing':
        this.left = true
        this.leftAt = now
        break
      case 'rejoinRing':
        this.left = false
        this.seen.clear()
        break
      case 'withdrawRoutes':
        assert.ok(this.lowered, 'lowered before withdrawn')
        this.withdrawn = true
        break
      case 'announceRoutes':
        this.withdrawn = false
        this.done.delete('withdrawRoutes')
        break
      case 'stopAnswering':
        for (const address of action.addresses) this.#stop(address, action.reason, heirs)
        break
      case 'answerAgain':
        for (const address of HEIRS.keys()) this.answering.add(address)
        for (const name of this.done.keys()) if (name.startsWith('stop ')) this.done.delete(name)
        this.seen.clear()
        break
      case 'exit':
        this.exited = true
        break
      case 'closeSessions':
      case 'clearStatuses':
        break
      default:
        action satisfies never
    }
  }

  #stop(address: string, reason: string, heirs: ReadonlyMap<string, string | undefined>): void {
    this.answering.delete(address)
    if (reason === 'secondSignal') return
    assert.ok(this.left, 'the ring was left before')
    const last = reason === 'parted' || reason === 'partingBound'
    if (last) return
    if (reason === 'successorsSeen') assert.ok(this.seen.has(address), 'its successor was heard')
    else {
      assert.equal(reason, 'successorBound')
      assert.notEqual(heirs.get(address), undefined, 'what nobody can take over is answered to the last')
    }
  }
}

const OPTIONS = { timeout: 8_000, peerWait: 1_000, successorWait: 2_000 }

type Happening = DrainEvent | { readonly type: 'wait'; readonly ms: number }

const address = fc.constantFrom(...HEIRS.keys())
const heirs = fc.constantFrom(
  HEIRS,
  new Map([...HEIRS.keys()].map(a => [a, undefined])),
  new Map([...HEIRS].slice(0, 1)),
)
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ type: fc.constant('wait' as const), ms: fc.nat(3_000) }),
  fc.record({ type: fc.constant('wait' as const), ms: fc.nat(300) }),
  fc.record({
    type: fc.constant('node' as const),
    cause: fc.constantFrom('cordon' as const, 'shutdown' as const, undefined),
  }),
  fc.record({ type: fc.constant('others' as const), heirs, alone: fc.boolean() }),
  fc.record({ type: fc.constant('peersTold' as const), peers: fc.nat(2) }),
  fc.record({ type: fc.constant('successor' as const), address }),
  fc.constant({ type: 'parted' as const }),
)
const signal = fc.record({ type: fc.constant('signal' as const), restart: fc.boolean() })

/** Lets time pass and events happen; checks each action. @returns the time at the end */
function live(happenings: readonly Happening[], machine: DrainMachine, world: World, from = 0): number {
  let now = from
  let known: ReadonlyMap<string, string | undefined> = HEIRS
  const run = (until: number): void => {
    for (let i = 0; (machine.nextTimeout ?? Infinity) <= until; i++) {
      assert.ok(i < 100, 'timers come to an end')
      now = Math.max(now, machine.nextTimeout ?? now)
      world.carryOut(machine.handleTimeout(now), now, known)
    }
    now = until
  }
  for (const event of happenings) {
    if (event.type === 'wait') run(now + event.ms)
    else {
      if (event.type === 'successor' && world.left) world.seen.add(event.address)
      if (event.type === 'others') known = event.heirs
      world.carryOut(machine.handle(event, now), now, known)
    }
  }
  return now
}

const begin: Happening = { type: 'others', heirs: HEIRS, alone: false }

t.test(
  'property: nothing is let go before its successor or a bound, each step once, in any order of events',
  async () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 12, arbitrary: happening }, { weight: 1, arbitrary: signal }), { maxLength: 40 }),
        events => {
          const machine = new DrainMachine(OPTIONS)
          live([begin, ...events], machine, new World(machine))
        },
      ),
      { numRuns: 5_000 },
    )
  },
)

t.test('property: after the signal it ends within the bound, whatever does not happen', async () => {
  fc.assert(
    fc.property(
      fc.array(happening, { maxLength: 20 }),
      fc.array(happening, { maxLength: 20 }),
      fc.boolean(),
      (before, after, restart) => {
        const machine = new DrainMachine(OPTIONS)
        const world = new World(machine)
        const at = live([begin, ...before, { type: 'signal', restart }], machine, world)
        const quick = after.map(event => (event.type === 'wait' ? { ...event, ms: Math.min(event.ms, 400) } : event))
        const now = live(quick, machine, world, at)
        live([{ type: 'wait', ms: Math.max(0, at + OPTIONS.timeout - now) }], machine, world, now)
        assert.equal(machine.state, 'ended')
        assert.ok(world.exited)
        assert.equal(world.answering.size === 0 || world.answering.size < HEIRS.size || machine.held.size === 0, true)
      },
    ),
    { numRuns: 5_000 },
  )
})

t.test('property: a node that returns at any step gets everything back', async () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 30 }), events => {
      const machine = new DrainMachine(OPTIONS)
      const world = new World(machine)
      const now = live([begin, ...events], machine, world)
      live([begin, { type: 'node', cause: undefined }], machine, world, now)
      assert.equal(machine.state, 'announcing')
      assert.deepEqual([world.lowered, world.left, world.withdrawn, world.exited], [false, false, false, false])
      assert.deepEqual([...world.answering].toSorted(), [...HEIRS.keys()].toSorted())
      assert.equal(machine.nextTimeout, undefined)
    }),
    { numRuns: 5_000 },
  )
})

t.test("property: an address is held for the successor's whole time, or until the drain must end", async () => {
  fc.assert(
    fc.property(fc.nat(4_000), fc.nat(9_000), fc.nat(9_000), (peerWait, successorWait, timeout) => {
      const steps = simulateDrain({
        cause: 'signal',
        peers: 1,
        heirs: HEIRS,
        successorAfter: undefined,
        options: { peerWait, successorWait, timeout },
      })
      const at = (type: DrainAction['type']): number => steps.find(({ action }) => action.type === type)?.at ?? NaN
      const cutoff = timeout - Math.min(2_000, timeout / 2)
      assert.ok(at('stopAnswering') >= Math.min(at('leaveRing') + successorWait, cutoff), JSON.stringify(steps))
      assert.ok(at('exit') <= timeout)
    }),
  )
})
