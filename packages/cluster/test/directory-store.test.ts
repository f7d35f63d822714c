import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import {
  buildConfig,
  configResources,
  DirectoryStore,
  type DirectoryStoreOptions,
  formatConfigError,
  readEvents,
  type Secret,
  type Service,
  type Store,
} from '@typemetal/cluster'
import { eventually } from './store-contract.js'

const service = (name: string, extra = ''): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {type: LoadBalancer, ports: [{port: 80}]${extra}}\n`
const pool = (name: string, address: string): string =>
  `apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: ${name}}\nspec:\n  addresses:\n  - ${address}\n`

/** An empty folder; removed with everything in it. */
class Folder implements AsyncDisposable {
  readonly path: string
  readonly #stores: Store[] = []

  private constructor(path: string) {
    this.path = path
  }

  static async make(): Promise<Folder> {
    return new Folder(await mkdtemp(join(tmpdir(), 'typemetal-dir-')))
  }

  /** Files appear whole: who writes a file in place empties it first, and may be held up then for as long as the system likes. */
  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      const aside = join(this.path, name, '..', '.aside')
      await mkdir(dirname(aside), { recursive: true })
      await writeFile(aside, text)
      await rename(aside, join(this.path, name))
    }
  }

  read(name: string): Promise<string> {
    return readFile(join(this.path, name), 'utf8')
  }

  async open(options: Partial<DirectoryStoreOptions> = {}): Promise<DirectoryStore> {
    const store = new DirectoryStore({
      directory: this.path,
      component: 'controller',
      debounce: 2,
      orphanDelay: 20,
      ...options,
    })
    this.#stores.push(store)
    await store.start()
    return store
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) await store[Symbol.asyncDispose]()
    await rm(this.path, { recursive: true, force: true })
  }
}

const faultsOf = (store: Store, folder: Folder): readonly string[] =>
  store.snapshot().faults.map(fault => formatConfigError(fault).replaceAll(`${folder.path}/`, ''))
const servicesOf = (store: Store): readonly string[] => [...store.snapshot().objects('Service').keys()].toSorted()

/** Gives a Service an address, as the controller does. */
async function assign(store: Store, key: string, ip: string): Promise<void> {
  const object = store.snapshot().objects('Service').get(key)
  assert.ok(object)
  await store.updateStatus({ ...object, status: { loadBalancer: { ingress: [{ ip }] } } })
}
const ipOf = (object: Service | undefined): string | undefined => object?.status?.loadBalancer?.ingress?.[0]?.ip

t.test('a file that breaks keeps its last good objects and is named; mending it heals', async t => {
  await using folder = await Folder.make()
  await folder.write({ 'a.yaml': service('web'), 'sub/pools.yml': pool('first', '10.0.0.0/24') })
  const store = await folder.open()
  await folder.write({ 'sub/pools.yml': `${pool('first', '10.0.0.0/24')}  bad: [\n` })
  await eventually(store, s => s.faults.length > 0)
  t.match(faultsOf(store, folder), [/^File sub\/pools.yml: in IPAddressPool first: .* \(sub\/pools.yml:8\)$/])
  t.equal(store.snapshot().objects('IPAddressPool').size, 1, 'the last good version is still there')
  t.match(
    buildConfig(configResources(store.snapshot()), { component: 'controller', namespace: 'metallb-system' }).errors,
    [{ kind: 'File' }],
  )
  await folder.write({ 'sub/pools.yml': pool('first', '10.0.1.0/24') })
  await eventually(store, s => s.faults.length === 0)
  t.match([...store.snapshot().objects('IPAddressPool').values()], [{ spec: { addresses: ['10.0.1.0/24'] } }])
})

t.test('a file that is broken from the start gives only its fault', async t => {
  await using folder = await Folder.make()
  await folder.write({ 'a.yaml': 'apiVersion: v1\nkind: Service\nspec: [', 'b.yaml': service('web') })
  const store = await folder.open()
  t.same(servicesOf(store), ['default/web'])
  t.match(faultsOf(store, folder), [/^File a.yaml: in Service: /])
})

t.test('a broken object keeps its last good version, the others of its file move on', async t => {
  await using folder = await Folder.make()
  await folder.write({ 'a.yaml': `${service('web')}---\n${service('api')}` })
  const store = await folder.open()
  await folder.write({
    'a.yaml': `${service('web', ', externalTrafficPolicy: 5')}---\n${service('api', ', externalTrafficPolicy: Local')}`,
  })
  await eventually(store, s => s.objects('Service').get('default/api')?.spec?.externalTrafficPolicy === 'Local')
  t.equal(store.snapshot().objects('Service').get('default/web')?.spec?.externalTrafficPolicy, 'Cluster')
  t.same(faultsOf(store, folder), ['Service default/web: spec.externalTrafficPolicy: must be a text, not 5 (a.yaml:1)'])
})

t.test('an object defined twice: the first file counts, both are named', async t => {
  await using folder = await Folder.make()
  await folder.write({ 'a.yaml': pool('first', '10.0.0.0/24'), 'b.yaml': `\n${pool('first', '10.0.1.0/24')}` })
  const store = await folder.open()
  t.same(faultsOf(store, folder), [
    'IPAddressPool metallb-system/first: metadata.name: is defined twice; the definition at a.yaml:1 counts (b.yaml:2)',
  ])
  t.match([...store.snapshot().objects('IPAddressPool').values()], [{ spec: { addresses: ['10.0.0.0/24'] } }])
  await rm(join(folder.path, 'a.yaml'))
  await eventually(store, s => s.faults.length === 0)
  t.match([...store.snapshot().objects('IPAddressPool').values()], [{ spec: { addresses: ['10.0.1.0/24'] } }])
})

t.test('errors of the configuration name file and line', async t => {
  await using folder = await Folder.make()
  await folder.write({ 'a.yaml': `# pools\n${pool('first', '10.0.0.0/33')}  autoAsign: true\n` })
  const store = await folder.open()
  const { errors = [] } = buildConfig(configResources(store.snapshot()), {
    component: 'controller',
    namespace: 'metallb-system',
  })
  t.same(
    errors.map(error => formatConfigError(error).replaceAll(`${folder.path}/`, '')),
    [
      'IPAddressPool metallb-system/first: spec.autoAsign: unknown field; did you mean spec.autoAssign? (a.yaml:8)',
      'IPAddressPool metallb-system/first: spec.addresses[0]: invalid CIDR "10.0.0.0/33" in pool "first" (a.yaml:7)',
    ],
  )
})

