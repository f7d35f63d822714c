/** Two controllers on a real API server: whatever becomes of the leader, the other one takes over, and no address is given twice. */
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '@typemetal/lab'
import { type AdminClient, type ApiServer, DEADLINE, type FaultProxy } from '@typemetal/lab/kubernetes'
import type { Test } from 'tap'
import { onApiServer } from './envtest.js'
import { ControllerProcess } from './envtest-controller.js'
import { ServiceHistory } from './envtest-history.js'
import { pool, service } from './envtest-objects.js'

/** As short as can be, where a leader on a busy machine is to renew it in time, and a write that was begun is given up after 5 s. */
const LEASE = ['--leader-elect-lease-duration=15s', '--leader-elect-renew-deadline=10s']
/** Nobody waits for the end of this one. */
const LONG_LEASE = ['--leader-elect-lease-duration=20m', '--leader-elect-renew-deadline=19m']
const PATIENT = { timeout: 2 * DEADLINE }
/** Services that come while nobody, or the wrong one, may lead. */
const BURST = 30

onApiServer('two controllers', {}, async (t, server) => {
  await server.admin.apply(pool('web', '192.0.2.0/24', '2001:db8::/120'))
  await using history = await ServiceHistory.start(server)
  await using pair = await Pair.start(server, LEASE)
  const { admin } = server
  const scenes: readonly (readonly [name: string, scene: (leader: Member) => Promise<() => Promise<void>>])[] = [
    [
      'kill -9 of the leader, which is started again',
      async leader => {
        leader.controller.process.kill('SIGKILL')
        await leader.controller.process.exited
        return () => pair.restart(leader)
      },
    ],
    [
      'kill -STOP of the leader, for longer than the lease',
      async leader => {
        leader.controller.process.kill('SIGSTOP')
        return async () => {
          leader.controller.process.kill('SIGCONT')
        }
      },
    ],
    [
      'the leader is cut off',
      async leader => {
        await leader.proxy.refuse()
        return () => leader.proxy.accept()
      },
    ],
    [
      'the answers to the leader are lost, while its requests arrive',
      async leader => {
        leader.proxy.fault = ({ method }) => (method === 'GET' ? undefined : { type: 'cut-answer' })
        leader.proxy.stall(true)
        return async () => {
          leader.proxy.fault = () => undefined
          leader.proxy.stall(false)
        }
      },
    ],
  ]
  for (const [index, [name, scene]] of scenes.entries()) {
    await t.test(name, async t => {
      const leader = await pair.leader()
      const standby = pair.other(leader)
      t.equal(await standby.controller.readiness(), 'ok', 'the standby is ready')
      // In the midst of work.
      const before = burst(admin, `before-${index}`)
      await delay(60)
      const mend = await scene(leader)
      const since = performance.now()
      await before
      await burst(admin, `during-${index}`)
      await until('the standby to lead', async () => (await standby.controller.leads()) || undefined, PATIENT)
      t.comment(`took over after ${((performance.now() - since) / 1000).toFixed(1)} s`)
      await served(t, history, 2 * BURST * (index + 1))
      await mend()
      await burst(admin, `after-${index}`, 3)
      await until(
        'the former leader to stand by',
        async () => {
          const stands = (await leader.controller.readiness()) === 'ok' && !(await leader.controller.leads())
          return stands || undefined
        },
        PATIENT,
      )
      t.ok(await standby.controller.leads(), 'the new leader stays it')
      await remove(admin, `after-${index}`, 3)
      await served(t, history, 2 * BURST * (index + 1))
      t.same(history.doubled, [], 'no address was ever in two statuses')
    })
  }
  await pair[Symbol.asyncDispose]()
  await t.test('an orderly end: the standby takes over at once, and not when the lease ends', async t => {
    await using patient = await Pair.start(server, LONG_LEASE)
    const leader = await patient.leader()
    const since = performance.now()
    await leader.controller[Symbol.asyncDispose]()
    const { controller } = patient.other(leader)
    await until('the standby to lead', async () => (await controller.leads()) || undefined, PATIENT)
    t.comment(`took over after ${((performance.now() - since) / 1000).toFixed(1)} s`)
  })
  t.equal(history.gaps, 0, 'every version was seen')
  t.ok(history.versions > 2 * BURST * scenes.length, `${history.versions} of them`)
})

/** Creates Services all at once. */
async function burst(admin: AdminClient, name: string, count = BURST): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => admin.apply(service(`${name}-${i}`))))
}

async function remove(admin: AdminClient, name: string, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => admin.remove(service(`${name}-${i}`))))
}

/** Waits until so many Services have an address, each its own. */
async function served(t: Test, history: ServiceHistory, count: number): Promise<void> {
  await until(`${count} Services with an address`, () => history.addresses.size === count || undefined, PATIENT)
  t.equal(new Set([...history.addresses.values()].flat()).size, count, `${count} Services have one address each`)
}

/** One of the two, with its own way to the API server. */
interface Member {
  readonly proxy: FaultProxy
  controller: ControllerProcess
}

class Pair implements AsyncDisposable {
  readonly #server: ApiServer
  readonly #lease: readonly string[]
  readonly #members: readonly [Member, Member]

  private constructor(server: ApiServer, lease: readonly string[], members: readonly [Member, Member]) {
    this.#server = server
    this.#lease = lease
    this.#members = members
  }

  /** @param lease flags */
  static async start(server: ApiServer, lease: readonly string[]): Promise<Pair> {
    const member = async (name: string): Promise<Member> => {
      const proxy = await server.proxy()
      return { proxy, controller: await startMember(server, proxy, name, lease) }
    }
    const pair = new Pair(server, lease, [await member('first'), await member('second')])
    await Promise.all(pair.#members.map(({ controller }) => controller.ready()))
    return pair
  }

  /** Waits until there is one, and only one. */
  async leader(): Promise<Member> {
    const look = async (): Promise<Member | undefined> => {
      const leads = await Promise.all(this.#members.map(({ controller }) => controller.leads()))
      return leads[0] === leads[1] ? undefined : this.#members[leads[0] ? 0 : 1]
    }
    return until('one leader', look, PATIENT)
  }

  other(member: Member): Member {
    const [first, second] = this.#members
    return member === first ? second : first
  }

  async restart(member: Member): Promise<void> {
    member.controller = await startMember(this.#server, member.proxy, 'again', this.#lease)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map(({ controller }) => controller[Symbol.asyncDispose]()))
  }
}

function startMember(
  server: ApiServer,
  through: FaultProxy,
  name: string,
  lease: readonly string[],
): Promise<ControllerProcess> {
  const flags = ['--webhook-mode=disabled', '--leader-elect-retry-period=1s', ...lease]
  return ControllerProcess.start(server, { name, through, flags })
}
