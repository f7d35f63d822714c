/** One ring of hashicorp/memberlist, as MetalLB's speakers are, and of ours, with the key of one Secret: moved over, left, killed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RingProcess, claimLoopback, goPeer, until } from '@typemetal/lab'
import { electionOrder, memberlistKey, parseFlags, silent, startGossip } from '@typemetal/speaker'
import type { Ring } from '@typemetal/speaker'
import t from 'tap'
import type { Test } from 'tap'

const peer = await goPeer()
const skip = 'missing' in peer && peer.missing
const SECRET = '0123456789ABCDEFGHIJKL'
const NAMES = ['n1', 'n2', 'n3', 'n4', 'n5']
const ADDRESSES = Array.from({ length: 50 }, (_, i) => `10.1.0.${i + 1}`)
/** Loopback addresses of this run. */
const NET = `${await claimLoopback()}.77`
const PATIENCE = 60_000

t.setTimeout(1_200_000)

const hostOf = (name: string): string => `${NET}.${name.slice(1)}`

/** A speaker as far as the ring is concerned: whose names it takes for alive. */
interface Member {
  readonly kind: 'go' | 'ours'
  view(): readonly string[]
  stop(politely: boolean): Promise<void>
}

/** The ring; one name is one member at a time. */
class MixedRing {
  readonly members = new Map<string, Member>()
  readonly #folder: string
  readonly rings = new Map<string, Ring>()

  constructor(folder: string) {
    this.#folder = folder
  }

  async go(name: string): Promise<void> {
    const key = memberlistKey(Buffer.from(SECRET))
    const node = await RingProcess.start({ kind: 'go', name, address: hostOf(name), key })
    this.members.set(name, {
      kind: 'go',
      view: () => node.view.split(' ').filter(Boolean),
      stop: async politely => {
        if (politely) await node.command('leave')
        await node[Symbol.asyncDispose]()
      },
    })
    const others = NAMES.filter(other => other !== name && this.members.has(other)).map(hostOf)
    if (others.length > 0) await node.command(`join ${others.join(' ')}`)
  }

  async ours(name: string): Promise<Ring> {
    const argv = ['--node-name', name, '--ml-bindaddr', hostOf(name), '--ml-secret-key-path', this.#folder]
    const peers = (): readonly string[] => NAMES.filter(other => other !== name).map(hostOf)
    const ring = await startGossip(
      parseFlags([...argv, '--ml-config-file', join(this.#folder, 'none')], {}),
      peers,
      silent,
    )
    if (!ring) throw new Error('gossip is off')
    await ring.start()
    await ring.nudge()
    this.rings.set(name, ring)
    this.members.set(name, {
      kind: 'ours',
      view: () => ring.members,
      stop: async politely => {
        if (politely) await ring.leave()
        await ring[Symbol.asyncDispose]()
      },
    })
    return ring
  }

  async stop(name: string, politely: boolean): Promise<void> {
    const member = this.members.get(name)
    this.members.delete(name)
    await member?.stop(politely)
  }

  /** Waits until all agree that these are the members. @returns milliseconds */
  async agree(names: Iterable<string> = this.members.keys()): Promise<number> {
    const wanted = [...names].toSorted().join(' ')
    const started = performance.now()
    const isSettled = (): boolean => [...this.members].every(([name, member]) => !wanted.includes(name) || member.view().join(' ') === wanted) // prettier-ignore
    await until(`all to see ${wanted}`, () => isSettled() || undefined, { timeout: PATIENCE })
    return Math.round(performance.now() - started)
  }

  /** Addresses that not exactly one of these members takes for its own, by what each sees. */
  unowned(names: Iterable<string> = this.members.keys()): readonly string[] {
    const views = [...names].map(name => ({ name, view: this.members.get(name)?.view() ?? [] }))
    return ADDRESSES.filter(
      address => views.filter(({ name, view }) => electionOrder(view, address)[0] === name).length !== 1,
    )
  }

  async close(): Promise<void> {
    await Promise.all([...this.members.keys()].map(name => this.stop(name, false)))
  }
}

async function ringOf(t: Test): Promise<MixedRing> {
  const folder = await mkdtemp(join(tmpdir(), 'typemetal-migration-'))
  await writeFile(join(folder, 'secretkey'), SECRET)
  const ring = new MixedRing(folder)
  t.teardown(async () => {
    await ring.close()
    await rm(folder, { recursive: true })
  })
  for (const name of NAMES) await ring.go(name)
  await ring.agree()
  return ring
}

t.test('five speakers of MetalLB are replaced one by one, and one of ours is put back', { skip }, async t => {
  const ring = await ringOf(t)
  t.strictSame(ring.unowned(), [], 'before')
  for (const name of ['n3', 'n1', 'n5', 'n2', 'n4']) {
    await ring.stop(name, true)
    const gone = await ring.agree()
    t.strictSame(ring.unowned(), [], `without ${name}, ${gone} ms after it has left`)
    await ring.ours(name)
    const came = await ring.agree()
    t.strictSame(ring.unowned(), [], `${name} is ours, all see it after ${came} ms`)
  }
  await ring.stop('n2', true)
  await ring.agree()
  await ring.go('n2')
  await ring.agree()
  t.strictSame(ring.unowned(), [], 'and back to MetalLB, half way or whole')
})

t.test('in a mixed ring: leave and return while the process lives, kill, restart at once', { skip }, async t => {
  const ring = await ringOf(t)
  for (const name of ['n1', 'n2']) {
    await ring.stop(name, true)
    await ring.agree()
    await ring.ours(name)
    await ring.agree()
  }
  const drained = ring.rings.get('n1')
  for (let round = 1; round <= 3; round++) {
    await drained?.leave()
    const others = NAMES.filter(name => name !== 'n1')
    const left = await ring.agree(others)
    t.strictSame(ring.unowned(others), [], `round ${round}: the others elect without it after ${left} ms`)
    t.strictSame(ring.members.get('n1')?.view(), others, 'and it sees the same')
    await drained?.rejoin()
    const back = await ring.agree()
    t.strictSame(ring.unowned(), [], `it is back after ${back} ms`)
  }
  await ring.stop('n4', false)
  t.comment(`a killed speaker of MetalLB is gone after ${await ring.agree()} ms`)
  t.strictSame(ring.unowned(), [])
  await ring.stop('n2', false)
  t.comment(`a killed one of ours is gone after ${await ring.agree()} ms`)
  t.strictSame(ring.unowned(), [])
  await ring.ours('n2')
  await ring.ours('n4')
  await ring.agree()
  t.strictSame(ring.unowned(), [], 'ours comes back where ours was killed, and where MetalLB was')
  await ring.stop('n2', false)
  await ring.ours('n2')
  await ring.agree()
  t.strictSame(ring.unowned(), [], 'restarted before anybody has noticed')
})
