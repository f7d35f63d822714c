/** Split brain on a real LAN: gossip is cut, ARP and NDP are not. And a stranger that takes an address. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { needsUserNamespace, nftablesInstalled, until } from '@typemetal/lab'
import type { Host, LabProcess } from '@typemetal/lab'
import { readEvents } from '@typemetal/cluster'
import { electionOrder } from '@typemetal/speaker'
import t from 'tap'
import { wait } from './support/drain-load.js'
import { PATIENCE, VIP, VIP6, drainWorld, hostOf, untilRing } from './support/drain-world.js'
import type { World } from './support/drain-world.js'

const skip =
  (needsUserNamespace() && 'wants root, to make network namespaces') ||
  (!nftablesInstalled() && 'wants the package nftables')
const ARP = import.meta.resolve('@typemetal/arp-ndp')
const NAMES = ['n1', 'n2']
const ORDER = electionOrder(NAMES, VIP)
const [FIRST = '', SECOND = ''] = ORDER

t.setTimeout(1_200_000)

/** Nothing of gossip comes in; all else does. (A datagram that the own host refuses to send would accuse nobody.) */
const CUT = `table inet split {
  chain input {
    type filter hook input priority 0
    meta l4proto { tcp, udp } th dport 7946 drop
    meta l4proto { tcp, udp } th sport 7946 drop
  }
}
`

/** Cuts the gossip between all nodes. */
const cut = (world: World): Promise<unknown> =>
  Promise.all([...world.nodes.values()].map(host => host.exec(['nft', '-f', '-'], { input: CUT })))

/** One look at who answers for both addresses. */
interface Look {
  /** Milliseconds of the wall clock, when it began. */
  readonly at: number
  readonly ipv4: readonly string[]
  readonly ipv6: readonly string[]
}

/** Milliseconds that a look listens: who answers later, on a machine that does much else, is taken for nobody. */
const LISTENS = 1_500

/**
 * Asks everybody about five times a second, as long as the test runs. A look that was kept from the processor for long proves nothing: the
 * answers were there, and nobody to take them.
 */
function watch(client: Host): { readonly looks: readonly Look[]; readonly process: LabProcess } {
  const looks: Look[] = []
  const code = `import { resolve } from ${JSON.stringify(ARP)}
    const ask = async address =>
      (await resolve({ interface: 'eth0', address, timeout: ${LISTENS}, attempts: 1 })).map(({ mac }) => mac).sort()
    const look = async () => {
      const at = Date.now()
      const began = performance.now()
      const [ipv4, ipv6] = await Promise.all([ask(${JSON.stringify(VIP)}), ask(${JSON.stringify(VIP6)})])
      if (performance.now() - began < ${2 * LISTENS}) console.log(JSON.stringify({ at, ipv4, ipv6 }))
    }
    setInterval(look, 200)`
  const process = client.spawn([globalThis.process.execPath, '--input-type=module', '-e', code], { name: 'watch' })
  process.on('line', line => {
    if (line.startsWith('{')) looks.push(JSON.parse(line) as Look)
  })
  return { looks, process }
}

const macOf = (host: Host): string => host.links.get('eth0')?.mac ?? ''
const said = (text: string) => (line: string) => line.includes(text)

async function conflictEvents(world: World): Promise<readonly string[]> {
  const events = await readEvents(join(world.lab.directory, 'config', 'status'))
  return events.filter(({ reason }) => reason === 'addressConflict').map(({ message }) => message)
}

async function metrics(host: Host): Promise<string> {
  const code = `console.log(await (await fetch('http://127.0.0.1:7472/metrics')).text())`
  return (await host.exec([process.execPath, '--input-type=module', '-e', code])).stdout
}