t.test('the status survives a file that is replaced in two steps, not an object that is gone', async t => {
  await using folder = await Folder.make()
  await folder.write({ 'a.yaml': service('web') })
  const patient = await folder.open({ orphanDelay: 600_000 })
  await assign(patient, 'default/web', '10.0.0.1')
  await rm(join(folder.path, 'a.yaml'))
  await eventually(patient, () => servicesOf(patient).length === 0)
  await folder.write({ 'a.yaml': service('web', ', externalTrafficPolicy: Local') })
  await eventually(patient, s => s.objects('Service').get('default/web')?.spec?.externalTrafficPolicy === 'Local')
  t.equal(ipOf(patient.snapshot().objects('Service').get('default/web')), '10.0.0.1')
  await patient[Symbol.asyncDispose]()
  const store = await folder.open()
  await rm(join(folder.path, 'a.yaml'))
  await until(async () => (await readdir(join(folder.path, 'status/Service/default'))).length === 0)
  await folder.write({ 'a.yaml': service('web') })
  const back = await eventually(store, () => servicesOf(store).length === 1)
  t.equal(ipOf(back.objects('Service').get('default/web')), undefined)
})

t.test('no status is removed while a broken file may hide its object', async t => {
  await using folder = await Folder.make()
  await folder.write({ 'a.yaml': service('web') })
  const first = await folder.open()
  await assign(first, 'default/web', '10.0.0.1')
  await first[Symbol.asyncDispose]()
  await folder.write({ 'a.yaml': `${service('web')}  x: [` })
  const second = await folder.open({ orphanDelay: 5 })
  t.same(servicesOf(second), [])
  await delay(50)
  t.match(await folder.read('status/Service/default/web.yaml'), /10\.0\.0\.1/)
  await folder.write({ 'a.yaml': service('web') })
  const healed = await eventually(second, () => servicesOf(second).length === 1)
  t.equal(ipOf(healed.objects('Service').get('default/web')), '10.0.0.1')
})

