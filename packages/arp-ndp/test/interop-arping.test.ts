/** What the usual programs for asking say of us: three arpings, ndisc6 and rdisc6. */
import { until } from '@typemetal/lab'
import t from 'tap'
import { unsolicitedAdvertisement } from '@typemetal/arp-ndp/responder'
import { parseMac } from '@typemetal/arp-ndp/wire'
import type { AgentCommand } from './agent.js'
import { hexOf, linkLocalOf, octetsOf } from './interop-frames.js'
import { lacks, noNamespaces, TOOLS } from './interop-tools.js'
import { dissect, faultless } from './interop-wire.js'
import { AGENT, Segment } from './segment.js'

const V4 = '10.10.0.200'
const V6 = 'fd00:10::200'
const BOTH = [V4, V6]
const NOBODY4 = '10.10.0.201'
const NOBODY6 = 'fd00:10::201'

t.setTimeout(900_000)

t.test('programs that ask', { skip: noNamespaces }, async t => {
  const segment = await Segment.create()
  t.teardown(() => segment[Symbol.asyncDispose]())
  const [one, two] = await Promise.all([segment.node('node-1', 11), segment.node('node-2', 12)])
  await one.own(BOTH)
  /** Runs a program in the client: its exit code and all it said, in lower case. */
  const ask = async (
    program: string | undefined,
    ...args: readonly string[]
  ): Promise<{ code: number; said: string }> => {
    const { code, stdout, stderr } = await segment.client.exec([program ?? '', ...args], {
      check: false,
      timeout: 20_000,
    })
    return { code, said: `${stdout}${stderr}`.toLowerCase() }
  }
  /** Attempts until one has worked: on a busy machine an answer can come after a program has stopped to listen. */
  const attempt = async (want: number, program: string | undefined, ...args: readonly string[]): Promise<string> =>
    until(
      `${program} ${args.join(' ')}`,
      async () => {
        const { code, said } = await ask(program, ...args)
        return code === want ? said : undefined
      },
      { timeout: 60_000 },
    )

  await t.test('arping of Thomas Habets', { skip: lacks('arping') }, async t => {
    const arping = TOOLS.arping
    t.match(await attempt(0, arping, '-i', 'eth0', '-c', '1', V4), `60 bytes from ${one.mac} (${V4})`)
    t.match(await attempt(0, arping, '-i', 'eth0', '-c', '1', '-0', V4), one.mac, 'RFC 5227: a probe from 0.0.0.0')
    t.match(await attempt(0, arping, '-i', 'eth0', '-c', '1', '-t', one.mac, V4), one.mac, 'to one MAC address')
    t.match(await ask(arping, '-i', 'eth0', '-c', '1', NOBODY4), { code: 1 })
    t.ok(await attempt(0, arping, '-i', 'eth0', '-c', '2', '-d', V4), 'no duplicate')
    await two.own([V4])
    t.match(await attempt(1, arping, '-i', 'eth0', '-c', '3', '-d', V4), two.mac, 'a duplicate')
    await two.own([])
  })

  await t.test('arping of iputils', { skip: lacks('iputilsArping') }, async t => {
    const arping = TOOLS.iputilsArping
    const answer = `unicast reply from ${V4} [${one.mac}]`
    t.match(await attempt(0, arping, '-I', 'eth0', '-f', '-w', '3', V4), answer)
    const twice = await until('two answers, each before the next question', async () => {
      const said = await attempt(0, arping, '-I', 'eth0', '-c', '2', '-w', '5', V4)
      return said.includes('sent 2 probes') && said.includes('received 2 response') ? said : undefined
    })
    t.match(twice, /sent 2 probes \(1 broadcast/, 'the second question goes to us alone')
    t.match(await ask(arping, '-I', 'eth0', '-c', '1', '-w', '1', NOBODY4), { code: 1 })
    t.match(await attempt(1, arping, '-I', 'eth0', '-D', '-c', '2', '-w', '3', V4), answer, 'RFC 5227: it is taken')
    t.match(await ask(arping, '-I', 'eth0', '-D', '-c', '1', '-w', '1', NOBODY4), { code: 0 }, 'that one is free')
  })

  await t.test('arping of busybox', { skip: lacks('busybox') }, async t => {
    const answer = `unicast reply from ${V4} [${one.mac}]`
    t.match(await attempt(0, TOOLS.busybox, 'arping', '-I', 'eth0', '-f', '-w', '3', V4), answer)
    t.match(await ask(TOOLS.busybox, 'arping', '-I', 'eth0', '-c', '1', '-w', '1', NOBODY4), { code: 1 })
    t.match(await attempt(1, TOOLS.busybox, 'arping', '-I', 'eth0', '-D', '-c', '2', '-w', '3', V4), answer)
  })

  await t.test(
    'ndisc6 hears our answers, but shows none that comes from a link-local address',
    { skip: lacks('ndisc6') },
    async t => {
      const ndisc6 = (address: string): Promise<{ code: number; said: string }> =>
        ask(TOOLS.ndisc6, '-1', '-r', '2', '-w', '1000', address, 'eth0')
      const before = await one.counted(V6)
      t.match(await ndisc6(V6), { code: 2, said: 'no response' })
      await until('both questions to be answered', async () =>
        (await one.counted(V6)).responsesSent === before.responsesSent + 2 ? true : undefined,
      )
      /** Attempts until it shows an answer. */
      const shown = (asked: () => Promise<{ code: number; said: string }>): Promise<string> =>
        until(
          'an answer that ndisc6 shows',
          async () => {
            const { code, said } = await asked()
            return code === 0 ? said : undefined
          },
          { timeout: 60_000 },
        )
      t.match(await shown(() => ndisc6('fd00:10::11')), one.mac, 'a kernel answers from the address itself')

      const teller = two.host.spawn([process.execPath, AGENT, 'client'], { name: 'teller' })
      await teller.waitForLine(line => line.startsWith('{"ready"'), 60_000)
      /** What it says while it is told one thing again and again, by advertisements alike in all but their source. */
      const told = async (source: string): Promise<{ code: number; said: string }> => {
        const [mac, linkLocal] = [parseMac(two.mac), octetsOf(source)]
        const frame = unsolicitedAdvertisement({ interface: 'eth0', mac, linkLocal }, octetsOf(NOBODY6))
        const command: AgentCommand = { flood: { interface: 'eth0', frames: [hexOf(frame)], count: 1 } }
        const telling = setInterval(() => teller.write(JSON.stringify(command)), 50)
        const said = await ndisc6(NOBODY6)
        clearInterval(telling)
        return said
      }
      t.match(await told(linkLocalOf(two.mac)), { code: 2, said: 'no response' }, 'so it is the source')
      t.match(await shown(() => told(NOBODY6)), two.mac)
      t.match(await ndisc6(NOBODY6), { code: 2 })
    },
  )

  await t.test('rdisc6: we are no router', { skip: lacks('rdisc6') }, async t => {
    t.match(await ask(TOOLS.rdisc6, '-1', '-r', '1', '-w', '500', 'eth0'), { code: 2, said: 'no response' })
  })

  await faultless(t, { segment, nodes: [one, two], macs: [one.mac, two.mac], owned: BOTH })
  await t.test('no router advertisement has left us', { skip: lacks('tshark') }, async t => {
    t.same(await dissect(segment.capture.file, 'icmpv6.type == 134', ['eth.src']), [])
  })
})