t.test('gossip is cut: one node answers all the same, and healing is nothing to see', { skip }, async t => {
  const world = await drainWorld({ nodes: NAMES, flags: ['--ml-preset', 'fast'] })
  t.teardown(() => world.lab[Symbol.asyncDispose]())
  const speakers = new Map(NAMES.map(name => [name, world.start(name)]))
  const [first, second] = ORDER.map(name => speakers.get(name))
  if (!first || !second) return
  await first.waitForLine(said('"serviceAnnounced"'), PATIENCE)
  await untilRing(speakers)
  await wait(2_000)
  const { looks } = watch(world.client)
  const winner = macOf(hostOf(world.nodes, FIRST))
  const stop = await world.load('udp', VIP, 200)
  await wait(1_000)

  await cut(world)
  await second.waitForLine(said('"serviceAnnounced"'), PATIENCE)
  await second.waitForLine(line => line.includes('"layer2Conflict"') && line.includes(VIP6), PATIENCE)
  await second.waitForLine(line => line.includes('"layer2Conflict"') && line.includes(`"ip":"${VIP}"`), PATIENCE)
  const yielded = Date.now() + 1_000
  const later = (): readonly Look[] => looks.filter(({ at }) => at > yielded)
  await wait(6_000)
  await until('looks at what came of it', () => later().length > 10 || undefined, { timeout: PATIENCE })

  await t.test('only for a moment did two answer, never nobody', async t => {
    for (const family of ['ipv4', 'ipv6'] as const) {
      const both = looks.filter(look => look[family].length > 1).map(({ at }) => at)
      const took = both.length === 0 ? 0 : Math.max(...both) - Math.min(...both) + LISTENS
      t.comment(`${family}: ${both.length} of ${looks.length} looks saw two, for ${took} ms at most`)
      const wrong = later().filter(look => look[family].join() !== winner)
      t.strictSame(wrong, [], `${family}: when the second has left it to the first, only that, and never nobody`)
    }
  })

  await t.test('it is said: log, metric, Event', async t => {
    const line = second.lines.find(said('"layer2Conflict"'))
    t.match(line, new RegExp(`"level":"warn".*"mac":"${winner}","owner":"${FIRST}"`))
    const text = await metrics(hostOf(world.nodes, SECOND))
    t.match(text, `typemetal_layer2_conflicts{ip="${VIP}",mac="${winner}",owner="${FIRST}",resolution="yield"} 1`)
    t.match(text, 'typemetal_memberlist_members 1')
    const messages = await until('Events', async () => {
      const found = await conflictEvents(world)
      return found.length >= 2 ? found : undefined
    }, { timeout: PATIENCE }) // prettier-ignore
    t.ok(messages.some(message => message.includes(VIP) && message.includes(`node "${SECOND}" leaves it to that one`)))
  })

  await t.test('healed: the ring is whole, nothing moved, no request was lost', async t => {
    const nft = ['nft', 'delete', 'table', 'inet', 'split']
    await Promise.all([...world.nodes.values()].map(host => host.exec(nft)))
    await second.waitForLine(line => line.includes('serviceWithdrawn') && line.includes('notOwner'), 150_000)
    await until('over', async () => {
      const text = await metrics(hostOf(world.nodes, SECOND))
      return !text.includes('typemetal_layer2_conflicts{') && text.includes('members 2') ? true : undefined
    }, { timeout: PATIENCE }) // prettier-ignore
    const healed = Date.now()
    await wait(2_000)
    t.ok(
      looks.filter(({ at }) => at > healed).every(({ ipv4, ipv6 }) => ipv4.join() === winner && ipv6.join() === winner),
    )
    const { failures, sent, longestGap } = await stop()
    t.strictSame(failures, [], `of ${sent}, ${Math.round(longestGap)} ms without an answer at most`)
    t.notOk(first.lines.some(said('serviceWithdrawn')), 'the first never gave it up')
  })

  await t.test('the first dies while gossip is cut: the second takes over by itself', async t => {
    await cut(world)
    const seen = second.lines.length
    const since = () => second.lines.slice(seen)
    await until('yields', () => since().some(line => line.includes('it is left to it')) || undefined, {
      timeout: PATIENCE,
    })
    await wait(1_000)
    first.kill('SIGKILL')
    const killed = Date.now()
    const other = macOf(hostOf(world.nodes, SECOND))
    const at = await until('the second answers', () => looks.find(look => look.at > killed && look.ipv4.join() === other)?.at, {
      timeout: PATIENCE,
    }) // prettier-ignore
    t.comment(`${at - killed} ms after the first was killed`)
    await until('it to say why', () => since().some(said('no other host answers')) || undefined, { timeout: PATIENCE })
  })
})

