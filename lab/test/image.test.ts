/** The images: what is in them, that two builds make the same, and that they run with no more rights than they ask for. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Host, Lab, type LabProcess, run, startRouter } from '@typemetal/lab'
import t from 'tap'
import { type ContainerOptions, Containers, missingRuntime, root, type Spawn } from './fixtures/container.js'

/** Milliseconds. */
const BUILD_TIMEOUT = 1_200_000
const LIMIT = 40_000_000
const SERVICE = '10.10.0.200'

interface Descriptor {
  readonly digest: string
  readonly size: number
}

interface Manifest {
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly annotations: Readonly<Record<string, string>>
}

interface PackageJson {
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
}

const skip = await missingRuntime()
const wanted = { skip, timeout: BUILD_TIMEOUT }
t.setTimeout(2 * BUILD_TIMEOUT)
const folder = mkdtempSync(join(tmpdir(), 'typemetal-image-test-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const layout = join(folder, 'one')

/** Somebody may commit meanwhile. */
const env = { ...process.env, SOURCE_DATE_EPOCH: '1700000000', TYPEMETAL_REVISION: 'tested' }
const build = (out: string, ...args: readonly string[]): Promise<unknown> =>
  run([process.execPath, join(root, 'scripts', 'image.mjs'), '--out', out, ...args], { env, timeout: BUILD_TIMEOUT })
const readJson = (...path: readonly string[]): unknown => JSON.parse(readFileSync(join(...path), 'utf8'))
const blob = ({ digest }: Descriptor): unknown => readJson(layout, 'blobs', ...digest.split(':'))

const packageJson = (name: string): PackageJson => readJson(root, 'packages', name, 'package.json') as PackageJson

function images(): ReadonlyMap<string, Manifest> {
  const { manifests } = readJson(layout, 'index.json') as {
    readonly manifests: readonly (Descriptor & { readonly annotations: Readonly<Record<string, string>> })[]
  }
  const name = 'org.opencontainers.image.ref.name'
  return new Map(manifests.map(each => [each.annotations[name] ?? '', blob(each) as Manifest]))
}

t.test('another build makes the same octets', wanted, async t => {
  await build(layout)
  const other = join(folder, 'other')
  await build(other, '--image', 'controller')
  const { manifests } = readJson(other, 'index.json') as { readonly manifests: readonly Descriptor[] }
  const { manifests: all } = readJson(layout, 'index.json') as { readonly manifests: readonly Descriptor[] }
  t.same(manifests, all.slice(0, 1))
  rmSync(other, { recursive: true })
})

t.test('three images of the same layers, small, with labels, each for its program', wanted, async t => {
  const found = images()
  t.same([...found.keys()], ['controller', 'speaker', 'speaker-nonroot'])
  const users: Readonly<Record<string, string>> = {
    controller: '65534:65534',
    speaker: '0:0',
    'speaker-nonroot': '1000:1000',
  }
  for (const [name, { config, layers, annotations }] of found) {
    const size = layers.reduce((sum, layer) => sum + layer.size, config.size)
    t.ok(size <= LIMIT, `${name}: ${(size / 1e6).toFixed(1)} MB of 40`)
    const program = name.split('-')[0] ?? ''
    t.match(blob(config), {
      os: 'linux',
      config: { Entrypoint: [`/${program}`], User: users[name], Labels: annotations, StopSignal: 'SIGTERM' },
    })
    for (const key of ['title', 'description', 'version', 'revision', 'created', 'source', 'licenses']) {
      t.match(annotations[`org.opencontainers.image.${key}`], /\S/, key)
    }
  }
  t.same(found.get('speaker')?.layers, found.get('controller')?.layers, 'a node that runs both pulls them once')
})

t.test('the bill of materials names what is inside', wanted, async t => {
  await using containers = new Containers(layout)
  const bundle = await containers.unpack('speaker')
  const inside = join(bundle, 'rootfs')
  const bill = readJson(inside, 'usr', 'share', 'doc', 'typemetal', 'sbom.cdx.json') as {
    readonly bomFormat: string
    readonly components: readonly { readonly name: string; readonly version?: string; readonly purl?: string }[]
  }
  t.equal(bill.bomFormat, 'CycloneDX')
  const names = new Set(bill.components.map(({ name }) => name))
  const dependencies = [
    'speaker',
    'controller',
    'cluster',
    'bgp',
    'arp-ndp',
    'memberlist',
    'sockets',
    'options',
  ].flatMap(name => Object.keys(packageJson(name).dependencies ?? {}))
  // Only headers for a compiler.
  const built = new Set(dependencies.filter(name => name !== 'node-api-headers'))
  t.same(
    [...built].filter(name => !names.has(name)),
    [],
    'every dependency',
  )
  t.ok(bill.components.some(({ name, version }) => name === 'node' && version === process.versions.node))
  t.ok(
    bill.components.some(({ name }) => /libc/.test(name)),
    'the C library',
  )
  t.same(
    bill.components.filter(({ purl = '' }) => purl.startsWith('pkg:npm/') && !/@\d/.test(purl)),
    [],
  )
  t.notOk(existsSync(join(inside, 'bin', 'sh')), 'and no shell')
})

t.test('--rootfs, which the Dockerfile calls, gives the same files', wanted, async t => {
  const rootfs = join(folder, 'rootfs')
  await run([process.execPath, join(root, 'scripts', 'image.mjs'), '--rootfs', rootfs, '--variant', 'nonroot'], {
    env,
    timeout: BUILD_TIMEOUT,
  })
  await using containers = new Containers(layout)
  const bundle = await containers.unpack('speaker-nonroot')
  const { stdout } = await run(['diff', '--recursive', '--no-dereference', rootfs, join(bundle, 'rootfs')])
  t.equal(stdout, '')
  const { stdout: capability } = await run(['getcap', join(rootfs, 'usr', 'bin', 'node')])
  t.match(capability, /cap_net_raw=ep/)
  t.match(readFileSync(join(root, 'Dockerfile'), 'utf8'), `ARG VERSION=${packageJson('speaker').version}\n`)
  rmSync(rootfs, { recursive: true })
})

t.test('each program says its version and its flags', wanted, async t => {
  const { version } = packageJson('speaker')
  await using containers = new Containers(layout)
  const bundle = await containers.unpack('controller')
  for (const program of ['controller', 'speaker', 'typemetal']) {
    // Not in the environment of this process: what it tells its node is not for theirs.
    const argv = [
      'env',
      '-i',
      '/usr/sbin/chroot',
      '--userspec=65534:65534',
      join(bundle, 'rootfs'),
      `/${program}`,
      '--version',
    ]
    const { stdout } = await run(argv)
    t.equal(stdout.trim().split(' ').at(-1), version, program)
  }
})

/** A node and a client on one LAN; who answers ARP for the Service's address is the speaker alone. */
async function twoHosts(lab: Lab): Promise<{ readonly node: Host; readonly client: Host }> {
  const lan = await lab.bridge('lan')
  const links = (last: number): { links: [{ bridge: typeof lan; addresses: string[] }] } => ({
    links: [{ bridge: lan, addresses: [`10.10.0.${last}/24`] }],
  })
  const sysctls = { 'net.ipv4.conf.all.arp_ignore': 1, 'net.ipv4.conf.all.arp_announce': 2 }
  const node = await lab.host('node-1', { ...links(11), sysctls })
  await node.namespace.ip([`address add ${SERVICE}/32 dev lo`])
  const serve = `require('http').createServer((_, answer) => answer.end('hello')).listen(80, () => console.log('listening'))`
  await node.spawn([process.execPath, '-e', serve], { name: 'backend' }).waitForLine(line => line === 'listening')
  await startRouter('embedded', await lab.host('router', links(1)), {
    asn: 64513,
    bgpIdentifier: '10.10.0.1',
    peerPrefix: '10.10.0.0/24',
    peerAsn: 64512,
    directory: join(lab.directory, 'router'),
  })
  return { node, client: await lab.host('client', links(100)) }
}

/** Kinds of what the programs write beside the Service. */
const WRITTEN = ['IPAddressPool', 'ConfigurationState', 'ServiceL2Status', 'ServiceBGPStatus']

/** Manifests of a cluster that anybody may write, whoever the controller runs as. */
function manifests(lab: Lab): string {
  const directory = join(lab.directory, 'config')
  mkdirSync(directory)
  for (const name of ['nodes.yaml', 'pools.yaml', 'layer2.yaml', 'web.yaml', 'bgp.yaml']) {
    const text = readFileSync(join(root, 'examples', 'demo', name), 'utf8')
    // Of the nodes only the first is there: without gossip the others would count as alive.
    writeFileSync(join(directory, name), name === 'nodes.yaml' ? (text.split('\n---\n')[0] ?? '') : text)
    chmodSync(join(directory, name), 0o666)
  }
  // Controller and speaker are not the same user, and root without capabilities is nobody special.
  const folders = ['Service/demo', ...WRITTEN.map(kind => `${kind}/metallb-system`)].map(name => join('status', name))
  for (const path of ['.', ...folders]) {
    mkdirSync(join(directory, path), { recursive: true })
    chmodSync(join(directory, path), 0o777)
  }
  chmodSync(lab.directory, 0o755)
  return directory
}

const FLAGS = ['--namespace=metallb-system', '--config-dir=/config', '--port=0']
const NET_RAW = ['CAP_NET_RAW']

const announces: readonly (readonly [
  string,
  Pick<ContainerOptions, 'image' | 'runAsUser' | 'allowPrivilegeEscalation'>,
])[] = [
  ['as root without escalation', { image: 'speaker', runAsUser: 0, allowPrivilegeEscalation: false }],
  ['as UID 1000 by the file capability', { image: 'speaker-nonroot', runAsUser: 1000, allowPrivilegeEscalation: true }],
]
for (const [how, options] of announces) {
  t.test(`layer 2 from a read-only container with NET_RAW and nothing else, ${how}`, wanted, async t => {
    await using lab = await Lab.create()
    await using containers = new Containers(layout)
    const { node, client } = await twoHosts(lab)
    const mounts = { '/config': manifests(lab) }
    const spawn: Spawn = (argv, named) => node.spawn(argv, named)
    const start = (rest: Omit<ContainerOptions, 'mounts'>): Promise<LabProcess> =>
      containers.start(spawn, { ...rest, mounts })
    const controller = await start({
      image: 'controller',
      name: 'controller',
      args: [...FLAGS, '--health-probe-port=17473'],
      runAsUser: 65534,
      capabilities: [],
      allowPrivilegeEscalation: false,
    })
    const speaker = await start({
      ...options,
      name: 'speaker',
      args: [...FLAGS, '--node-name=node-1'],
      capabilities: NET_RAW,
    })
    await speaker.waitForLine(line => line.includes('serviceAnnounced') && line.includes(SERVICE), 120_000)
    // An eBGP session has socket options that only the addon can set.
    t.match(await speaker.waitForLine(line => line.includes('"sessionUp"'), 120_000), /10\.10\.0\.1/)
    const ask = `fetch('http://${SERVICE}/').then(answer => answer.text()).then(console.log, () => process.exit(1))`
    const { stdout } = await client.exec([process.execPath, '-e', ask])
    t.equal(stdout.trim(), 'hello')
    const neighbours = await client.namespace.ipJson<{ dst: string; lladdr?: string }[]>('neighbour show')
    const answered = neighbours.find(({ dst }) => dst === SERVICE)
    t.equal(answered?.lladdr, node.links.get('eth0')?.mac, 'by ARP')
    t.equal(capabilitiesOf(containers.pidOf(speaker)), 1n << 13n, 'CAP_NET_RAW')
    t.equal(capabilitiesOf(containers.pidOf(controller)), 0n)
    speaker.kill('SIGTERM')
    controller.kill('SIGTERM')
    t.match(await speaker.exited, { code: 0 })
    t.match(await controller.exited, { code: 0 })
  })
}

/** What a process may do. */
const capabilitiesOf = (pid: number): bigint =>
  BigInt(`0x${/^CapEff:\s+(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]}`)

t.test('without the capability it says what it lacks', wanted, async t => {
  await using lab = await Lab.create()
  await using containers = new Containers(layout)
  const { node } = await twoHosts(lab)
  const spawn: Spawn = (argv, named) => node.spawn(argv, named)
  const speaker = await containers.start(spawn, {
    image: 'speaker',
    name: 'speaker',
    args: [...FLAGS, '--node-name=node-1'],
    runAsUser: 1000,
    capabilities: NET_RAW,
    allowPrivilegeEscalation: false,
    mounts: { '/config': manifests(lab) },
  })
  t.match(await speaker.waitForLine(line => line.includes('NET_RAW')), /NET_RAW/)
})
