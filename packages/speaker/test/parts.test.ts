/** The moving parts one by one, in virtual time and with what each talks to in its place. */
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import {
  Layer2Announcer,
  Ring,
  internalAddresses,
  parseExcludedInterfaces,
  parseFlags,
  readExcludedInterfaces,
} from '@typemetal/speaker'
import type { Responder } from '@typemetal/speaker'
import { FakeGossip } from './support/fake-gossip.js'
import { FakeResponder } from './support/fake-responder.js'
import { recordingLog } from './support/log.js'
import { node } from './support/objects.js'
import { VirtualClock } from './support/virtual-clock.js'

t.test('command line: defaults, environment, one or two dashes', async t => {
  const flags = parseFlags([], {})
  t.match(flags, { port: 7472, healthProbePort: 17472, mlBindport: 7946, electionLevel: 'main', logLevel: 'info' })
  t.match(flags, { ignoreExcludeLb: false, configDir: [], mlJoin: [], ignored: [], mlBindaddr: '' })
  const env = {
    METALLB_NODE_NAME: 'n1',
    METALLB_ML_BIND_ADDR: '10.0.0.1',
    METALLB_ML_BIND_PORT: '7000',
    METALLB_HOST: 'x',
  }
  t.match(parseFlags([], env), { nodeName: 'n1', mlBindaddr: '10.0.0.1', mlBindport: 7000 })
  t.match(parseFlags(['-node-name=n2', '--ml-bindport', '7001'], env), { nodeName: 'n2', mlBindport: 7001 })
  t.match(parseFlags(['--ignore-exclude-lb=true', '-ml-wan-config', '--config-dir', 'a', '--config-dir=b'], {}), {
    ignoreExcludeLb: true,
    mlWanConfig: true,
    configDir: ['a', 'b'],
  })
  t.match(parseFlags(['--ignore-exclude-lb=false', '--ml-join', 'a, b:1,'], {}), {
    ignoreExcludeLb: false,
    mlJoin: ['a', 'b:1'],
  })
  t.match(parseFlags(['--host=0.0.0.0', '--frrk8s-secret-passthrough'], {}).ignored, [
    /--host/,
    /--frrk8s-secret-passthrough/,
  ])
})

t.test('command line: what cannot be used ends with 2 and a usage text', async t => {
  for (const [argv, text] of [
    [['--nonsense'], /unknown option '--nonsense'[^]*Usage:/],
    [['--port', 'http'], /--port <port>.*must be a port/],
    [['--port=70000'], /must be a port/],
    [['--election-level', '0.13'], /Allowed choices are 0.15, 0.16, main/],
    [['--log-level', 'loud'], /Allowed choices/],
    [['stray'], /too many arguments/],
    [['--ignore-exclude-lb=maybe'], /unknown option|does not take/],
  ] as const) {
    t.throws(() => parseFlags(argv, {}), { exitCode: 2, message: text }, argv.join(' '))
  }
  t.throws(() => parseFlags([], { METALLB_ML_BIND_PORT: 'x' }), /must be a port/)
  t.throws(() => parseFlags(['--help'], {}), { exitCode: 0, message: /Usage: typemetal-speaker/ })
  t.match(parseFlags(['--metrics-cert-dir', '/x', '--metrics-auth'], {}), { metricsCertDir: '/x', metricsAuth: true })
})

t.test('interfaces that layer 2 leaves alone', async t => {
  t.strictSame(parseExcludedInterfaces(''), [])
  t.strictSame(parseExcludedInterfaces('announcedInterfacesToExclude: ["^veth.*", ^cali]'), ['^veth.*', '^cali'])
  t.throws(() => parseExcludedInterfaces('announcedInterfacesToExclude: lo'), /must be a list/)
  t.throws(() => parseExcludedInterfaces('announcedInterfacesToExclude: [1]'), /which is no text/)
  t.throws(() => parseExcludedInterfaces('announcedInterfacesToExclude: ["("]'), /no\s+regular expression/)
  const folder = await mkdtemp(join(tmpdir(), 'typemetal-speaker-'))
  t.teardown(() => rm(folder, { recursive: true }))
  t.strictSame(await readExcludedInterfaces(join(folder, 'none.yaml')), ['^lo$'], 'lo is never announced on')
  await writeFile(join(folder, 'bad.yaml'), 'announcedInterfacesToExclude: ["("]')
  await t.rejects(readExcludedInterfaces(join(folder, 'bad.yaml')), {
    code: 'ERR_STARTUP',
    message: /bad.yaml cannot be used/,
  })
})

