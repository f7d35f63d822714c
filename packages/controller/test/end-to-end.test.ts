/** The controller on a folder of manifests: as a class, and as the process that users start. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  type ConfigurationState,
  DirectoryStore,
  type IPAddressPool,
  readEvents,
  type Service,
} from '@typemetal/cluster'
import { Controller } from '@typemetal/controller'
import { freePorts } from '@typemetal/lab/kubernetes'
import t from 'tap'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const PATIENCE = 60_000

const pool = (...addresses: string[]): string => `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: web, namespace: metallb-system }
spec:
  addresses: [${addresses.join(', ')}]
`
const service = (name: string): string => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec: { type: LoadBalancer, ports: [{ port: 80 }] }
`

/** A folder of manifests that goes away with the test. */
class Site {
  readonly folder = mkdtempSync(join(tmpdir(), 'typemetal-controller-'))

  constructor(t: Tap) {
    t.teardown(() => rmSync(this.folder, { recursive: true, force: true }))
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, `${name}.yaml`), text)
  }

  remove(name: string): void {
    rmSync(join(this.folder, `${name}.yaml`))
  }

  /** A controller on this folder; stop it before the next. */
  async start(t: Tap): Promise<Running> {
    const store = new DirectoryStore({ directory: this.folder, component: 'controller' })
    const stop = new AbortController()
    const controller = new Controller({ store, options: { namespace: 'metallb-system' } })
    const ended = controller.run(stop.signal)
    const running = new Running(store, async () => {
      stop.abort()
      await ended
      await store[Symbol.asyncDispose]()
    })
    t.teardown(() => running.stop())
    await until('the controller is ready', () => controller.ready === true)
    return running
  }

  async events(): Promise<readonly string[]> {
    const events = await readEvents(join(this.folder, 'status'))
    return events.map(({ object, type, reason, message }) => `${object}: ${type} ${reason} ${message}`)
  }
}

type Tap = Pick<typeof t, 'teardown'>

class Running {
  readonly #store: DirectoryStore
  readonly #stop: () => Promise<void>

  constructor(store: DirectoryStore, stop: () => Promise<void>) {
    this.#store = store
    this.#stop = stop
  }

  stop(): Promise<void> {
    return this.#stop()
  }

  service(name: string): Service | undefined {
    return this.#store.snapshot().objects('Service').get(`default/${name}`)
  }

  ips(name: string): readonly string[] {
    return (this.service(name)?.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? '')
  }

  get pool(): IPAddressPool | undefined {
    return this.#store.snapshot().objects('IPAddressPool').get('metallb-system/web')
  }

  get state(): ConfigurationState['status'] {
    return this.#store.snapshot().objects('ConfigurationState').get('metallb-system/controller')?.status
  }
}