t.test('a status is removed by its writer only', async t => {
  await using folder = await Folder.make()
  await folder.write({ 'a.yaml': service('web') })
  const controller = await folder.open({ orphanDelay: 1_000_000 })
  const speaker = await folder.open({ component: 'speaker-n1', orphanDelay: 1 })
  await assign(controller, 'default/web', '10.0.0.1')
  await rm(join(folder.path, 'a.yaml'))
  await eventually(speaker, () => servicesOf(speaker).length === 0)
  await delay(30)
  t.match(await folder.read('status/Service/default/web.yaml'), /^# Written by controller\. /)
})

t.test('a file that is emptied for a moment loses nothing', async t => {
  await using folder = await Folder.make()
  await folder.write({ 'a.yaml': service('web') })
  const store = await folder.open()
  const seen: unknown[] = []
  store.on('change', changes => seen.push(...changes))
  const file = join(folder.path, 'a.yaml')
  // After 150 ms it is believed to be empty: a moment that took so long here was none, and another one is tried.
  for (let took = Infinity; took >= 150;) {
    await folder.write({ 'a.yaml': service('web') })
    await eventually(store, s => s.objects('Service').get('default/web')?.spec?.externalTrafficPolicy === 'Cluster')
    await delay(20)
    seen.length = 0
    const began = performance.now()
    await writeFile(file, '') // what an editor that does not rename does first
    await delay(40)
    await writeFile(file, service('web', ', externalTrafficPolicy: Local'))
    took = performance.now() - began
    await eventually(store, s => s.objects('Service').get('default/web')?.spec?.externalTrafficPolicy === 'Local')
  }
  t.same(seen, [{ kind: 'Service', key: 'default/web', type: 'modified' }])
  await folder.write({ 'a.yaml': '' })
  await eventually(store, () => servicesOf(store).length === 0)
  t.pass('and one that stays empty is believed')
})

t.test('a Kubernetes volume: all files change when one link moves', async t => {
  await using folder = await Folder.make()
  await folder.write({ '..one/a.yaml': service('web'), '..two/a.yaml': service('api') })
  await symlink('..one', join(folder.path, '..data'))
  await symlink('..data/a.yaml', join(folder.path, 'a.yaml'))
  const store = await folder.open()
  t.same(servicesOf(store), ['default/web'])
  await symlink('..two', join(folder.path, '..tmp'))
  await rename(join(folder.path, '..tmp'), join(folder.path, '..data'))
  await eventually(store, () => servicesOf(store)[0] === 'default/api')
  t.same(servicesOf(store), ['default/api'])
})

t.test('folders that come and go', async t => {
  await using folder = await Folder.make()
  await symlink('.', join(folder.path, 'loop'))
  const store = await folder.open()
  await folder.write({
    'deep/down/a.yaml': service('web'),
    'deep/b.txt': 'no manifest',
    'deep/.c.yaml': service('hidden'),
  })
  await eventually(store, () => servicesOf(store).length === 1)
  const seen: string[] = []
  store.on('change', changes => seen.push(...changes.map(({ key, type }) => `${key} ${type}`)))
  await rename(join(folder.path, 'deep'), join(folder.path, 'moved'))
  await delay(50)
  t.same(store.snapshot().faults, [])
  await folder.write({ 'moved/down/a.yaml': service('api') })
  await eventually(store, () => servicesOf(store).join() === 'default/api')
  t.same(new Set(seen), new Set(['default/api added', 'default/web deleted']), 'a folder that moves is no change')
  await rm(join(folder.path, 'moved'), { recursive: true })
  await eventually(store, () => servicesOf(store).length === 0)
  t.pass('all seen')
})

t.test('a folder that vanishes is an outage, not the end of its objects', async t => {
  await using folder = await Folder.make()
  await folder.write({ 'conf/a.yaml': service('web') })
  const store = await folder.open({
    directory: join(folder.path, 'conf'),
    statusDirectory: join(folder.path, 'state'),
    pollInterval: 20,
  })
  const outages: (string | undefined)[] = []
  store.on('outage', reason => outages.push(reason?.replaceAll(folder.path, '')))
  await rename(join(folder.path, 'conf'), join(folder.path, 'away'))
  await until(() => outages.length === 1)
  t.same(servicesOf(store), ['default/web'])
  await folder.write({ 'conf/b.yaml': service('api') })
  await until(() => outages.length === 2)
  await eventually(store, () => servicesOf(store)[0] === 'default/api')
  t.same(outages, ['directory /conf does not exist', undefined])
})

t.test('what the system does not report is found by looking', async t => {
  await using folder = await Folder.make()
  await folder.write({ 'a.yaml': service('web') })
  const store = await folder.open({ pollInterval: 20, debounce: 1_000_000 })
  const { atime, mtime } = await stat(join(folder.path, 'a.yaml'))
  await folder.write({ 'a.yaml': service('api') })
  await utimes(join(folder.path, 'a.yaml'), atime, new Date(mtime.getTime() + 1000))
  await eventually(store, () => servicesOf(store)[0] === 'default/api')
  t.pass('seen')
})

t.test('several folders; one inside another counts once', async t => {
  await using folder = await Folder.make()
  await folder.write({ 'a/x.yaml': service('web'), 'b/y.yaml': service('api'), 'a/in/z.yaml': service('db') })
  const store = await folder.open({ directory: ['a', 'b', 'a/in', 'a/'].map(name => join(folder.path, name)) })
  t.same(servicesOf(store), ['default/api', 'default/db', 'default/web'])
  t.same(store.snapshot().faults, [])
  t.equal(store.statusDirectory, join(folder.path, 'a/status'))
  await assign(store, 'default/api', '10.0.0.1')
  t.match(await folder.read('a/status/Service/default/api.yaml'), /10\.0\.0\.1/)
})

t.test('a folder that does not exist, or nothing to read from', async t => {
  await using folder = await Folder.make()
  await t.rejects(folder.open({ directory: join(folder.path, 'none') }), {
    code: 'ERR_STARTUP',
    message: /^directory .*none does not exist$/,
  })
  t.throws(() => new DirectoryStore({ directory: [], component: 'x' }), RangeError)
})

t.test('a store for reading only leaves the folder alone', async t => {
  await using folder = await Folder.make()
  await folder.write({
    'a.yaml': service('web'),
    'status/Service/default/gone.yaml': '# Written by controller. x\nmetadata:\n  resourceVersion: "5"\n',
  })
  const store = await folder.open({ readOnly: true, orphanDelay: 1 })
  await t.rejects(assign(store, 'default/web', '10.0.0.1'), TypeError)
  await t.rejects(store.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } }), TypeError)
  await t.rejects(store.delete({ kind: 'Secret', name: 's' }), TypeError)
  store.emitEvent({
    regarding: { kind: 'Service', name: 'web' },
    type: 'Normal',
    reason: 'x',
    message: 'y',
    component: 'z',
  })
  await delay(20)
  await store[Symbol.asyncDispose]()
  t.same((await readdir(folder.path, { recursive: true })).toSorted(), [
    'a.yaml',
    'status',
    'status/Service',
    'status/Service/default',
    'status/Service/default/gone.yaml',
  ])
})

