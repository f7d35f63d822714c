/** The kernel's filter for a long table of scattered addresses, where sockets may take little memory for options. */
import { until } from '@typemetal/lab'
import t from 'tap'
import { questionFor } from './interop-frames.js'
import { noNamespaces } from './interop-tools.js'
import { Segment } from './segment.js'

/** Every second address, so that no two make a run: the exact program has more instructions than fit. */
const OWNED = Array.from({ length: 1500 }, (_, i) => `10.10.${128 + (i >> 7)}.${(i & 127) * 2 + 1}`)
/** Far from all of them. */
const FOREIGN = Array.from({ length: 200 }, (_, i) => `10.10.4.${i}`)

t.setTimeout(900_000)

t.test(
  'net.core.optmem_max of kernels before Linux 6.8: a filter still, if a rough one',
  { skip: noNamespaces },
  async t => {
    const segment = await Segment.create()
    t.teardown(() => segment[Symbol.asyncDispose]())
    const node = await segment.node('node-1', 11)
    await node.host.namespace.setSysctls({ 'net.core.optmem_max': 20_480 })
    await node.own(OWNED)
    const foreign = FOREIGN.map(address => questionFor(address, segment.self))
    const notOwned = async (): Promise<number> => {
      const { statistics } = await node.count()
      const drops = new Map(statistics.find(({ protocol }) => protocol === 'arp')?.drops)
      return drops.get('not-owned') ?? 0
    }
    await until(
      'the filter to keep requests for far addresses away',
      async () => {
        const before = await notOwned()
        t.same(await segment.unanswered(foreign, OWNED[0] ?? ''), [])
        return (await notOwned()) === before ? true : undefined
      },
      { timeout: 60_000 },
    )
    const answers = await segment.exchange(
      OWNED.map(address => questionFor(address, segment.self)),
      OWNED.length,
    )
    t.same(answers.map(({ address }) => address).toSorted(), OWNED.toSorted(), 'and no request for an owned address')
  },
)
