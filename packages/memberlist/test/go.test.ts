/** Rings mixed of our nodes and hashicorp/memberlist v0.5.1, the version that MetalLB's speakers run. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Memberlist, type MemberlistOptions } from '@typemetal/memberlist'
import t, { type Test } from 'tap'

t.setTimeout(600_000)
t.jobs = 4 // they wait for timers most of the time

const source = fileURLToPath(new URL('../test/peers/go/', import.meta.url))
const binary = fileURLToPath(new URL('../build/go-peer', import.meta.url))
const skip = build()

/** @returns why there is no Go peer */
function build(): string | false {
  if (existsSync(binary)) return false
  if (spawnSync('go', ['version']).status !== 0) return 'wants the Go toolchain'
  if (process.env['TYPEMETAL_NO_INSTALL'] === '1')
    return 'wants Go modules, and TYPEMETAL_NO_INSTALL forbids to fetch them'
  const { status, stderr } = spawnSync('go', ['build', '-o', binary, '.'], { cwd: source, encoding: 'utf8' })
  return status === 0 ? false : `wants the Go modules of test/peers/go: ${stderr.split('\n', 1)[0]}`
}

/** Second octet of this run's loopback addresses. */
const net = `127.${1 + ((process.pid * 7) % 250)}`
let subnet = 0

interface Said {
  readonly event?: string
  readonly answer?: string
  readonly node?: string
  readonly line?: string
  readonly payload?: string
  readonly members?: readonly string[]
  readonly error?: string
  readonly meta?: string
}

/** A Go node. */
class GoNode {
  readonly name: string
  readonly address: string
  readonly said: Said[] = []
  readonly #process: ChildProcess
  readonly #waiting: ((said: Said) => void)[] = []

  private constructor(name: string, address: string, args: readonly string[]) {
    this.name = name
    this.address = address
    this.#process = spawn(binary, ['-name', name, '-bind', address, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface(this.#process.stdout!).on('line', line => {
      const said = JSON.parse(line) as Said
      this.said.push(said)
      if (said.answer !== undefined) this.#waiting.shift()?.(said)
    })
  }

  static async start(t: Test, name: string, address: string, args: readonly string[] = []): Promise<GoNode> {
    const node = new GoNode(name, address, args)
    t.teardown(() => node.kill())
    await until(() => node.said.some(({ event }) => event === 'ready'), `${name} runs`)
    return node
  }

  async command(line: string): Promise<Said> {
    const answer = new Promise<Said>(resolve => this.#waiting.push(resolve))
    this.#process.stdin!.write(`${line}\n`)
    return answer
  }

  get view(): string {
    const names = new Set<string>()
    for (const { event, node = '' } of this.said) {
      if (event === 'join') names.add(node)
      if (event === 'leave') names.delete(node)
    }
    return [...names].toSorted().join(' ')
  }

  /** What it logged that says that it could not read something of ours. */
  get complaints(): readonly string[] {
    const lines = this.said.filter(({ event }) => event === 'log').map(({ line = '' }) => line)
    return lines.filter(
      line =>
        /\[(ERR|WARN)\]/.test(line) &&
        /decode|decrypt|unsupported|truncated|too short|label|not supported|CRC/i.test(line),
    )
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }
}

