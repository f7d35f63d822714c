/** Rings of processes, hashicorp/memberlist's and ours, for the tests that treat them alike. */
import {
  claimLoopback,
  goPeer,
  type Host,
  RingProcess,
  type RingProcessOptions,
  type Said,
  until,
} from '@typemetal/lab'
import type { Test } from 'tap'

const peer = await goPeer()
/** Why there is no Go node, for tests that want one; `false` when there is. */
export const noGo = 'missing' in peer && peer.missing

/** Loopback addresses of this run. */
const net = await claimLoopback()
let subnet = 0

/** A function from the last octet to an address on this machine, in a block of its own. */
export function loopback(): (last: number) => string {
  const third = ++subnet
  return last => `${net}.${third}.${last}`
}

/** Starts a node that ends with the test. */
export async function start(t: Test, options: RingProcessOptions): Promise<RingProcess> {
  const node = await RingProcess.start(options)
  t.teardown(() => node[Symbol.asyncDispose]())
  return node
}

/** What the nodes of a ring have in common, and where they are. */
export interface MixedRingOptions extends Partial<Pick<RingProcessOptions, 'key' | 'label' | 'preset'>> {
  /** Address by number, 1 to 6. @default {@link loopback} */
  readonly at?: (number: number) => string
  /** Host by number. @default this machine */
  readonly host?: (number: number) => Host
}

/** Six nodes that are one ring: `o1` to `o3` ours, `g1` to `g3` Go's, joined both ways. */
export async function startMixed(t: Test, options: MixedRingOptions = {}): Promise<readonly RingProcess[]> {
  const { at = loopback(), host, ...common } = options
  const nodes = await Promise.all(
    ['o1', 'o2', 'o3', 'g1', 'g2', 'g3'].map((name, i) =>
      start(t, {
        kind: name.startsWith('o') ? 'node' : 'go',
        name,
        address: at(i + 1),
        ...common,
        ...(host ? { host: host(i + 1) } : {}),
      }),
    ),
  )
  const [o1, o2, o3, g1, g2, g3] = nodes as [
    RingProcess,
    RingProcess,
    RingProcess,
    RingProcess,
    RingProcess,
    RingProcess,
  ]
  await Promise.all([
    o1.command(`join ${g1.address}`),
    o2.command(`join ${o1.address}`),
    o3.command(`join ${g2.address}`),
    g2.command(`join ${o1.address}`),
    g3.command(`join ${o2.address}`),
  ])
  await agree(nodes)
  return nodes
}

/** Names of nodes in order, as {@link RingProcess.view} has them. */
export const namesOf = (nodes: readonly RingProcess[]): string =>
  nodes
    .map(({ name }) => name)
    .toSorted()
    .join(' ')

/** Waits until each of the nodes sees just these. @returns milliseconds */
export async function agree(nodes: readonly RingProcess[], timeout = 60_000): Promise<number> {
  const names = namesOf(nodes)
  const started = performance.now()
  const views = (): string => nodes.map(node => `${node.name}: ${node.view}`).join('; ')
  try {
    await until(names, () => (nodes.every(({ view }) => view === names) ? true : undefined), { timeout })
  } catch (cause) {
    throw new Error(`no agreement on ${names}: ${views()}`, { cause })
  }
  return Math.round(performance.now() - started)
}

/** An event and who said it: `g1: leave o2`. */
export type Heard = string

/** Writes down what the nodes say of other members from now on. */
export function listen(
  nodes: readonly RingProcess[],
  events: readonly NonNullable<Said['event']>[] = ['join', 'leave', 'update'],
): Heard[] {
  const heard: Heard[] = []
  for (const node of nodes)
    node.listen(({ event, node: about }) => {
      if (event && events.includes(event)) heard.push(`${node.name}: ${event} ${about}`)
    })
  return heard
}

/** That every node could read all it got. */
export async function assertNoFaults(t: Test, nodes: readonly RingProcess[]): Promise<void> {
  t.same(
    nodes.flatMap(node => node.complaints.map(line => `${node.name}: ${line}`)),
    [],
    'nobody complains of what it got',
  )
  const faults = await Promise.all(
    nodes
      .filter(({ kind, running }) => kind === 'node' && running)
      .map(async node => ({ [node.name]: (await node.command('counters')).faults })),
  )
  t.ok(
    faults.every(of => Object.values(of).every(counts => Object.keys(counts ?? {}).length === 0)),
    `ours read all that theirs sent: ${JSON.stringify(faults)}`,
  )
}
