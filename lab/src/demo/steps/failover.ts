/** A node dies and comes back. */
import { nextHopsOf } from '../../router/kernel-routes.js'
import { monotonic, type Outcome } from '../client-protocol.js'
import { check, nodeNamed, prefixOf, servedBy, urlOf, wait, type Demo } from '../context.js'
import { expectedOwner } from '../election.js'
import { SERVICES, gossip, nextHops, soleAnswerer } from './announce.js'

/** Milliseconds between two requests of the client. */
const INTERVAL = 20
/** Answers in a row after which the address counts as moved. */
const STEADY = 10

/** SIGKILL for the node that owns the layer-2 address, while the client asks for it. @returns that node's name */
export async function failover(demo: Demo): Promise<string> {
  const [address = ''] = demo.view.addressesOf(SERVICES.layer2)
  const owner = demo.result.l2?.owner ?? ''
  const asking = demo.client.ask(urlOf(address), INTERVAL)
  await wait(demo, `${owner} to answer the client`, () =>
    answered(asking.outcomes).length >= STEADY ? true : undefined,
  )

  const killed = monotonic()
  const death = demo.processes.killNode(nodeNamed(demo, owner))
  const withdrawal = withdraw(demo, owner, killed)
  withdrawal.catch(() => {
    // reported by the step that waits for it
  })
  await death
  await demo.report.step(`${owner} killed: router withdraws its next hop`, async note => {
    const withdrawMs = await withdrawal
    if (demo.result.bgp) demo.result.bgp.withdrawMs = withdrawMs
    note(`${withdrawMs} ms after SIGKILL`)
  })
  await demo.report.step(`${address} moves to another node`, async note => {
    const heir = await takeover(demo, asking.outcomes, owner, killed)
    asking.stop()
    note(heir.said)
    if (demo.result.l2) Object.assign(demo.result.l2, { failoverMs: heir.failoverMs, lostRequests: heir.lostRequests })
    const rest = demo.network.nodes.map(node => node.name).filter(name => name !== owner)
    const elected = expectedOwner(address, rest)
    check(heir.node === elected, `${heir.node} took over, but the election rule names ${elected}`)
  })
  await demo.report.step('HTTP through both protocols without it', async note => {
    const ipv6 = demo.view.addressesOf(SERVICES.layer2)[1] ?? ''
    const routed = demo.view.addressesOf(SERVICES.bgp)[0] ?? ''
    const nodes = new Set([await servedBy(demo, address), await servedBy(demo, ipv6)])
    for (let request = 0; request < STEADY; request++) nodes.add(await servedBy(demo, routed))
    check(!nodes.has(owner), `${owner} still answers`)
    note(`served by ${[...nodes].toSorted().join(' and ')}`)
  })
  return owner
}

/** @returns milliseconds from `killed` until the kernel of the router no longer forwards to that node */
async function withdraw(demo: Demo, owner: string, killed: number): Promise<number> {
  const [address = ''] = demo.view.addressesOf(SERVICES.bgp)
  const dead = nodeNamed(demo, owner).address
  return wait(
    demo,
    `the router to withdraw ${dead}`,
    async () => {
      const hops = await nextHopsOf(demo.network.router.namespace, prefixOf(address))
      return hops.includes(dead) ? undefined : Math.round(monotonic() - killed)
    },
    { timeout: 120_000, interval: 5 },
  )
}

/** Waits until another node has answered {@link STEADY} requests in a row. */
async function takeover(
  demo: Demo,
  outcomes: readonly Outcome[],
  owner: string,
  killed: number,
): Promise<{ node: string; failoverMs: number; lostRequests: number; said: string }> {
  await wait(
    demo,
    `another node to answer instead of ${owner}`,
    () => {
      const last = outcomes.slice(-STEADY)
      return last.length === STEADY && last.every(({ node }) => node !== undefined && node !== owner) ? true : undefined
    },
    { timeout: 60_000 },
  )
  const first = outcomes.find(({ node, started }) => started > killed && node !== undefined && node !== owner)
  const failoverMs = Math.round((first?.ended ?? 0) - killed)
  const lostRequests = outcomes.filter(({ error, ended }) => error !== undefined && ended > killed).length
  const node = first?.node ?? ''
  return {
    node,
    failoverMs,
    lostRequests,
    said: `${node} after ${failoverMs} ms; ${lostRequests} requests lost, one every ${INTERVAL} ms`,
  }
}

const answered = (outcomes: readonly Outcome[]): readonly Outcome[] => outcomes.filter(({ node }) => node !== undefined)

/** The node starts again: counted, elected and routed to as before. */
export async function comeBack(demo: Demo, name: string): Promise<void> {
  await demo.report.step(`${name} comes back`, async note => {
    await demo.processes.startNode(nodeNamed(demo, name))
    note('speaker and backend started')
  })
  await gossip(demo, 'three members again', demo.network.nodes.length)
  await nextHops(demo, 'three next hops again')
  const [address = ''] = demo.view.addressesOf(SERVICES.layer2)
  await demo.report.step(`${name} answers for ${address} again`, async note => {
    await wait(demo, `${name} to own ${address} again`, async () =>
      (await soleAnswerer(demo, address)) === name && (await servedBy(demo, address)) === name ? true : undefined,
    )
    note('the election has no memory')
  })
}
