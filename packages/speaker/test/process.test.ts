/** The real process on real sockets: two speakers, a router and a client on one LAN of network namespaces. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Lab, needsUserNamespace, nextHopsOf, startRouter, until as untilIn } from '@typemetal/lab'
import type { Host, LabProcess } from '@typemetal/lab'
import { electionOrder } from '@typemetal/speaker'
import t from 'tap'
import { LAYER2_MANIFESTS, bgpManifests, manifestFile, nodeManifest, putManifest, serviceManifest } from './support/manifests.js' // prettier-ignore

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const ARP = import.meta.resolve('@typemetal/arp-ndp')
const VIP = '10.10.0.200'
const VIP6 = 'fd00:10::200'
/** Milliseconds; the machine may have much else to do. */
const PATIENCE = 60_000
const skip = needsUserNamespace() && 'wants root, to make network namespaces'

const MANIFESTS = manifestFile(
  ...['n1', 'n2'].map((name, i) => nodeManifest(name, `10.10.0.1${i + 1}`)),
  LAYER2_MANIFESTS,
  bgpManifests(),
)

/** As on a LAN: nobody is held for dead because the machine does much else. */
const GOSSIP = {
  TCPTimeout: '10s', IndirectChecks: 3, RetransmitMult: 4, SuspicionMult: 8, SuspicionMaxTimeoutMult: 6,
  PushPullInterval: '30s', ProbeTimeout: '500ms', ProbeInterval: '1s', DisableTcpPings: false,
  AwarenessMaxMultiplier: 8, GossipNodes: 3, GossipInterval: '200ms', GossipToTheDeadTime: '30s',
  GossipVerifyIncoming: true, GossipVerifyOutgoing: true, EnableCompression: true, HandoffQueueDepth: 1024,
  UDPBufferSize: 1400, QueueCheckInterval: '5s',
} // prettier-ignore

const until = <T>(what: string, look: () => Promise<T | undefined>): Promise<T> =>
  untilIn(what, look, { timeout: PATIENCE })

interface World {
  readonly lab: Lab
  readonly nodes: ReadonlyMap<string, Host>
  readonly client: Host
  readonly config: string
  readonly speaker: (node: string, ...flags: readonly string[]) => LabProcess
}

async function world(): Promise<World> {
  const lab = await Lab.create()
  const lan = await lab.bridge('lan')
  const at = (last: number) => ({ links: [{ bridge: lan, addresses: [`10.10.0.${last}/24`, `fd00:10::${last}/64`] }] })
  const nodes = new Map([
    ['n1', await lab.host('n1', at(11))],
    ['n2', await lab.host('n2', at(12))],
  ])
  const client = await lab.host('client', at(100))
  const router = await lab.host('router', at(1))
  const bgp = { asn: 64513, bgpIdentifier: '10.10.0.1', peerPrefix: '10.10.0.0/24', peerAsn: 64512 }
  await startRouter('embedded', router, { ...bgp, directory: join(lab.directory, 'router') })
  const config = join(lab.directory, 'config')
  const secret = join(lab.directory, 'secret')
  await mkdir(config)
  await mkdir(secret)
  await writeFile(join(secret, 'secretkey'), '0123456789ABCDEFGHIJKL')
  await writeFile(join(lab.directory, 'gossip.json'), JSON.stringify(GOSSIP))
  await writeFile(join(config, 'cluster.yaml'), MANIFESTS)
  await writeFile(join(config, 'web.yaml'), serviceManifest('web', VIP, VIP6))
  await writeFile(join(config, 'routed.yaml'), serviceManifest('routed', '203.0.113.1'))
  const speaker = (node: string, ...flags: readonly string[]): LabProcess => {
    const address = `10.10.0.1${node.slice(1)}`
    const gossip = ['--ml-bindaddr', address, '--ml-secret-key-path', secret]
    const tuning = ['--ml-config-file', join(lab.directory, 'gossip.json')]
    const argv = [process.execPath, MAIN, '--node-name', node, '--config-dir', config, ...gossip, ...tuning, ...flags]
    const host = nodes.get(node)
    if (!host) throw new RangeError(node)
    return host.spawn(argv, { name: 'speaker' })
  }
  return { lab, nodes, client, config, speaker }
}

/** MAC addresses that answer for an address, asked from a host; all answers within a second. */
async function whoHas(host: Host, address: string): Promise<readonly string[]> {
  const code = `import { resolve } from ${JSON.stringify(ARP)}
    const answers = await resolve({ interface: 'eth0', address: ${JSON.stringify(address)}, timeout: 1000 })
    console.log(JSON.stringify(answers.map(({ mac }) => mac)))`
  const { stdout } = await host.exec([process.execPath, '--input-type=module', '-e', code])
  return JSON.parse(stdout) as readonly string[]
}

const macOf = (host: Host | undefined): string => host?.links.get('eth0')?.mac ?? ''

const said =
  (event: string, more = '') =>
  (line: string): boolean =>
    line.includes(`"event":"${event}"`) && line.includes(more)