t.test('only Typemetal makes its kinds, and only users theirs', async t => {
  await using folder = await Folder.make()
  const store = await folder.open()
  await t.rejects(store.create({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' } }), {
    message: 'objects of kind Service come from manifests',
  })
  await t.rejects(store.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } }), RangeError)
  const secret: Secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } }
  const made = await store.create(secret)
  t.equal(made.metadata.namespace, 'default')
  t.equal(
    (await stat(join(folder.path, 'status/Secret/default/s.yaml'))).mode & 0o777,
    0o600,
    'keys are for their owner',
  )
})

t.test('a status file that somebody spoiled is not believed, and is written anew', async t => {
  await using folder = await Folder.make()
  await folder.write({ 'a.yaml': service('web') })
  const store = await folder.open()
  await assign(store, 'default/web', '10.0.0.1')
  const file = 'status/Service/default/web.yaml'
  const good = await folder.read(file)
  for (const text of ['', 'x: [', 'just text', good.replace(/resourceVersion.*/, 'resourceVersion: no')]) {
    await folder.write({ [file]: text })
    await delay(20)
    t.equal(ipOf(store.snapshot().objects('Service').get('default/web')), '10.0.0.1', JSON.stringify(text))
  }
  const object = store.snapshot().objects('Service').get('default/web')
  assert.ok(object)
  const { resourceVersion: _, ...metadata } = object.metadata
  await store.updateStatus({ ...object, metadata, status: { loadBalancer: { ingress: [{ ip: '10.0.0.2' }] } } })
  t.match(await folder.read(file), /ip: 10\.0\.0\.2/)
})

