/** Address conflict detection against the Linux kernel, which has addresses, and does its own detection, in network namespaces. */
import { fileURLToPath } from 'node:url'
import { Lab, until, type Host, type LabProcess } from '@typemetal/lab'
import t from 'tap'
import type { ProbeCommand } from './acd-agent.js'
import { noNamespaces } from './interop-tools.js'

const AGENT = fileURLToPath(new URL('acd-agent.js', import.meta.url))
/** The RFC's times, a tenth of them: the machine has one clock for all hosts. */
const QUICK = { probeWait: 100, probeMin: 100, probeMax: 200, announceWait: 200, maxRtrSolicitationDelay: 100 }
/** The kernel asks for five seconds, so that whom it asks gets to answer on a busy machine. */
const DAD = {
  'net.ipv6.conf.eth0.accept_dad': 1,
  'net.ipv6.conf.eth0.dad_transmits': 10,
  'net.ipv6.neigh.eth0.retrans_time_ms': 500,
}
/** So long that no test comes to its end. Milliseconds. */
const NEVER = 600_000

interface Asked {
  readonly result?: { readonly free: boolean; readonly mac?: string; readonly kind?: string }
  readonly took?: number
  readonly answers?: readonly { readonly mac: string; readonly roundTrip: number }[]
  readonly error?: string
  readonly code?: string
}

async function agent(host: Host, mode: 'probe' | 'resolve', options: object): Promise<Asked> {
  const { stdout } = await host.exec([process.execPath, AGENT, mode, JSON.stringify(options)])
  return JSON.parse(stdout) as Asked
}
const ask = (host: Host, address: string, options: Partial<ProbeCommand> = {}): Promise<Asked> =>
  agent(host, 'probe', { interface: 'eth0', address, ...QUICK, ...options })
const agentProcess = (host: Host, options: ProbeCommand): LabProcess =>
  host.spawn([process.execPath, AGENT, 'probe', JSON.stringify(options)], { name: 'probe' })
const groupJoined = async (host: Host, group: string): Promise<true | undefined> => {
  const { stdout } = await host.exec(['ip', '-6', 'maddress', 'show', 'dev', 'eth0'])
  return stdout.includes(`${group}\n`) || undefined
}
/** Makes the kernel ask for a neighbour from this address of its own. */
const send = (from: string, to: string): string =>
  `const s = require('dgram').createSocket('udp4'); s.bind(0, '${from}', () => s.send('x', 9, '${to}', () => s.close()))`
const macOf = (host: Host): string => host.links.get('eth0')?.mac ?? ''

interface Address {
  readonly addr_info?: readonly {
    readonly local?: string
    readonly tentative?: boolean
    readonly dadfailed?: boolean
  }[]
}

/**
 * What the kernel's own Duplicate Address Detection has found about an address that it is given.
 * @param meanwhile done again and again while it asks: a busy kernel begins some time after it was told
 */
async function kernelDad(
  host: Host,
  address: string,
  meanwhile?: () => Promise<unknown>,
): Promise<'assigned' | 'duplicate'> {
  await host.namespace.ip([`address add ${address}/64 dev eth0`])
  try {
    const look = async (): Promise<'assigned' | 'duplicate' | undefined> => {
      await meanwhile?.()
      const links = await host.namespace.ipJson<readonly Address[]>('-6 address show dev eth0')
      const found = links.flatMap(({ addr_info = [] }) => addr_info).find(({ local }) => local === address)
      if (found?.dadfailed) return 'duplicate'
      return found && !found.tentative ? 'assigned' : undefined
    }
    return await until(`${address} to be assigned or a duplicate`, look, { timeout: 60_000 })
  } finally {
    await host.namespace.ip([`address delete ${address}/64 dev eth0`])
  }
}

async function owner(host: Host, defend: string, addresses: readonly string[]): Promise<LabProcess> {
  const answering = host.spawn([process.execPath, AGENT, 'own', defend, ...addresses], { name: 'owner' })
  await answering.waitForLine(line => line.startsWith('{"ready"'), 60_000)
  return answering
}

