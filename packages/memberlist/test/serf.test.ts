/** A ring with a real agent: Debian's serf, whose memberlist is of the 0.2 era. Each test has loopback addresses of its own. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { claimLoopback } from '@typemetal/lab'
import { Memberlist, type MemberlistOptions } from '@typemetal/memberlist'
import t, { type Test } from 'tap'

t.jobs = 4 // they wait for timers most of the time

const run = promisify(execFile)
const installed = spawnSync('serf', ['version']).status === 0
const skip = installed ? false : 'wants the Debian package serf'
const RPC_PORT = 7373
/** Loopback addresses of this run. */
const net = await claimLoopback()
let subnet = 0

/** What an agent says of a member that does not answer: because it is gone, or because the machine does much else. */
const ABSENCE =
  /Suspect .* has failed|Refuting|Was able|Failed (fallback|UDP) ping|(dial|read|write) tcp|i\/o timeout|EOF/

/** A serf agent, killed at the end of the test. */
class Agent {
  readonly #process: ChildProcess
  readonly #address: string
  #output = ''

  private constructor(name: string, address: string, key?: Uint8Array) {
    this.#address = address
    const encrypt = key ? [`-encrypt=${Buffer.from(key).toString('base64')}`] : []
    const args = [
      'agent',
      `-node=${name}`,
      `-bind=${address}:7946`,
      `-rpc-addr=${address}:${RPC_PORT}`,
      '-log-level=debug',
      ...encrypt,
    ]
    this.#process = spawn('serf', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#process.stdout!, this.#process.stderr!]) {
      stream.on('data', (chunk: Buffer) => void (this.#output += chunk.toString()))
    }
  }

  static async start(t: Test, name: string, address: string, key?: Uint8Array): Promise<Agent> {
    const agent = new Agent(name, address, key)
    t.teardown(() => agent.kill())
    await until(() => agent.#output.includes('agent: Serf agent starting'), 'the agent runs')
    return agent
  }

  /** What the agent said that sounds like trouble with a packet or a stream. */
  get complaints(): string[] {
    return this.#output.split('\n').filter(line => /\[(ERR|WARN)\]/.test(line) && /memberlist/.test(line))
  }

  async join(address: string): Promise<void> {
    await this.#command('join', address)
  }

  /** `name status` of each, in order. */
  async members(): Promise<string[]> {
    const lines = (await this.#command('members')).trim().split('\n')
    return lines
      .map(line => line.trim().split(/\s+/))
      .map(([name, , status]) => `${name} ${status}`)
      .toSorted()
  }

  async event(name: string, payload: string): Promise<void> {
    await this.#command('event', '-coalesce=false', name, payload)
  }

  async leave(): Promise<void> {
    await this.#command('leave')
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  async #command(command: string, ...args: string[]): Promise<string> {
    const { stdout } = await run('serf', [command, `-rpc-addr=${this.#address}:${RPC_PORT}`, ...args])
    return stdout
  }
}

async function until(condition: () => boolean | Promise<boolean>, what: string, limit = 60_000): Promise<void> {
  for (const end = Date.now() + limit; !(await condition());) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** Our node, as a serf agent takes it: with the versions of serf's protocol. */
async function ours(
  t: Test,
  name: string,
  bindAddress: string,
  options: Partial<MemberlistOptions> = {},
): Promise<Memberlist> {
  const node = new Memberlist({ name, bindAddress, delegateVersions: { min: 2, max: 5, current: 4 }, ...options })
  t.teardown(() => node.close())
  await node.start()
  return node
}

const names = (node: Memberlist): string[] =>
  node
    .members()
    .map(member => member.name)
    .toSorted()
const addresses = (): ((last: number) => string) => {
  const third = ++subnet
  return last => `${net}.${third}.${last}`
}

for (const [label, keyLength] of [
  ['plain', 0],
  ['AES-128', 16],
  ['AES-256', 32],
] as const) {
  t.test(`${label}: join both ways, kill of ours, leave of ours`, { skip, buffered: true }, async t => {
    const at = addresses()
    const key = keyLength > 0 ? new Uint8Array(keyLength).fill(7) : undefined
    const secretKeys = key ? [key] : []
    const agent = await Agent.start(t, 'serf', at(1), key)
    const [a, b] = await Promise.all([ours(t, 'a', at(2), { secretKeys }), ours(t, 'b', at(3), { secretKeys })])
    const messages: string[] = []
    a.on('message', payload => void messages.push(Buffer.from(payload).toString('latin1')))

    t.equal(await a.join([at(1)]), 1, 'we join the agent')
    await agent.join(at(3))
    await until(
      async () => names(a).length === 3 && names(b).length === 3 && (await agent.members()).length === 3,
      'a ring of three',
    )
    t.same(await agent.members(), ['a alive', 'b alive', 'serf alive'])

    await agent.event('greeting', 'hello')
    await until(() => messages.some(message => message.includes('hello')), "serf's user message reaches us")

    await b.close()
    const start = Date.now()
    await until(async () => (await agent.members()).includes('b failed') && names(a).length === 2, 'all find b dead')
    t.comment(`killed node found after ${Date.now() - start} ms`)
    await a.leave(5000)
    await until(
      async () => (await agent.members()).includes('a failed') || (await agent.members()).includes('a left'),
      'a is gone',
    )
    t.same(
      agent.complaints.filter(line => !ABSENCE.test(line)),
      [],
      'no complaints of what it got',
    )
    t.same([a.counters.packetFaults, a.counters.streamFaults], [{}, 0], 'no faults')
  })
}

t.test('kill and leave of the agent', { skip, buffered: true }, async t => {
  const at = addresses()
  const [one, two] = await Promise.all([Agent.start(t, 'one', at(1)), Agent.start(t, 'two', at(2))])
  const [a, b] = await Promise.all([ours(t, 'a', at(3)), ours(t, 'b', at(4))])
  await Promise.all([a.join([at(1)]), b.join([at(2)]), two.join(at(1))])
  await until(() => names(a).length === 4 && names(b).length === 4, 'a ring of four')
  const states: string[] = []
  a.on('leave', member => void states.push(`${member.name} ${member.state}`))
  one.kill()
  const start = Date.now()
  await until(() => names(a).length === 3 && names(b).length === 3, 'the killed agent is found')
  t.comment(`killed agent found after ${Date.now() - start} ms`)
  await until(async () => (await two.members()).includes('one failed'), 'the other agent agrees')
  await two.leave()
  await until(() => names(a).length === 2 && names(b).length === 2, 'the agent that left is gone')
  t.same(states, ['one dead', 'two left'])
})

t.test('an agent with another key stays out', { skip, buffered: true }, async t => {
  const at = addresses()
  const agent = await Agent.start(t, 'serf', at(1), new Uint8Array(16).fill(1))
  const a = await ours(t, 'a', at(2), { secretKeys: [new Uint8Array(16).fill(2)] })
  const plain = await ours(t, 'plain', at(3))
  await t.rejects(a.join([at(1)]), { code: 'ERR_MEMBERLIST_JOIN' })
  await t.rejects(plain.join([at(1)]), { code: 'ERR_MEMBERLIST_JOIN', message: /encrypt/ })
  await t.rejects(agent.join(at(2)))
  t.same([names(a), names(plain), await agent.members()], [['a'], ['plain'], ['serf alive']])
  t.ok(a.counters.streamFaults > 0)
})

t.test('without the versions of its protocol the agent refuses us', { skip, buffered: true }, async t => {
  const at = addresses()
  await Agent.start(t, 'serf', at(1))
  const a = new Memberlist({ name: 'a', bindAddress: at(2) })
  t.teardown(() => a.close())
  await a.start()
  await t.rejects(a.join([at(1)]), { code: 'ERR_MEMBERLIST_JOIN', message: /incompatible/ })
})

t.test('an agent that restarts is taken back', { skip, buffered: true }, async t => {
  const at = addresses()
  const first = await Agent.start(t, 'serf', at(1))
  const [a, b] = await Promise.all([ours(t, 'a', at(2)), ours(t, 'b', at(3))])
  await Promise.all([a.join([at(1)]), b.join([at(1)])])
  await until(() => names(a).length === 3 && names(b).length === 3, 'a ring of three')
  const gone = once(a, 'leave')
  first.kill()
  await gone
  const again = await Agent.start(t, 'serf', at(1))
  await again.join(at(2))
  await until(() => names(a).length === 3 && names(b).length === 3, 'it is back')
  t.same(await again.members(), ['a alive', 'b alive', 'serf alive'])
})