async function until(condition: () => boolean, what: string, limit = 30_000): Promise<number> {
  const start = Date.now()
  for (; !condition();) {
    if (Date.now() > start + limit) throw new Error(`not in time: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  return Date.now() - start
}

const view = (node: Memberlist): string =>
  node
    .members()
    .map(({ name }) => name)
    .toSorted()
    .join(' ')

interface Mixed {
  readonly ours: readonly [Memberlist, Memberlist, Memberlist]
  readonly theirs: readonly [GoNode, GoNode, GoNode]
  readonly all: readonly { readonly name: string; readonly view: () => string }[]
}

/** Three of ours, three of theirs, joined both ways. */
async function mixed(t: Test, options: Partial<MemberlistOptions>, args: readonly string[]): Promise<Mixed> {
  const base = `${net}.${++subnet}`
  const starting = ['o1', 'o2', 'o3'].map(async (name, i) => {
    const node = new Memberlist({ name, bindAddress: `${base}.${i + 1}`, ...options })
    t.teardown(() => node.close())
    await node.start()
    return node
  })
  const ours = (await Promise.all(starting)) as unknown as Mixed['ours']
  const theirs = (await Promise.all(
    ['g1', 'g2', 'g3'].map((name, i) => GoNode.start(t, name, `${base}.${i + 11}`, args)),
  )) as unknown as Mixed['theirs']
  t.equal(await ours[0].join([theirs[0].address]), 1, 'ours joins theirs')
  t.equal((await theirs[1].command(`join ${base}.2`)).error, undefined, 'theirs joins ours')
  t.equal(await ours[2].join([theirs[2].address, `${base}.1`]), 2)
  t.equal((await theirs[1].command(`join ${base}.1`)).error, undefined)
  const all = [
    ...ours.map(node => ({ name: node.localMember().name, view: () => view(node) })),
    ...theirs.map(node => ({ name: node.name, view: () => node.view })),
  ]
  await agree(all, 'g1 g2 g3 o1 o2 o3')
  return { ours, theirs, all }
}

/** Waits until all of `names` see just each other. */
const agree = (all: Mixed['all'], names: string): Promise<number> =>
  until(() => all.every(node => !names.split(' ').includes(node.name) || node.view() === names), names)

function assertNoFaults(t: Test, { ours, theirs }: Mixed): void {
  t.same(
    theirs.flatMap(node => node.complaints),
    [],
    'theirs read all that ours sent',
  )
  t.same(
    ours.map(node => [node.counters.packetFaults, node.counters.streamFaults]),
    [
      [{}, 0],
      [{}, 0],
      [{}, 0],
    ],
    'and ours what theirs sent',
  )
}

const key = new Uint8Array(32).fill(5)
const base64 = (octets: Uint8Array): string => Buffer.from(octets).toString('base64')

for (const [label, options, args] of [
  ['plain', {}, []],
  ['plain, labelled', { label: 'dc1' }, ['-label', 'dc1']],
  ['encrypted', { secretKeys: [key] }, ['-key', base64(key)]],
  ['encrypted, labelled', { secretKeys: [key], label: 'dc1' }, ['-key', base64(key), '-label', 'dc1']],
] as const) {
  t.test(
    `${label}: join both ways, messages, meta, kill and leave of either kind`,
    { skip, buffered: true },
    async t => {
      const ring = await mixed(t, options, args)
      const { ours, theirs, all } = ring
      const heard: string[] = []
      ours[1].on('message', payload => void heard.push(Buffer.from(payload).toString()))
      await theirs[0].command('send o2 best effort')
      await theirs[0].command('reliable o2 reliable')
      ours[1].sendBestEffort({ address: theirs[1].address, port: 7946 }, Buffer.from('to a Go node'))
      await ours[1].sendReliable({ address: theirs[1].address, port: 7946 }, Buffer.from('reliably'))
      await until(() => heard.length === 2, 'messages to ours')
      await until(() => theirs[1].said.filter(({ event }) => event === 'message').length === 2, 'messages to theirs')

      await ours[0].updateMeta(Buffer.from('zone=b'))
      await until(
        () => theirs.every(({ said }) => said.some(({ event, meta }) => event === 'update' && meta === 'zone=b')),
        'our meta at theirs',
      )
      await theirs[0].command('meta rack=7')
      await until(
        () =>
          ours.every(node =>
            node.members().some(({ name, meta }) => name === 'g1' && Buffer.from(meta ?? []).toString() === 'rack=7'),
          ),
        'their meta at ours',
      )

      theirs[2].kill()
      t.comment(`killed Go node gone from all after ${await agree(all, 'g1 g2 o1 o2 o3')} ms`)
      await ours[2].close()
      t.comment(`killed node of ours gone from all after ${await agree(all, 'g1 g2 o1 o2')} ms`)
      await ours[1].leave()
      t.comment(`leave of ours known to all after ${await agree(all, 'g1 g2 o1')} ms`)
      const left: string[] = []
      ours[0].on('leave', ({ name, state }) => void left.push(`${name} ${state}`))
      await theirs[1].command('leave')
      t.comment(`leave of theirs known to all after ${await agree(all, 'g1 o1')} ms`)
      t.same(left, ['g2 left'])
      assertNoFaults(t, ring)
    },
  )
}

t.test('keys rotate in a mixed ring', { skip, buffered: true }, async t => {
  const ring = await mixed(t, { secretKeys: [key] }, ['-key', base64(key)])
  const { ours, theirs, all } = ring
  const next = new Uint8Array(16).fill(6)
  for (const [step, command] of [
    ['add', 'addkey'],
    ['use', 'usekey'],
    ['remove', 'removekey'],
  ] as const) {
    const which = step === 'remove' ? key : next
    for (const node of ours) node.keyring[step](which)
    for (const node of theirs) t.equal((await node.command(`${command} ${base64(which)}`)).error, undefined)
    await new Promise(resolve => setTimeout(resolve, 1500))
  }
  await agree(all, 'g1 g2 g3 o1 o2 o3')
  t.notOk(
    ours.some(node => node.counters.notes.suspected !== undefined),
    'nobody was suspected on the way',
  )
  assertNoFaults(t, ring)
})

t.test('a restarted node of either kind is taken back', { skip, buffered: true }, async t => {
  const ring = await mixed(t, {}, [])
  const { ours, theirs, all } = ring
  const address = ours[2].localMember().address
  await ours[2].close()
  await agree(all, 'g1 g2 g3 o1 o2')
  const again = new Memberlist({ name: 'o3', bindAddress: address })
  t.teardown(() => again.close())
  await again.start()
  await again.join([theirs[0].address])
  const without = all.filter(({ name }) => name !== 'o3')
  await until(
    () => without.every(node => node.view() === 'g1 g2 g3 o1 o2 o3') && view(again) === 'g1 g2 g3 o1 o2 o3',
    'o3 is back',
  )
  theirs[2].kill()
  await until(() => !view(again).includes('g3'), 'g3 is gone')
  const back = await GoNode.start(t, 'g3', theirs[2].address)
  await back.command(`join ${ours[0].localMember().address}`)
  await until(
    () =>
      without.every(node => node.name === 'g3' || node.view() === 'g1 g2 g3 o1 o2 o3') &&
      back.view === 'g1 g2 g3 o1 o2 o3',
    'g3 is back',
  )
  assertNoFaults(t, ring)
})