t.test('a process that died while writing blocks nobody for long', async t => {
  await using folder = await Folder.make()
  await folder.write({ 'a.yaml': service('web') })
  const store = await folder.open()
  await assign(store, 'default/web', '10.0.0.1')
  const version = /resourceVersion: "(\d+)"/.exec(await folder.read('status/Service/default/web.yaml'))?.[1]
  const claim = join(folder.path, `status/Service/default/.web.yaml.after-${version}`)
  const left = (await folder.read('status/Service/default/web.yaml'))
    .replace(/"\d+"/, `"${Number(version) + 1}"`)
    .replace('10.0.0.1', '10.0.0.7')
  await writeFile(claim, left)
  const later = new Date(Date.now() + 3_600_000) // it was written just now, however long we take
  await utimes(claim, later, later)
  await t.rejects(assign(store, 'default/web', '10.0.0.2'), { code: 'ERR_STORE_CONFLICT' }, 'it may still be writing')
  await utimes(claim, new Date(0), new Date(0))
  await t.rejects(
    assign(store, 'default/web', '10.0.0.2'),
    { code: 'ERR_STORE_CONFLICT' },
    'its write is completed, so there is a newer version',
  )
  await eventually(store, s => ipOf(s.objects('Service').get('default/web')) === '10.0.0.7')
  await assign(store, 'default/web', '10.0.0.2')
  const next = /resourceVersion: "(\d+)"/.exec(await folder.read('status/Service/default/web.yaml'))?.[1]
  const empty = join(folder.path, `status/Service/default/.web.yaml.after-${next}`)
  await writeFile(empty, '')
  await utimes(empty, new Date(0), new Date(0))
  await t.rejects(assign(store, 'default/web', '10.0.0.3'), { code: 'ERR_STORE_CONFLICT' }, 'it had written nothing')
  await assign(store, 'default/web', '10.0.0.3')
  t.same(await readdir(join(folder.path, 'status/Service/default')), ['web.yaml'])
})

t.test('files that cannot be read are named', async t => {
  await using folder = await Folder.make()
  await symlink('/proc/self/mem', join(folder.path, 'a.yaml')) // refuses to be read even by root
  const store = await folder.open()
  t.match(faultsOf(store, folder), [/^File a.yaml: cannot be read: EIO/])
})

t.test('events: a line each, bounded, and what cannot be written is logged', async t => {
  await using folder = await Folder.make()
  const store = await folder.open({ component: 'speaker-n1' })
  const emit = (message: string): void =>
    store.emitEvent({
      regarding: { kind: 'Service', namespace: 'default', name: 'web' },
      type: 'Normal',
      reason: 'nodeAssigned',
      message,
      component: 'metallb-speaker',
      host: 'n1',
    })
  emit('first')
  await until(async () => (await readEvents(store.statusDirectory)).length === 1)
  t.match(JSON.parse(await folder.read('status/events/metallb-speaker-n1.jsonl')), {
    object: 'Service default/web',
    count: 1,
    host: 'n1',
    message: 'first',
  })
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 600; i++) emit(`${i} ${'x'.repeat(1000)}`)
    await until(
      async () => (await readEvents(store.statusDirectory)).filter(({ count }) => count > round).length >= 600,
    )
  }
  const { size } = await stat(join(folder.path, 'status/events/metallb-speaker-n1.jsonl.1'))
  t.ok(size > 1 << 20 && size < 3 << 20, 'set aside when large')
  t.equal((await readEvents(store.statusDirectory)).find(({ message }) => message.startsWith('7 '))?.count, 3)
  t.same(await readEvents(join(folder.path, 'none')), [])

  await folder.write({ 'blocked/events': 'a file where a folder should be' })
  const lines: string[] = []
  const note = (_: object, message: string): number => lines.push(message)
  const log = { debug: note, info: note, warn: note, error: note, child: () => log }
  const other = await folder.open({ statusDirectory: join(folder.path, 'blocked'), log })
  other.emitEvent({
    regarding: { kind: 'Node', name: 'n1' },
    type: 'Normal',
    reason: 'x',
    message: 'y',
    component: 'z',
  })
  await until(() => lines.length > 0)
  t.same(lines, ['cannot write events'])
})

t.test('the store ends with its signal', async t => {
  await using folder = await Folder.make()
  await folder.write({ 'a.yaml': service('web') })
  const abort = new AbortController()
  const store = await folder.open({ signal: abort.signal })
  store.on('change', () => t.fail('no news after the end'))
  abort.abort()
  await folder.write({ 'a.yaml': service('api') })
  await delay(30)
  t.same(servicesOf(store), ['default/web'])
})

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; !(await holds()); await delay(5)) {
    if (Date.now() > deadline) throw new assert.AssertionError({ message: `never came true: ${holds.toString()}` })
  }
}