async function http(host: Host, url: string): Promise<string> {
  const code = `const r = await fetch(${JSON.stringify(url)}); console.log(r.status, await r.text())`
  return (await host.exec([process.execPath, '--input-type=module', '-e', code])).stdout
}

t.setTimeout(1_200_000)

t.test('one speaker answers, its death moves the address, a polite end leaves nothing', { skip }, async t => {
  const { lab, nodes, client, config, speaker } = await world()
  t.teardown(() => lab[Symbol.asyncDispose]())
  const speakers = new Map(['n1', 'n2'].map(name => [name, speaker(name)]))
  const [owner = '', other = ''] = electionOrder(['n1', 'n2'], VIP)
  await speakers.get(owner)?.waitForLine(said('serviceAnnounced', '"protocol":"layer2"'), PATIENCE)

  /** Waits until this node and no other answers. */
  const onlyAnswerer = (node: string, address: string): Promise<true> =>
    until(`only ${node} to answer for ${address}`, async () => {
      const macs = await whoHas(client, address)
      return macs.length === 1 && macs[0] === macOf(nodes.get(node)) ? true : undefined
    })

  await t.test('exactly the elected node answers, for IPv4 and IPv6', async t => {
    t.ok(await onlyAnswerer(owner, VIP))
    t.ok(await onlyAnswerer(owner, VIP6))
  })

  await t.test('both nodes announce by BGP', async t => {
    const router = lab.hosts.get('router')
    const hops = await until('two next hops', async () => {
      const found = router ? await nextHopsOf(router.namespace, '203.0.113.1/32') : []
      return found.length === 2 ? found : undefined
    })
    t.strictSame(hops, ['10.10.0.11', '10.10.0.12'])
  })

  await t.test('statuses, metrics and probes say so', async t => {
    const host = nodes.get(owner)
    if (!host) return
    const status = join(config, 'status')
    const l2 = await until('a status', async () => {
      const files = await readdir(join(status, 'ServiceL2Status/metallb-system'))
      return files.length === 1
        ? readFile(join(status, 'ServiceL2Status/metallb-system', files[0] ?? ''), 'utf8')
        : undefined
    })
    t.match(l2, new RegExp(`node: ${owner}`))
    await until('both statuses', async () =>
      (await readdir(join(status, 'ServiceBGPStatus/metallb-system'))).length === 2 ? true : undefined,
    )
    const wanted = [
      `metallb_speaker_announced{service="default/web",protocol="layer2",node="${owner}",ip="${VIP}"} 1`,
      'metallb_bgp_session_up{peer="10.10.0.1:179",vrf="default"} 1',
      'typemetal_memberlist_members 2',
      'metallb_bgp_announced_prefixes_total{peer="10.10.0.1:179",vrf="default"} 1',
    ]
    const metrics = await until('the metrics', async () => {
      const text = await http(host, 'http://127.0.0.1:7472/metrics')
      const missing = wanted.filter(line => !text.includes(line))
      if (missing.length > 0) throw new Error(`without ${missing.join(', ')}`)
      return text
    })
    t.match(metrics, new RegExp(`metallb_layer2_responses_sent\\{ip="${VIP}"\\} [1-9]`))
    t.equal(await http(host, 'http://127.0.0.1:17472/readyz'), '200 ok\n\n')
  })

  await t.test('scanners and other programs on the gossip port are warned of once each, and counted', async t => {
    const [host, process] = [nodes.get(owner), speakers.get(owner)]
    if (!host || !process) return
    const target = `10.10.0.1${owner.slice(1)}`
    const code = `const { connect } = require('node:net')
      const udp = require('node:dgram').createSocket('udp4')
      const get = () => new Promise(done => {
        const socket = connect(7946, '${target}', () => socket.write('GET /metrics HTTP/1.1\\r\\n\\r\\n'))
        socket.on('error', done).on('close', done).resume()
        setTimeout(() => socket.destroy(), 200)
      })
      ;(async () => {
        for (let i = 0; i < 500; i++) udp.send('GET /metrics HTTP/1.1', 7946, '${target}')
        for (let i = 0; i < 20; i++) await get()
        udp.close()
      })()`
    await client.exec([globalThis.process.execPath, '-e', code])
    const metrics = await until('the counters', async () => {
      const text = await http(host, 'http://127.0.0.1:7472/metrics')
      return /typemetal_memberlist_refused_total\{reason="\w+"\} \d{3}/.test(text) ? text : undefined
    })
    t.match(metrics, 'typemetal_memberlist_members 2', 'the ring is as it was')
    t.match(metrics, 'typemetal_memberlist_suspects 0')
    const said = process.lines.filter(line => line.includes('"Memberlist"') && line.includes('10.10.0.100'))
    t.ok(said.length >= 1 && said.length <= 4, said.join('\n'))
  })

  await t.test('a broken manifest changes nothing and is named; mending it heals', async t => {
    const broken = MANIFESTS.replace('203.0.113.0/30', '203.0.113.0/33')
    const before = [...speakers.values()].map(({ lines }) => lines.length)
    await putManifest(join(config, 'cluster.yaml'), broken)
    const line = await speakers.get(owner)?.waitForLine(text => text.includes('"op":"config"'), PATIENCE)
    t.match(line, /"level":"error".*cluster\.yaml/)
    const file = join(config, 'status/ConfigurationState/metallb-system', `speaker-${owner}.yaml`)
    await until('Invalid', async () => (/result: Invalid/.test(await readFile(file, 'utf8')) ? true : undefined))
    t.ok(await onlyAnswerer(owner, VIP))
    await putManifest(join(config, 'cluster.yaml'), MANIFESTS)
    await until('Valid', async () => (/result: Valid/.test(await readFile(file, 'utf8')) ? true : undefined))
    const since = [...speakers.values()].flatMap(({ lines }, i) => lines.slice(before[i]))
    t.strictSame(since.filter(said('serviceWithdrawn')), [])
  })

  await t.test('SIGKILL moves the address', async t => {
    speakers.get(owner)?.kill('SIGKILL')
    t.ok(await onlyAnswerer(other, VIP))
    await until('one status', async () => {
      const folder = join(config, 'status/ServiceL2Status/metallb-system')
      const texts = await Promise.all((await readdir(folder)).map(name => readFile(join(folder, name), 'utf8')))
      return texts.length === 1 && texts[0]?.includes(`node: ${other}`) ? true : undefined
    })
  })

  await t.test('it comes back and takes its address again', async t => {
    speakers.set(owner, speaker(owner))
    t.ok(await onlyAnswerer(owner, VIP))
    t.ok(await speakers.get(other)?.waitForLine(said('serviceWithdrawn', 'notOwner'), PATIENCE))
  })

  await t.test('SIGTERM: the ring hears it at once, the router too, exit code 0', async t => {
    speakers.get(owner)?.kill('SIGTERM')
    t.strictSame(await speakers.get(owner)?.exited, { code: 0, signal: null })
    const last = speakers.get(owner)?.lines ?? []
    t.ok(
      last.some(line => line.includes('left memberlist cluster')),
      'it has said goodbye, and been heard',
    )
    t.match(
      last.find(line => line.includes('"to":"withdrawing"')),
      /"reason":"successorsSeen"/,
    )
    t.ok(await onlyAnswerer(other, VIP))
    const router = lab.hosts.get('router')
    const hops = await until('one next hop', async () => {
      const found = router ? await nextHopsOf(router.namespace, '203.0.113.1/32') : []
      return found.length === 1 ? found : undefined
    })
    t.strictSame(hops, [`10.10.0.1${other.slice(1)}`])
    const left = await readdir(join(config, 'status/ServiceBGPStatus/metallb-system'))
    t.equal(left.length, 1, 'its statuses are gone')
  })
})

