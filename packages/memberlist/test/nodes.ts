/** Nodes on real sockets of this host. */
import { Memberlist, type MemberlistOptions } from '@typemetal/memberlist'
import type { Test } from 'tap'

/** Timing for tests: a tenth of the LAN's; but streams have the time that a busy machine takes. */
const TIMING = {
  probeInterval: 100,
  probeTimeout: 50,
  gossipInterval: 20,
  watchInterval: 50,
  refusedGrace: 60,
  pushPullInterval: 3000,
  tcpTimeout: 20_000,
}
/** Where all of these nodes listen, on ports that the system chooses. */
export const bindAddress = '127.0.0.1'

/** A node that is closed at the end of the test. */
export async function start(t: Test, name: string, options: Partial<MemberlistOptions> = {}): Promise<Memberlist> {
  const node = new Memberlist({ name, bindAddress, bindPort: 0, ...TIMING, ...options })
  t.teardown(() => node.close())
  await node.start()
  return node
}

/** One each. */
export const startAll = (t: Test, names: string, options: Partial<MemberlistOptions> = {}): Promise<Memberlist[]> =>
  Promise.all(names.split(' ').map(name => start(t, name, options)))
/** Its join address. */
export const at = (node: Memberlist): string => {
  const { address, port } = node.localMember()
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
/** Names of the members it sees, in order. */
export const names = (node: Memberlist): string =>
  node
    .members()
    .map(member => member.name)
    .toSorted()
    .join(' ')
/** UTF-8. */
export const octets = (text: string): Uint8Array => Buffer.from(text)

/** Waits for something to come about. */
export async function until(condition: () => boolean, what: string, limit = 60_000): Promise<void> {
  for (const end = Date.now() + limit; !condition();) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** A ring of nodes that all know one another. */
export async function ring(
  t: Test,
  list: string,
  options: Partial<MemberlistOptions> = {},
): Promise<[Memberlist, Memberlist, ...Memberlist[]]> {
  const nodes = await startAll(t, list, options)
  const [first, second, ...rest] = nodes
  await Promise.all(nodes.slice(1).map(node => node.join([at(first!)])))
  await until(() => nodes.every(node => names(node) === list), `a ring of ${list}`)
  return [first!, second!, ...rest]
}
