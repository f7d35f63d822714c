/** The programs of `examples/` that ask, run as a user would run them, on a LAN with kernels. */
import { fileURLToPath } from 'node:url'
import { Lab, type Host } from '@typemetal/lab'
import t from 'tap'
import { noNamespaces } from './interop-tools.js'

const example = (name: string): string => fileURLToPath(new URL(`../examples/${name}.mjs`, import.meta.url))
const macOf = (host: Host): string => host.links.get('eth0')?.mac ?? ''

t.setTimeout(900_000)

t.test('examples that ask', { skip: noNamespaces }, async t => {
  const lab = await Lab.create()
  t.teardown(() => lab[Symbol.asyncDispose]())
  const lan = await lab.bridge('lan')
  const host = (name: string, number: number, more: readonly string[] = []): Promise<Host> =>
    lab.host(name, {
      links: [{ bridge: lan, addresses: [`10.10.0.${number}/24`, `fd00:10::${number}/64`, ...more] }],
    })
  const us = await host('us', 1)
  const [one, two] = [await host('one', 2, ['10.10.0.9/24']), await host('two', 3, ['10.10.0.9/24'])]
  const run = async (name: string, ...args: readonly string[]) => {
    const { code, stdout, stderr } = await us.exec([process.execPath, example(name), ...args], { check: false })
    return { code, stdout, stderr }
  }

  await t.test('arping: answers, round trips and statistics', async t => {
    for (const address of ['10.10.0.2', 'fd00:10::2']) {
      const { code, stdout } = await run('arping', '--count', '2', '--wait', '300', 'eth0', address)
      t.equal(code, 0)
      t.equal(stdout.split('\n').filter(line => line.startsWith(`${address} is at ${macOf(one)}  `)).length, 2)
      t.match(stdout, `2 sent, 2 answered by ${macOf(one)}`)
      t.match(stdout, /round trip min\/avg\/max [\d.]+\/[\d.]+\/[\d.]+ ms/)
    }
  })

  await t.test('arping: nobody, several hosts, the first, one neighbour', async t => {
    t.match(await run('arping', '-c', '1', '-w', '200', 'eth0', '10.10.0.77'), {
      code: 1,
      stdout: /answered by nobody/,
    })
    const several = await run('arping', '-c', '1', '-w', '300', 'eth0', '10.10.0.9')
    t.match(several, { code: 3, stdout: /2 hosts claim 10\.10\.0\.9/ })
    t.match(several.stdout, macOf(one))
    t.match(several.stdout, macOf(two))
    t.match(await run('arping', '-f', '-s', '0.0.0.0', 'eth0', '10.10.0.2'), {
      code: 0,
      stdout: /^.*\n1 sent, 1 answered/,
    })
    const unicast = await run('arping', '-f', '-t', macOf(two), 'eth0', '10.10.0.9')
    t.match(unicast, { code: 0, stdout: `1 sent, 1 answered by ${macOf(two)}` })
  })

  await t.test('arping -D, probe: is an address free', async t => {
    t.match(await run('arping', '-D', 'eth0', 'fd00:10::2'), { code: 1, stdout: `in use: owner ${macOf(one)}` })
    t.match(await run('arping', '-D', 'eth0', 'fd00:10::77'), { code: 0, stdout: 'fd00:10::77 is free' })
    const { code, stdout, stderr } = await run('probe', 'eth0', '10.10.0.2', 'fd00:10::3', 'fd00:10::78')
    t.same([code, stdout], [0, 'fd00:10::78\n'])
    t.match(stderr, `10.10.0.2 is in use: owner ${macOf(one)}\nfd00:10::3 is in use: owner ${macOf(two)}\n`)
    t.match(await run('probe', 'eth0', 'fd00:10::2'), { code: 1, stdout: '' })
  })

  await t.test('arping -U: the neighbours learn where the address is', async t => {
    await one.namespace.ip([`neighbour replace 10.10.0.50 dev eth0 lladdr ${macOf(two)} nud stale`])
    const { code, stdout } = await run('arping', '-U', '-c', '2', 'eth0', '10.10.0.50')
    t.equal(code, 0)
    // Of each round a request and a reply; a busy machine may be late with the second round, or with the end.
    t.ok(Number(/(\d+) announcements/.exec(stdout)?.[1]) >= 2, stdout)
    const [entry] = await one.namespace.ipJson<readonly { lladdr?: string }[]>('neighbour show to 10.10.0.50 dev eth0')
    t.equal(entry?.lladdr, macOf(us))
  })

  await t.test('help, and what cannot be', async t => {
    t.match(await run('arping', '--help'), { code: 0, stdout: /^usage: node arping\.mjs/, stderr: '' })
    t.match(await run('arping', 'eth0'), { code: 2, stdout: '', stderr: /^usage/ })
    t.match(await run('arping', '--nonsense', 'eth0', '10.10.0.2'), { code: 2, stderr: /--nonsense/ })
    t.same(await run('arping', 'eth9', '10.10.0.2'), { code: 2, stdout: '', stderr: 'there is no interface eth9\n' })
    t.match(await run('probe', '--help'), { code: 0, stderr: /^usage/ })
    t.match(await run('probe', 'eth0', '224.0.0.1'), {
      code: 2,
      stderr: /^address must be the IP address of one host, not the string '224\.0\.0\.1'/,
    })
  })
})