t.test(
  'a foreign host takes an address: it is named, and the address defended, at a bounded rate',
  { skip },
  async t => {
    const world = await drainWorld({ nodes: ['n1'] })
    t.teardown(() => world.lab[Symbol.asyncDispose]())
    const speaker = world.start('n1')
    await speaker.waitForLine(said('"serviceAnnounced"'), PATIENCE)
    const stranger = world.lab.hosts.get('router')
    if (!stranger) return
    const code = `import { Layer2 } from ${JSON.stringify(ARP)}
    const layer2 = await Layer2.start()
    layer2.on('conflict', () => {})
    layer2.setAddresses([{ address: ${JSON.stringify(VIP)}, interfaces: 'all' }])
    console.log('up')
    setInterval(() => {}, 1e6)`
    const sent = async (): Promise<number> =>
      Number(
        /metallb_layer2_gratuitous_sent\{ip="10\.10\.0\.200"\} (\d+)/.exec(
          await metrics(hostOf(world.nodes, 'n1')),
        )?.[1],
      )
    let before = 0
    for (let now = -1; now !== before; [before, now] = [await sent(), before]) await wait(4_000)
    const began = performance.now()
    const script = join(world.lab.directory, 'stranger.mjs')
    await writeFile(script, code)
    const foreign = stranger.spawn([process.execPath, script], { name: 'stranger' })
    await foreign.waitForLine(said('up'), PATIENCE)
    const line = await speaker.waitForLine(said('"layer2Conflict"'), PATIENCE)
    t.match(line, `"mac":"${macOf(stranger)}"`)
    t.notMatch(line, '"owner"')
    await wait(8_000)
    const frames = (await sent()) - before
    const seconds = (performance.now() - began) / 1000
    // RFC 5227 section 2.4: one defence in ten seconds; here of two frames each.
    t.ok(frames > 0 && frames <= 4 + 2 * Math.floor(seconds / 10), `${frames} frames in ${seconds.toFixed(1)} s`)
    t.notOk(speaker.lines.some(said('serviceWithdrawn')))
    t.match(await conflictEvents(world), [new RegExp(`host ${macOf(stranger)} answers .* node "n1" keeps it`)])
    foreign.kill('SIGKILL')
    await speaker.waitForLine(said('no other host answers for the address any longer'), PATIENCE)
  },
)

t.test(
  'an interface with another MAC address, and one that is removed and comes back, are announced on',
  { skip },
  async t => {
    const world = await drainWorld({ nodes: ['n1'] })
    t.teardown(() => world.lab[Symbol.asyncDispose]())
    const host = hostOf(world.nodes, 'n1')
    const speaker = world.start('n1')
    await speaker.waitForLine(said('"serviceAnnounced"'), PATIENCE)
    const { looks } = watch(world.client)
    await until('an answer', () => looks.some(({ ipv4 }) => ipv4.join() === macOf(host)) || undefined, {
      timeout: PATIENCE,
    })
    const mac = '02:74:6d:aa:bb:cc'
    await host.namespace.ip(['link set eth0 down', `link set eth0 address ${mac}`, 'link set eth0 up'])
    const answered = (): boolean => looks.some(({ ipv4, ipv6 }) => ipv4.join() === mac && ipv6.join() === mac)
    await until('answers with the new MAC address', () => answered() || undefined, { timeout: PATIENCE })
    t.ok(speaker.lines.filter(said('createARPResponder')).length >= 2)

    // Taken out of the machine, and put in again.
    const other = world.lab.hosts.get('router')
    if (!other) return
    await host.namespace.ip([
      'link set eth0 down',
      'link set eth0 name nic0',
      `link set nic0 netns ${other.namespace.name}`,
    ])
    const removed = Date.now()
    const deleted = (): number => speaker.lines.filter(said('deleteARPResponder')).length
    await until('the responder is gone', () => deleted() >= 2 || undefined, { timeout: PATIENCE })
    await other.namespace.ip([`link set nic0 netns ${host.namespace.name}`])
    await host.namespace.ip([
      'link set nic0 name eth0',
      'address add 10.10.0.11/24 dev eth0',
      'address add fd00:10::11/64 dev eth0 nodad',
      'link set eth0 up',
    ])
    const again = (): boolean =>
      looks.some(({ at, ipv4, ipv6 }) => at > removed + 1_000 && ipv4.join() === mac && ipv6.join() === mac)
    await until('answers on the interface that came back', () => again() || undefined, { timeout: PATIENCE })
    const log = await readFile(speaker.logFile, 'utf8')
    t.notMatch(log, '"level":"error"')
  },
)