t.test('what keeps a speaker from starting is one line and an exit code', { skip }, async t => {
  const { lab, nodes, speaker } = await world()
  t.teardown(() => lab[Symbol.asyncDispose]())
  const host = nodes.get('n1')
  if (!host) return
  const expectDeath = async (process: LabProcess, code: number, text: RegExp): Promise<void> => {
    const exit = await process.exited
    const last = process.lines.filter(line => !line.startsWith('{'))
    t.strictSame({ code: exit.code, lines: last.length }, { code, lines: 1 }, process.lines.join('\n'))
    t.match(last[0], text)
  }
  const blocker = host.spawn([
    process.execPath,
    '-e',
    'require("net").createServer().listen(7472, () => console.log("up"))',
  ])
  await blocker.waitForLine(line => line === 'up', PATIENCE)
  await expectDeath(speaker('n1'), 1, /^typemetal-speaker: port 7472.* is in use/)
  blocker.kill('SIGKILL')
  await blocker.exited
  await expectDeath(speaker('n1', '--config-dir', '/nonexistent'), 1, /\/nonexistent/)
  const plain = [process.execPath, MAIN, '--node-name', 'n1', '--config-dir', join(lab.directory, 'config')]
  const setpriv = ['setpriv', '--bounding-set', '-net_raw', '--inh-caps', '-net_raw', '--']
  await expectDeath(host.spawn([...setpriv, ...plain]), 1, /^typemetal-speaker: .*CAP_NET_RAW/)
  await expectDeath(host.spawn([process.execPath, MAIN, '--config-dir', 'x']), 1, /give --node-name/)
  await expectDeath(
    host.spawn([process.execPath, MAIN, '--node-name', 'n1', '--namespace', 'x', '--kubeconfig', '/nonexistent']),
    1,
    /cannot read kubeconfig \/nonexistent/,
  )
  const wrong = host.spawn([process.execPath, MAIN, '--wrong'])
  t.strictSame(await wrong.exited, { code: 2, signal: null })
  t.match(wrong.lines[0], /unknown option '--wrong'/)
  const { stdout } = await host.exec(['ss', '-Hltnu'], { check: false })
  t.equal(stdout.trim(), '', 'no socket is left behind')
  t.notOk(existsSync(join(lab.directory, 'config/status/ServiceL2Status')))
})