/** How many addresses another process reads of a Service. */
const speakerSees = (store: DirectoryStore, name: string): number =>
  store.snapshot().objects('Service').get(`default/${name}`)?.status?.loadBalancer?.ingress?.length ?? 0

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + PATIENCE; !(await holds()); await sleep(10)) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`)
  }
}

t.test('an exhausted pool says so, and a released address goes to the one that waits', async t => {
  const site = new Site(t)
  site.write('pool', pool('192.0.2.0/31'))
  for (const name of ['a', 'b']) site.write(name, service(name))
  const running = await site.start(t)
  await until('both have an address', () => running.ips('a').length + running.ips('b').length === 2)
  t.same([running.ips('a'), running.ips('b')], [['192.0.2.0'], ['192.0.2.1']])
  t.equal(running.service('a')?.metadata.annotations?.['metallb.io/ip-allocated-from-pool'], 'web')

  site.write('c', service('c'))
  const refusal = 'Service default/c: Warning AllocationFailed Failed to allocate IP for "default/c": no available IPs'
  await until('the event is there', async () => (await site.events()).includes(refusal))
  t.same(running.ips('c'), [])
  await until('the pool counts', () => running.pool?.status?.assignedIPv4 === 2)
  t.match(running.pool?.status, { assignedIPv4: 2, availableIPv4: 0 })

  site.remove('a')
  await until('c has the address of a', () => running.ips('c').length === 1)
  t.same(running.ips('c'), ['192.0.2.0'])
  t.same(running.ips('b'), ['192.0.2.1'])
})

t.test('the ConfigurationStates of the speakers are left to them', async t => {
  const site = new Site(t)
  site.write('pool', pool('192.0.2.0/30'))
  const speaker = new DirectoryStore({ directory: site.folder, component: 'speaker-n1' })
  t.teardown(() => speaker[Symbol.asyncDispose]())
  await speaker.start()
  const metadata = { name: 'speaker-n1', namespace: 'metallb-system' }
  const created = await speaker.create({ apiVersion: 'metallb.io/v1beta1', kind: 'ConfigurationState', metadata })
  const running = await site.start(t)
  await speaker.updateStatus({ ...created, status: { result: 'Unknown' } })
  await until('the controller has said its own', () => running.state?.result === 'Valid')
  for (const name of ['a', 'b']) {
    site.write(name, service(name))
    await until(`${name} has an address`, () => speakerSees(speaker, name) === 1)
  }
  const state = speaker.snapshot().objects('ConfigurationState').get('metallb-system/speaker-n1')
  t.strictSame(state?.status, { result: 'Unknown' })
})

t.test('a restart keeps all addresses, whatever else has changed', async t => {
  const site = new Site(t)
  site.write('pool', pool('192.0.2.0/30'))
  for (const name of ['x', 'y', 'z']) site.write(name, service(name))
  const first = await site.start(t)
  await until('all have an address', () => ['x', 'y', 'z'].every(name => first.ips(name).length === 1))
  const before = ['y', 'z'].map(name => first.ips(name))
  await first.stop()

  site.remove('x')
  site.write('a', service('a'))
  const second = await site.start(t)
  await until('the new one has an address', () => second.ips('a').length === 1)
  t.same(
    ['y', 'z'].map(name => second.ips(name)),
    before,
  )
  t.same(second.ips('a'), ['192.0.2.0'])
})

t.test('a broken manifest leaves the last good configuration in force, is named, and heals', async t => {
  const site = new Site(t)
  site.write('pool', pool('192.0.2.0/30'))
  site.write('a', service('a'))
  const running = await site.start(t)
  await until('a has its address', () => running.ips('a').length === 1)

  for (const [text, reason] of [
    [pool('192.0.2.0/33'), /IPAddressPool metallb-system\/web: spec\.addresses\[0\]: invalid CIDR .*pool\.yaml:6/],
    [`${pool('192.0.2.0/30')}  nonsense: [`, /pool\.yaml/],
  ] as const) {
    site.write('pool', text)
    await until('the configuration is invalid', () => running.state?.result === 'Invalid')
    t.match(running.state?.errorSummary, reason)
    t.match(running.state?.conditions?.[0], {
      type: 'poolReconcilerValid',
      status: 'False',
      reason: 'ConfigurationError',
    })
    const name = `while-broken-${text.length}`
    site.write(name, service(name))
    await until('a new Service is still served', () => running.ips(name).length === 1)
    t.same(running.ips('a'), ['192.0.2.0'])

    site.write('pool', pool('192.0.2.0/30'))
    await until('it has healed', () => running.state?.result === 'Valid')
    t.equal(running.state?.conditions?.[0]?.reason, 'Reconciled')
  }
})

t.test('the process: flags, metrics, probes, a log of one JSON object a line, and a clean end', async t => {
  const site = new Site(t)
  site.write('pool', pool('192.0.2.0/30'))
  site.write('a', service('a'))
  const [metrics = 0, health = 0] = await freePorts(2)
  const flags = ['-config-dir', site.folder, `--port=${metrics}`, '--health-probe-port', `${health}`, '--pod-name=p']
  const child = spawn(process.execPath, [MAIN, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  const get = async (port: number, path: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined)
    return response?.ok ? response.text() : ''
  }
  await until('it is ready', async () => (await get(health, '/readyz')) === 'ok\n')
  t.equal(await get(health, '/healthz'), 'ok\n')
  await until('it counts', async () => (await get(metrics, '/metrics')).includes('in_use_total{pool="web"} 1'))
  await until('the status is on disk', () => {
    const file = join(site.folder, 'status', 'Service', 'default', 'a.yaml')
    try {
      return readFileSync(file, 'utf8').includes('192.0.2.0')
    } catch {
      return false
    }
  })
  child.kill('SIGTERM')
  const [code] = (await once(child, 'close')) as [number]
  t.equal(code, 0)
  const lines = said.split('\n').filter(Boolean)
  const log = lines.map(line => JSON.parse(line) as Record<string, unknown>)
  t.match(
    log.find(({ event }) => event === 'ipAllocated'),
    { level: 'info', service: 'default/a', ips: ['192.0.2.0'], pool: 'web' },
  )
  t.match(
    log.filter(({ level }) => level === 'warn'),
    [{ flags: ['--pod-name'] }],
  )
})

t.test('what cannot start says why in one line', async t => {
  const taken = createServer().listen(0)
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { port } = taken.address() as AddressInfo
  const folder = new Site(t).folder
  const cases: readonly (readonly [flags: readonly string[], code: number, text: RegExp])[] = [
    [['--bogus'], 2, /unknown option '--bogus'[^]*Usage:/],
    [
      ['--config-dir', '/no/such', '--log-level', 'none'],
      1,
      /^typemetal-controller: directory \/no\/such does not exist\n$/,
    ],
    [
      ['--kubeconfig', '/no/such', '--namespace', 'x', '--log-level', 'none'],
      1,
      /^typemetal-controller: cannot read kubeconfig \/no\/such/,
    ],
    [['--config-dir', folder, '--log-level', 'loud'], 1, /^typemetal-controller: log level "loud" is unknown/],
    [
      ['--config-dir', folder, '--log-level', 'none', '--port', `${port}`],
      1,
      /^typemetal-controller: port \d+ .*is in use/,
    ],
  ]
  await Promise.all(
    cases.map(async ([flags, code, text]) => {
      const child = spawn(process.execPath, [MAIN, '--port=0', '--health-probe-port=0', ...flags])
      const said: string[] = []
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => said.push(chunk.toString()))
      const [exitCode] = (await once(child, 'close')) as [number]
      t.equal(exitCode, code, flags.join(' '))
      t.match(said.join(''), text, flags.join(' '))
    }),
  )
})