t.test('the ring is joined every few seconds until somebody answers, then every minute', async t => {
  const clock = new VirtualClock()
  const gossip = new FakeGossip()
  const log = recordingLog()
  const ring = new Ring({ gossip, peers: () => ['10.0.0.1', '10.0.0.2', '10.0.0.3'], clock, log })
  await ring.nudge()
  t.strictSame(gossip.joined.splice(0), ['10.0.0.2', '10.0.0.3'], 'members are not joined again')
  await clock.advance(500)
  t.equal(gossip.joined.splice(0).length, 2, 'again after 0.5 s')
  await clock.advance(7_000)
  t.equal(gossip.joined.splice(0).length, 6, 'after 1, 2 and 4 s more')
  t.equal(log.lines.filter(({ msg }) => msg === 'partial join').length, 1, 'said once')
  gossip.reachable = ['10.0.0.3']
  await clock.advance(4_000)
  t.match(log.lines.at(-1), { op: 'memberDiscovery', level: 'error', joined: 1, expected: 2 })
  gossip.joined.length = 0
  gossip.alive.push({ name: 'n3', address: '10.0.0.3', state: 'alive' })
  await clock.advance(59_000)
  t.strictSame(gossip.joined, [], 'joined: a minute of peace')
  await clock.advance(1_000)
  t.strictSame(gossip.joined.splice(0), ['10.0.0.2'])
  let changes = 0
  ring.on('members', () => changes++)
  gossip.emit('leave', { name: 'n3', address: '10.0.0.3' })
  t.equal(changes, 1)
  t.match(log.lines.at(-1), { msg: 'node event - forcing sync', 'node event': 'NodeLeave', 'node name': 'n3' })
  t.strictSame(ring.members, ['n1', 'n3'])
  await ring.leave()
  await ring[Symbol.asyncDispose]()
  t.strictSame(gossip.calls, ['leave', 'close'])
  await clock.advance(600_000)
  t.strictSame(gossip.joined, [])
  t.equal(clock.pending, 0)
})

t.test('the other speakers are where the Nodes say', async t => {
  const nodes = new Map([node('n1', '10.0.0.1'), node('n2', '10.0.0.2')].map(object => [object.metadata.name, object]))
  t.strictSame(internalAddresses(nodes as never, 'n1', '10.0.0.1'), ['10.0.0.2'])
  t.strictSame(internalAddresses(nodes as never, 'n1', '0.0.0.0'), ['10.0.0.2'])
  t.strictSame(internalAddresses(nodes as never, 'n1', 'fd00::1'), [], 'from an IPv6 address only IPv6 is reached')
  t.strictSame(internalAddresses(nodes as never, 'n1', '::'), ['10.0.0.2'])
})

t.test('layer 2 runs while it is needed, and again when it has died', async t => {
  const clock = new VirtualClock()
  const started: FakeResponder[] = []
  const log = recordingLog()
  const start = async (): Promise<Responder> => {
    const responder = new FakeResponder()
    started.push(responder)
    return responder
  }
  const layer2 = new Layer2Announcer({ start, clock, log })
  t.equal(layer2.interfaces, undefined)
  await layer2.need(false)
  t.equal(started.length, 0, 'nothing is started that is not needed')
  await layer2.need(true)
  await layer2.need(true)
  t.equal(started.length, 1)
  layer2.apply(new Map([['10.1.0.1', ['eth0']]]))
  t.strictSame(started[0]?.wanted, [{ address: '10.1.0.1', interfaces: ['eth0'] }])
  started[0]?.emit('responder', { action: 'create', protocol: 'arp', interface: 'eth0' })
  t.match(log.lines.at(-1), { event: 'createARPResponder', interface: 'eth0', level: 'info' })
  started[0]?.emit('error', new Error('gone'))
  t.strictSame(layer2.interfaces, [], 'needed and not there: no interface')
  await layer2.need(true)
  t.equal(started.length, 1, 'not at once')
  const again = once(layer2, 'interfaces')
  await clock.advance(1_000)
  await again
  await layer2.need(true)
  t.equal(started.length, 2)
  await layer2.need(false)
  t.ok(started[1]?.disposed)
  t.equal(layer2.interfaces, undefined)
})

t.test('layer 2: an address nobody can answer for costs the others nothing; a second owner is named once', async t => {
  const responder = new FakeResponder()
  const log = recordingLog()
  const layer2 = new Layer2Announcer({ start: async () => responder, log })
  await layer2.need(true)
  const wanted = new Map<string, 'all' | readonly string[]>([
    ['127.0.0.1', 'all'],
    ['10.1.0.1', ['eth0', 'no such name', '']],
  ])
  layer2.apply(wanted)
  layer2.apply(wanted)
  t.strictSame(responder.wanted, [{ address: '10.1.0.1', interfaces: ['eth0'] }])
  const lines = (message: string): object[] => log.lines.filter(({ msg }) => msg === message)
  t.match(lines('cannot be announced'), [{ address: '127.0.0.1', level: 'error' }])
  t.equal(lines('cannot be announced').length, 1)
  const conflict = { address: '10.1.0.1', interface: 'eth0', mac: '02:00:00:00:00:77' }
  for (const event of ['conflict', 'conflict', 'conflict-over', 'conflict']) responder.emit(event, conflict)
  t.match(lines('another host answers for an address of this node'), [conflict, conflict])
  t.equal(lines('another host answers for an address of this node').length, 2)
})