const conflictOf = (answering: LabProcess, address: string, mac: string): Promise<string> =>
  answering.waitForLine(line => {
    const { conflict } = JSON.parse(line) as { conflict?: { readonly address: string; readonly mac: string } }
    return conflict?.address === address && conflict.mac === mac
  })

t.setTimeout(900_000)

t.test('address conflict detection and the kernel', { skip: noNamespaces }, async t => {
  const lab = await Lab.create()
  t.teardown(() => lab[Symbol.asyncDispose]())
  const lan = await lab.bridge('lan')
  const host = (name: string, number: number, sysctls = {}): Promise<Host> => {
    const addresses = [`10.10.0.${number}/24`, `fd00:10::${number}/64`]
    return lab.host(name, { links: [{ bridge: lan, addresses }], sysctls })
  }
  const [us, kernel] = [await host('us', 1), await host('kernel', 2, DAD)]
  const [never, once, always] = await Promise.all([
    owner(us, 'never', ['fd00:10::91']),
    owner(us, 'once', ['fd00:10::92']),
    owner(us, 'always', ['fd00:10::93', '10.10.0.93']),
  ])

  await t.test('RFC 5227 section 2.1.1: the kernel answers the probe for an address that it has', async t => {
    const { result } = await ask(us, '10.10.0.2', { announceWait: NEVER })
    t.same(result, { free: false, mac: macOf(kernel), kind: 'owner' }, 'a conflict does not wait for the end')
  })

  await t.test('RFC 4862 section 5.4.4: the kernel advertises an address that it has to all nodes', async t => {
    const { result } = await ask(us, 'fd00:10::2')
    t.same(result, { free: false, mac: macOf(kernel), kind: 'owner' })
  })

  await t.test('an address that nobody has is free, after the time of the RFC', async t => {
    const arp = await ask(us, '10.10.0.77')
    t.same(arp.result, { free: true })
    t.ok(Number(arp.took) >= 400, `two distances and ANNOUNCE_WAIT: ${arp.took}`)
    const ndp = await ask(us, 'fd00:10::77')
    t.same(ndp.result, { free: true })
    t.ok(Number(ndp.took) >= 1000, `RetransTimer: ${ndp.took}`)
  })

  await t.test('two that ask at the same time: at most one finds the address free', async t => {
    for (const address of ['10.10.0.78', 'fd00:10::78']) {
      // Neither comes to its end, so that the one that begins late on a busy machine finds the other one at it.
      const slow = { ...QUICK, probeWait: 0, announceWait: NEVER, maxRtrSolicitationDelay: 0, retransTimer: NEVER }
      const asking = [us, kernel].map(host => agentProcess(host, { interface: 'eth0', address, ...slow }))
      const others = [kernel, us].map(macOf)
      const [line, loser] = await Promise.race(
        asking.map(async (each, at) => [await each.waitForLine(said => said.startsWith('{'), 60_000), at] as const),
      )
      const { result } = JSON.parse(line) as Asked
      t.same(result, { free: false, mac: others[loser], kind: 'simultaneous-probe' }, 'the other one was it')
      await Promise.allSettled(asking.map(each => each.stop()))
    }
  })

  await t.test(
    'RFC 4862 section 5.4.3: the kernel’s own detection hears our probe, and ours hears the kernel’s',
    async t => {
      await kernel.namespace.setSysctls({ 'net.ipv6.conf.eth0.dad_transmits': 200 })
      const heard = await kernelDad(kernel, 'fd00:10::79', async () => {
        t.ok((await ask(us, 'fd00:10::79', { maxRtrSolicitationDelay: 0 })).result)
      })
      t.equal(heard, 'duplicate', 'our probe came while it asked')
      await kernel.namespace.setSysctls(DAD)
      const listening = agentProcess(us, { interface: 'eth0', address: 'fd00:10::80', rateLimitInterval: NEVER })
      await until('the probe to listen', () => groupJoined(us, 'ff02::1:ff00:80'))
      t.equal(await kernelDad(kernel, 'fd00:10::80'), 'assigned', 'we have only listened')
      const line = await listening.waitForLine(line => line.startsWith('{'))
      t.match(JSON.parse(line), { result: { free: false, mac: macOf(kernel), kind: 'simultaneous-probe' } })
    },
  )

  await t.test('RFC 5227 section 2.1.1: after too many conflicts an attempt waits', async t => {
    const { took = 0 } = await ask(us, '10.10.0.2', { rateLimitInterval: 500 })
    t.ok(took >= 450, `RATE_LIMIT_INTERVAL: ${took}`)
  })

  await t.test('called off, or on an interface that cannot tell, nothing is known', async t => {
    t.match(await ask(us, '10.10.0.77', { abortAfter: 50 }), { error: 'TimeoutError' })
    t.match(await ask(us, '10.10.0.77', { interface: 'eth9' }), { code: 'ERR_L2_INTERFACE' })
    t.match(await ask(us, '224.0.0.1'), { error: 'RangeError' })
    t.match(await ask(us, '10.10.0.77', { probeMin: 5000 }), { error: 'RangeError' })
    const third = await host('third', 3)
    const asked = agentProcess(third, { interface: 'eth0', address: 'fd00:10::77', rateLimitInterval: NEVER })
    await until('the probe to listen', () => groupJoined(third, 'ff02::1:ff00:77'))
    await third.namespace.ip(['link set eth0 down'])
    t.match(JSON.parse(await asked.waitForLine(line => line.startsWith('{'))), { code: 'ENETDOWN' })
    t.match(await ask(third, '10.10.0.77'), { code: 'ERR_L2_INTERFACE' }, 'down from the start')
  })

  await t.test('RFC 4861 section 7.2.4: the kernel finds a duplicate in an address that we defend', async t => {
    for (const [answering, address] of [
      [once, 'fd00:10::92'],
      [always, 'fd00:10::93'],
    ] as const) {
      t.equal(await kernelDad(kernel, address), 'duplicate')
      t.match(JSON.parse(await conflictOf(answering, address, macOf(kernel))), { conflict: { kind: 'probe' } })
    }
  })

  await t.test('what we do not defend the kernel gets, and we are told', async t => {
    t.equal(await kernelDad(kernel, 'fd00:10::91'), 'assigned')
    const line = await conflictOf(never, 'fd00:10::91', macOf(kernel))
    t.match(JSON.parse(line), { conflict: { interface: 'eth0', kind: 'probe' } })
  })

  await t.test(
    'RFC 5227 section 2.4: a kernel with an address of ours is a conflict as soon as it uses it',
    async t => {
      await kernel.namespace.ip(['address add 10.10.0.93/24 dev eth0'])
      await kernel.exec([process.execPath, '-e', send('10.10.0.93', '10.10.0.94')])
      const line = await conflictOf(always, '10.10.0.93', macOf(kernel))
      t.match(JSON.parse(line), { conflict: { kind: 'claim', interface: 'eth0' } })
      await kernel.namespace.ip(['address delete 10.10.0.93/24 dev eth0'])
    },
  )

  await t.test('resolve: who has it, nobody, one known neighbour', async t => {
    for (const address of ['10.10.0.2', 'fd00:10::2']) {
      const resolve = (options: object): Promise<Asked> =>
        agent(us, 'resolve', { interface: 'eth0', address, ...options })
      t.match(await resolve({ collect: 'first' }), { answers: [{ mac: macOf(kernel) }] })
      t.match(
        await resolve({ collect: 'first', to: macOf(kernel) }),
        { answers: [{ mac: macOf(kernel) }] },
        'by unicast',
      )
      t.same((await resolve({ to: '02:00:00:00:00:99', interval: 50 })).answers, [], 'gone away')
    }
    const answered = await agent(us, 'resolve', {
      interface: 'eth0',
      address: '10.10.0.2',
      source: '0.0.0.0',
      collect: 'first',
      timeout: 20_000,
    })
    t.match(answered, { answers: [{ mac: macOf(kernel) }] }, 'asked without an address of ours')
    const begin = performance.now()
    t.same((await agent(us, 'resolve', { interface: 'eth0', address: '10.10.0.250', interval: 100 })).answers, [])
    t.ok(performance.now() - begin >= 300, 'three times')
  })
})
