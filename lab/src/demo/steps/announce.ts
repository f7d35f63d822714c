/** From nothing to Services that a client reaches. */
import { nextHopsOf } from '../../router/kernel-routes.js'
import { check, nodeNamed, prefixOf, servedBy, wait, type Demo } from '../context.js'
import { expectedOwner } from '../election.js'
import { METRICS_PORT } from '../processes.js'

/** Services of `examples/demo`, by what they show. */
export const SERVICES = { layer2: 'demo/web', bgp: 'demo/shop', shortLived: 'demo/docs' } as const

/** Every Service gets the addresses it asks for. */
export async function allocate(demo: Demo): Promise<void> {
  await demo.report.step('addresses allocated', async note => {
    const expected: Readonly<Record<string, number>> = {
      [SERVICES.layer2]: 2,
      [SERVICES.bgp]: 1,
      [SERVICES.shortLived]: 1,
    }
    const given = await wait(demo, 'every Service to get its addresses', () => {
      const given = Object.entries(expected).map(([name, count]) => ({
        name,
        count,
        addresses: demo.view.addressesOf(name),
      }))
      return given.every(({ addresses, count }) => addresses.length === count) ? given : undefined
    })
    demo.result.allocated = given.length
    note(given.map(({ name, addresses }) => `${name} ${addresses.join(' and ')}`).join(', '))
  })
}

/** Every speaker counts `count` members. */
export async function gossip(demo: Demo, title: string, count: number): Promise<void> {
  await demo.report.step(title, async note => {
    const running = demo.network.nodes.filter(node => node.host.processes.length > 0)
    await wait(demo, `${count} gossip members on every node`, async () => {
      const counts = await Promise.all(running.map(node => members(demo, node.address)))
      note(running.map((node, index) => `${node.name} sees ${counts[index]}`).join(', '))
      return counts.every(seen => seen === count) ? true : undefined
    })
    demo.result.gossipMembers = count
  })
}

/** What a speaker's metric says. */
async function members(demo: Demo, address: string): Promise<number> {
  const metrics = await demo.client.get(`http://${address}:${METRICS_PORT}/metrics`)
  return Number(/^typemetal_memberlist_members(?:\{[^}]*\})? (\d+)$/m.exec(metrics)?.[1] ?? 0)
}

/** Who answers ARP (or NDP) for an address: names of nodes, the MAC itself for strangers. */
export async function answerers(demo: Demo, address: string): Promise<readonly string[]> {
  const macs = await demo.client.resolve(address)
  return macs.map(mac => demo.network.nodes.find(node => node.mac === mac)?.name ?? mac)
}

/** Waits until exactly one node answers for an address, asks once more, and says which. */
export async function soleAnswerer(demo: Demo, address: string): Promise<string> {
  let seen: readonly string[] = []
  const what = (): string => `exactly one node to answer for ${address}`
  const owner = await wait(demo, what(), async () => {
    seen = await answerers(demo, address)
    return seen.length === 1 ? seen[0] : undefined
  })
  seen = await answerers(demo, address)
  check(
    seen.length === 1 && seen[0] === owner,
    `${seen.join(' and ') || 'nobody'} answered for ${address} after ${owner} had`,
  )
  return owner
}

/** Exactly one node answers ARP and NDP, the one that the election rule names, and HTTP works through it. */
export async function layer2(demo: Demo): Promise<void> {
  const [ipv4 = '', ipv6 = ''] = demo.view.addressesOf(SERVICES.layer2)
  const elected =
    expectedOwner(
      ipv4,
      demo.network.nodes.map(node => node.name),
    ) ?? ''
  await demo.report.step(`one node answers ARP for ${ipv4}`, async note => {
    const owner = await soleAnswerer(demo, ipv4)
    demo.result.l2 = { owner, elected }
    note(`${owner}; elected by SHA-256: ${elected}`)
    check(owner === elected, `${owner} answers for ${ipv4}, but the election rule names ${elected}`)
  })
  await demo.report.step(`the same node answers NDP for ${ipv6}`, async note => {
    const owner = await soleAnswerer(demo, ipv6)
    note(owner)
    check(owner === elected, `${owner} answers for ${ipv6}, but ${elected} owns the Service`)
  })
  await demo.report.step('HTTP from the client through both', async note => {
    for (const address of [ipv4, ipv6]) {
      const node = await servedBy(demo, address)
      check(node === elected, `${node} served ${address} instead of ${elected}`)
    }
    note(`served by ${elected}`)
  })
}

/** All nodes are next hops of the BGP address in the router's kernel, and HTTP reaches all of them. */
export async function bgp(demo: Demo): Promise<void> {
  const [address = ''] = demo.view.addressesOf(SERVICES.bgp)
  await nextHops(demo, `router has all next hops of ${address}`)
  await demo.report.step(`HTTP from the client to ${address}`, async note => {
    const served = new Map<string, number>()
    await wait(
      demo,
      'all three nodes to serve',
      async () => {
        const node = await servedBy(demo, address)
        served.set(nodeNamed(demo, node).name, (served.get(node) ?? 0) + 1)
        return served.size === demo.network.nodes.length ? true : undefined
      },
      { interval: 0 },
    )
    if (demo.result.bgp) demo.result.bgp.servedBy = served.size
    note(demo.network.nodes.map(({ name }) => `${name} ×${served.get(name) ?? 0}`).join(', '))
  })
}

/** Every node is a next hop. */
export async function nextHops(demo: Demo, title: string): Promise<void> {
  const [address = ''] = demo.view.addressesOf(SERVICES.bgp)
  const all = demo.network.nodes.map(node => node.address)
  await demo.report.step(title, async note => {
    await wait(demo, `next hops ${all.join(', ')} for ${prefixOf(address)} in the router's kernel`, async () => {
      const hops = await nextHopsOf(demo.network.router.namespace, prefixOf(address))
      note(hops.join(', '))
      return hops.join() === all.join() ? true : undefined
    })
    demo.result.bgp = { ...demo.result.bgp, nextHops: all.length }
  })
}
