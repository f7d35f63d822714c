/** The programs of `examples/`, run as a user would run them, against our own speaker. */
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { join } from 'node:path'
import t from 'tap'
import { BgpSpeaker, formatCommunities, type Peer, type PeerOptions, type RouteChange } from '@typemetal/bgp'
import { BmpClient } from '@typemetal/bgp/bmp'
import { MrtRecorder } from '@typemetal/bgp/mrt'
import { ExampleProcess, packageFile, runExample } from './example-process.js'

const LOCAL = '127.0.0.1'
const PROGRAMS = readdirSync(packageFile('examples')).filter(name => !['command-line.mjs', 'text.mjs'].includes(name))

/** Until a fact holds. */
async function until(fact: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 60_000
  while (!fact()) {
    if (performance.now() > end) throw new Error(`timed out: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** A speaker with one peer on the port of a program, and the routes it has learned. */
function createMember(asn: number, address: string, port: number, options: Partial<PeerOptions> = {}) {
  const speaker = new BgpSpeaker({ asn, bgpIdentifier: address })
  const routes = new Map<string, RouteChange['paths']>()
  speaker.on('route', ({ prefix, paths }) => {
    if (paths.some(path => path.peer)) routes.set(prefix, paths)
    else routes.delete(prefix)
  })
  const peer: Peer = speaker.addPeer({ address: LOCAL, port, asn: 'external', sourceAddress: address, ...options })
  return { speaker, peer, routes, [Symbol.asyncDispose]: () => speaker.close() }
}

t.test('--help says how to start each, and what is wrong is one line', async t => {
  t.same(PROGRAMS.toSorted(), [
    'announce.mjs',
    'bfd.mjs',
    'bmp-station.mjs',
    'collector.mjs',
    'mrt-print.mjs',
    'mrt-replay.mjs',
    'route-server.mjs',
  ])
  for (const program of PROGRAMS) {
    const { code, output, errors } = await runExample(program, '--help')
    t.same([code, errors], [0, ''], program)
    t.ok(output.includes(`node ${program}`), 'the command to start it with')
    const wrong = await runExample(program, '--wrong')
    t.same([wrong.code, wrong.output], [2, ''])
    t.match(wrong.errors, /^Unknown option '--wrong'[^\n]*\n$/)
  }
  t.match(await runExample('collector.mjs', '--asn', 'x'), { code: 2, errors: '--asn must be a number, not x\n' })
  t.match(await runExample('route-server.mjs', '--member', 'x'), { code: 2, errors: /^--member must be AS@ADDRESS/ })
  t.match(await runExample('collector.mjs', '--address', '192.0.2.1'), {
    code: 1,
    errors: /^cannot listen on port 1790/,
  })
  t.match(await runExample('bfd.mjs'), { code: 2, errors: /^whom to watch[^\n]*\n$/ })
  t.match(await runExample('bfd.mjs', '--auth', 'x', '192.0.2.1'), { code: 2, errors: /^--auth must be TYPE:ID:KEY/ })
  t.match(await runExample('mrt-print.mjs', 'no-such-file'), { code: 1, errors: /^ENOENT[^\n]*\n$/ })
})

t.test('the collector prints what announce announces, and that it takes leave', async t => {
  await using collector = new ExampleProcess('collector.mjs', '--address', LOCAL, '--port', '0')
  const port = String(await collector.listening())
  const communities = ['64512:2', 'no-export', 'rt:64512:3', 'rt:[2001:db8::1]:4', 'large:64512:5:6']
  const what = ['--med', '7', '--as-path', '65001,65002', ...communities.flatMap(text => ['--community', text])]
  await using announce = new ExampleProcess('announce.mjs', '--peer', LOCAL, '--port', port, ...what, '192.0.2.0/24')
  t.match(await collector.next('prefix'), {
    prefix: '192.0.2.0/24',
    paths: [
      {
        peer: LOCAL,
        nextHop: LOCAL,
        origin: 'igp',
        asPath: [64_512, 65_001, 65_002],
        multiExitDisc: 7,
        communities,
      },
    ],
  })
  t.equal(await announce.interrupt(), 0)
  t.match(await collector.next('prefix'), { prefix: '192.0.2.0/24', paths: { length: 0 } })
  t.match(await collector.next('cause', cause => String(cause).startsWith('NotifMsg')), { cause: 'NotifMsg 6/2' })
  t.equal(await collector.interrupt(), 0)
})

t.test('RFC 7947: the route server passes on what its members allow, as it came', async t => {
  const members = ['64501@127.0.0.2=198.51.100.0/22,2001:db8:1::/48', '64502@127.0.0.3', '64503@127.0.0.4']
  await using server = new ExampleProcess(
    'route-server.mjs',
    '--address',
    LOCAL,
    '--port',
    '0',
    ...members.flatMap(member => ['--member', member]),
  )
  const port = await server.listening()
  const role = { role: 'rs-client' } as const
  await using first = createMember(64_501, '127.0.0.2', port, role)
  await using second = createMember(64_502, '127.0.0.3', port, role)
  const addPath = { receive: ['ipv4-unicast'] } as const
  await using third = createMember(64_503, '127.0.0.4', port, { ...role, addPath })

  first.speaker.announce({ prefix: '198.51.100.0/24', multiExitDisc: 5, communities: ['64501:1'] })
  first.speaker.announce({ prefix: '198.51.101.0/24', communities: ['large:64500:0:64502', 'large:64501:1:1'] })
  first.speaker.announce({ prefix: '198.51.102.0/24', communities: ['large:64500:0:0', 'large:64500:1:64502'] })
  first.speaker.announce({ prefix: '198.51.103.0/25' })
  first.speaker.announce({ prefix: '203.0.113.0/24' })
  first.speaker.announce({ prefix: '2001:db8:1::/48', nextHop: '2001:db8::2' })
  await until(() => second.routes.size === 3 && third.routes.size === 3, 'routes')
  t.same([...second.routes.keys()].toSorted(), ['198.51.100.0/24', '198.51.102.0/24', '2001:db8:1::/48'])
  t.same([...third.routes.keys()].toSorted(), ['198.51.100.0/24', '198.51.101.0/24', '2001:db8:1::/48'])
  t.match(second.routes.get('198.51.100.0/24'), [
    { nextHop: '127.0.0.2', attributes: { asPath: [{ asns: [64_501] }], multiExitDisc: 5, onlyToCustomer: 64_500 } },
  ])
  t.match(second.routes.get('2001:db8:1::/48'), [{ nextHop: '2001:db8::2' }])
  const communities = third.routes.get('198.51.101.0/24')?.[0]?.attributes ?? {}
  t.same(formatCommunities(communities), ['large:64501:1:1'], 'what is for the route server ends there')

  second.speaker.announce({ prefix: '198.51.100.0/24', asPath: [64_502] })
  await until(() => third.peer.counters.prefixesReceived === 4, 'RFC 7947 section 2.3.2.2: both paths by ADD-PATH')
  await first.speaker.close()
  await until(() => second.routes.size === 0 && third.routes.size === 1, 'gone with the member')
  t.equal(await server.interrupt(), 0)
})

t.test('RFC 6396: what was recorded is printed, and replayed to a peer', async t => {
  const folder = mkdtempSync(packageFile('dist-test/examples-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'updates.mrt')
  await using router = new BgpSpeaker({ asn: 64_513, bgpIdentifier: '10.0.0.254', listen: { address: LOCAL, port: 0 } })
  router.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 'external' })
  await router.start()
  const output = createWriteStream(file)
  {
    using recorder = new MrtRecorder({ speaker: router, output })
    await using node = createMember(64_512, '127.0.0.2', router.port!)
    node.speaker.announce({ prefix: '192.0.2.0/24', communities: ['64512:1', 'large:64512:1:2'], nextHop: '10.0.0.9' })
    node.speaker.announce({ prefix: '192.0.3.0/24' })
    node.speaker.announce({ prefix: '2001:db8::/32', nextHop: '2001:db8::1' })
    await until(() => router.peers[0]?.counters.prefixesReceived === 3, 'three prefixes')
    node.speaker.withdraw('192.0.3.0/24')
    await until(() => router.peers[0]?.counters.prefixesReceived === 2, 'two prefixes')
    await node.speaker.close()
    await until(() => router.peers.length === 0, 'the end of the session')
    t.equal(recorder.lost, 0)
  }
  output.end()
  await finished(output)

  const printed = await runExample('mrt-print.mjs', file)
  t.equal(printed.errors, '')
  const lines = printed.output.trim().split('\n')
  const records = lines.map(line => JSON.parse(line) as Record<string, unknown>)
  const announced = records.find(({ announced: prefixes }) => String(prefixes) === '192.0.2.0/24')
  t.match(announced, {
    type: 'bgp4mp-message',
    peer: '127.0.0.2',
    asn: 64_512,
    asPath: [64_512],
    nextHop: '10.0.0.9',
    communities: ['64512:1', 'large:64512:1:2'],
  })
  t.ok(records.some(({ withdrawn }) => String(withdrawn) === '192.0.3.0/24'))
  t.match(records.at(-1), { type: 'bgp4mp-state-change', from: 'Established', to: 'Idle' })

  const connected = once(router, 'peer') as Promise<[Peer]>
  const target = ['--to', LOCAL, '--port', String(router.port), '--asn', '64514', '--speed', '100']
  await using replay = new ExampleProcess('mrt-replay.mjs', file, ...target)
  await connected
  t.match(await replay.next('replayed'), { replayed: 3, announced: 2 })
  await until(() => [...router.locRib()].length === 2, 'both prefixes')
  const routes = [...router.locRib()]
  t.match(
    routes.find(({ prefix }) => prefix === '192.0.2.0/24'),
    { paths: [{ nextHop: '10.0.0.9', attributes: { asPath: [{ asns: [64_514, 64_512] }] } }] },
  )
  t.same(routes.map(({ prefix }) => prefix).toSorted(), ['192.0.2.0/24', '2001:db8::/32'])
  t.equal(await replay.interrupt(), 0)
})

t.test('a table that somebody else has dumped is replayed', async t => {
  await using collector = new ExampleProcess('collector.mjs', '--address', LOCAL, '--port', '0')
  const port = String(await collector.listening())
  const table = packageFile('test/vectors/mrt-frr-routes.mrt')
  const { code, output } = await runExample('mrt-replay.mjs', table, '--to', LOCAL, '--port', port, '--self', '--once')
  t.equal(code, 0)
  const { announced } = JSON.parse(output) as { announced: number }
  t.ok(announced > 0, `${announced} prefixes`)
  for (let i = 0; i < announced; i++) t.match(await collector.next('prefix'), { paths: { length: 1 } })
})

t.test('RFC 7854: the station prints what a router shows it', async t => {
  await using station = new ExampleProcess('bmp-station.mjs', '--host', LOCAL, '--port', '0')
  const port = await station.listening()
  await using router = new BgpSpeaker({ asn: 64_513, bgpIdentifier: '10.0.0.254', listen: { address: LOCAL, port: 0 } })
  router.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 'external' })
  await router.start()
  const client = new BmpClient({ speaker: router, host: LOCAL, port, sysName: 'tor', sysDescr: 'a test' })
  t.match(await station.next('event'), { router: 'tor', event: 'initiation', sysDescr: 'a test' })
  await using node = createMember(64_512, '127.0.0.2', router.port!)
  t.match(await station.next('event'), { event: 'peer-up', peer: '127.0.0.2', asn: 64_512 })
  node.speaker.announce({ prefix: '192.0.2.0/24', communities: ['64512:1'] })
  const isRoute = (prefixes: unknown): boolean => String(prefixes) === '192.0.2.0/24'
  t.match(await station.next('announced', isRoute), { event: 'route-monitoring', communities: ['64512:1'] })
  await client[Symbol.asyncDispose]()
  t.match(await station.next('event', event => event === 'termination'), { router: 'tor' })
  t.equal(await station.interrupt(), 0)
})
