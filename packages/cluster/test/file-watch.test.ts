/** A folder that cannot always be read, and changes that the system does not tell: nothing is lost, and nothing waits for the poll. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { DirectoryStore, type DirectoryStoreOptions } from '@typemetal/cluster'
import { failing, FileFaults, systemError, VirtualTime } from './file-faults.js'
import { eventually } from './store-contract.js'

t.setTimeout(1_200_000)
/** Milliseconds: far longer than any test lets pass. */
const NO_POLL = 86_400_000
/** Virtual milliseconds, with room for a machine that is slow to tell of changes; nothing here waits for a poll. */
const SOON = 1_200_000

const service = (name: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {type: LoadBalancer, ports: [{port: 80}]}\n`

/** A folder, a store of it, a file system that can fail, and virtual time. */
class Bench implements AsyncDisposable {
  readonly path: string
  readonly faults = new FileFaults()
  readonly time = new VirtualTime()
  readonly outages: (string | undefined)[] = []
  store!: DirectoryStore

  private constructor(path: string) {
    this.path = path
  }

  static async open(
    files: Readonly<Record<string, string>> = {},
    options: Partial<DirectoryStoreOptions> = {},
  ): Promise<Bench> {
    const bench = new Bench(await mkdtemp(join(tmpdir(), 'typemetal-watch-')))
    await bench.write({ 'conf/first.yaml': service('first'), ...files })
    bench.store = new DirectoryStore({
      directory: bench.at('conf'),
      statusDirectory: bench.at('state'),
      component: 'test',
      debounce: 2,
      pollInterval: NO_POLL,
      ...options,
    })
    bench.store.on('outage', reason => bench.outages.push(reason?.replaceAll(bench.path, '')))
    await bench.store.start()
    return bench
  }

  at(name: string): string {
    return join(this.path, name)
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(this.at(name), '..'), { recursive: true })
      await writeFile(this.at(name), text)
    }
  }

  get names(): readonly string[] {
    return [...this.store.snapshot().objects('Service').keys()].map(key => key.replace('default/', '')).toSorted()
  }

  sees(...names: readonly string[]): Promise<void> {
    const wanted = names.toSorted().join()
    return this.time.until(
      () => `${wanted} instead of ${this.names.join()}`,
      () => this.names.join() === wanted,
      SOON,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.faults.heal()
    await this.store[Symbol.asyncDispose]()
    this.faults[Symbol.dispose]()
    this.time[Symbol.dispose]()
    await rm(this.path, { recursive: true, force: true })
  }
}

t.test('a directory that cannot be listed is tried again, patiently, until it can be', async t => {
  for (const code of ['EMFILE', 'ENFILE', 'EIO']) {
    await using bench = await Bench.open()
    const { faults, time } = bench
    faults.decide = failing(['readdir'], code, bench.at('conf/sub'))
    await bench.write({ 'conf/sub/a.yaml': service('a'), 'conf/sub/in/b.yaml': service('b') })
    await time.until('the outage', () => bench.outages.length === 1, SOON)
    const { readdir } = faults.count
    await time.pass(60_000)
    const tries = faults.count.readdir - readdir
    t.ok(tries >= 3 && tries <= 25, `${tries} tries in a minute`)
    t.same(bench.names, ['first'], 'what is known stays')
    faults.heal()
    await bench.sees('a', 'b', 'first')
    t.same(bench.outages, [`${code}: injected, readdir '/conf/sub'`, undefined], 'told once, and when it is over')
    await bench.write({ 'conf/sub/c.yaml': service('c') })
    await bench.sees('a', 'b', 'c', 'first')
  }
})

t.test('soon after the first failure it is tried again, not at once', async t => {
  await using bench = await Bench.open()
  const { faults, time } = bench
  let failed = 0
  faults.decide = (call, path) => {
    if (call !== 'readdir' || !path.endsWith('sub') || failed > 0) return undefined
    failed = time.passed
    return systemError('EMFILE', call, path)
  }
  await bench.write({ 'conf/sub/a.yaml': service('a') })
  await time.until('a failure', () => failed > 0, SOON)
  const { readdir } = faults.count
  await time.until('another try', () => faults.count.readdir > readdir, SOON)
  // A look that took long, on a machine that is busy, is not repeated as soon.
  t.ok(time.passed - failed >= 1000 && time.passed - failed <= 20_000, `${time.passed - failed} ms`)
})

t.test('one directory that fails keeps nobody from hearing of the others, and its files stay', async t => {
  await using bench = await Bench.open({ 'conf/sub/a.yaml': service('a') })
  bench.faults.decide = failing(['readdir', 'stat'], 'EIO', bench.at('conf/sub'))
  await rm(bench.at('conf/sub/a.yaml'))
  await bench.write({ 'conf/sub/b.yaml': service('b'), 'conf/other/c.yaml': service('c') })
  await bench.sees('a', 'c', 'first')
  await bench.write({ 'conf/d.yaml': service('d') })
  await bench.sees('a', 'c', 'd', 'first')
  bench.faults.heal()
  await bench.sees('b', 'c', 'd', 'first')
  await bench.time.until('the end of it', () => bench.outages.length === 2, SOON)
  t.match(bench.outages, [/^EIO/, undefined])
})

t.test('what was seen is told again when taking it failed, all of it', async t => {
  await using bench = await Bench.open({ 'conf/gone.yaml': service('gone') })
  const { faults, time, store } = bench
  const names = Array.from({ length: 80 }, (_, i) => `s${String(i).padStart(2, '0')}`)
  let [failures, isWell] = [0, false]
  // No text, which only an error in the program could make of a file.
  faults.text = path => {
    if (!path.endsWith('/s07.yaml') || isWell) return undefined
    failures++
    return { toString: () => 'no text' }
  }
  const changes: string[] = []
  store.on('change', all => changes.push(...all.map(({ key, type }) => `${type} ${key}`)))
  await rm(bench.at('conf/gone.yaml'))
  await bench.write(Object.fromEntries(names.map(name => [`conf/${name}.yaml`, service(name)])))
  await time.until('a failure', () => failures > 0, SOON)
  await time.pass(30_000)
  t.ok(failures <= 30, `${failures} tries in half a minute`)
  t.equal(bench.outages.length, 1)
  t.ok(changes.includes('deleted default/gone'), 'what was taken before it failed is known')
  isWell = true
  await bench.sees('first', ...names)
  t.equal(bench.outages.at(-1), undefined)
  t.same(changes.toSorted(), [...new Set(changes)].toSorted(), 'and told once')
})

t.test('a status that cannot be read is read when it can be', async t => {
  await using bench = await Bench.open({}, { component: 'speaker-n1' })
  await using writer = new DirectoryStore({
    directory: bench.at('conf'),
    statusDirectory: bench.at('state'),
    component: 'controller',
  })
  await writer.start()
  const ip = (): string | undefined =>
    bench.store.snapshot().objects('Service').get('default/first')?.status?.loadBalancer?.ingress?.[0]?.ip
  const object = writer.snapshot().objects('Service').get('default/first')
  if (!object) throw new Error('there is a Service')
  await writer.updateStatus({ ...object, status: { loadBalancer: { ingress: [{ ip: '10.0.0.1' }] } } })
  // No time has passed yet, so neither of the two stores has looked.
  const { readFile } = bench.faults.count
  bench.faults.decide = failing(['readFile'], 'EMFILE', bench.at('state'))
  await bench.time.until('failures', () => bench.faults.count.readFile >= readFile + 4, SOON)
  t.equal(ip(), undefined)
  bench.faults.heal()
  await bench.time.until('the address', () => ip() === '10.0.0.1', SOON)
  t.pass('read')
})

t.test('a directory that takes the place of another one is watched, and so is all below it', async t => {
  await using bench = await Bench.open({
    'conf/site/sub/a.yaml': service('a'),
    'conf/.next/sub/b.yaml': service('b'),
  })
  await bench.sees('a', 'first')
  await rename(bench.at('conf/site'), bench.at('conf/.old'))
  await rename(bench.at('conf/.next'), bench.at('conf/site'))
  await bench.sees('b', 'first')
  await bench.write({ 'conf/site/sub/c.yaml': service('c') })
  await bench.sees('b', 'c', 'first')
  await bench.write({ 'conf/.old/sub/d.yaml': service('d') })
  await bench.time.pass(5_000)
  t.same(bench.names, ['b', 'c', 'first'], 'what was moved away is not')
})

t.test('links to directories that lead elsewhere', async t => {
  await using bench = await Bench.open({ 'one/a.yaml': service('a'), 'two/b.yaml': service('b') })
  const point = async (link: string, to: string): Promise<void> => {
    await symlink(to, bench.at('link'))
    await rename(bench.at('link'), bench.at(link))
  }
  await point('conf/link', '../one')
  await bench.sees('a', 'first')
  await point('conf/link', '../two')
  await bench.sees('b', 'first')
  await bench.write({ 'two/c.yaml': service('c') })
  await bench.sees('b', 'c', 'first')
  t.pass('seen')
})

t.test('a link on the way to the folder that leads elsewhere', async t => {
  await using bench = await Bench.open({ 'one/conf/a.yaml': service('a'), 'two/conf/b.yaml': service('b') })
  await symlink('one', bench.at('current'))
  await using store = new DirectoryStore({
    directory: bench.at('current/conf'),
    component: 'other',
    readOnly: true,
    debounce: 2,
    pollInterval: NO_POLL,
  })
  await store.start()
  const has = (name: string): boolean => store.snapshot().objects('Service').has(`default/${name}`)
  t.ok(has('a'))
  await symlink('two', bench.at('link'))
  await rename(bench.at('link'), bench.at('current'))
  await bench.time.until('the other folder', () => has('b') && !has('a'), SOON)
  await bench.write({ 'two/conf/c.yaml': service('c') })
  await bench.time.until('what changes there', () => has('c'), SOON)
})

t.test('a folder that is there again is found within a second, whatever was gone', async t => {
  await using bench = await Bench.open()
  const { time } = bench
  await rename(bench.at('conf'), bench.at('away'))
  await time.until('the outage', () => bench.outages.length === 1, SOON)
  await time.pass(30_000)
  await bench.write({ 'next/b.yaml': service('b') })
  await rename(bench.at('next'), bench.at('conf'))
  await bench.sees('b')
  t.same(bench.outages, ['directory /conf does not exist', undefined])
})

t.test('where the system cannot watch, everything is looked at each second; when it can, it is watched', async t => {
  for (const code of ['EMFILE', 'ENOSPC']) {
    await using bench = await Bench.open()
    const { faults, time } = bench
    faults.decide = failing(['watch'], code)
    await bench.write({ 'conf/sub/a.yaml': service('a') })
    await bench.sees('a', 'first')
    const before = time.passed
    await bench.write({ 'conf/sub/b.yaml': service('b') })
    await bench.sees('a', 'b', 'first')
    t.ok(time.passed - before < SOON, 'without a watch')
    faults.heal()
    const { watch } = faults.count
    await time.until('a watch', () => faults.count.watch > watch, SOON)
    await time.pass(30_000)
    const { readdir } = faults.count
    await time.pass(30_000)
    t.equal(faults.count.readdir, readdir, 'and then nothing is looked at in vain')
    await bench.write({ 'conf/sub/c.yaml': service('c') })
    await bench.sees('a', 'b', 'c', 'first')
  }
})

t.test('a watch that breaks is set again', async t => {
  await using bench = await Bench.open({ 'conf/sub/a.yaml': service('a') })
  const { faults, time } = bench
  const broken = faults.watchers.get(bench.at('conf/sub'))
  broken?.emit('error', systemError('EMFILE', 'watch', bench.at('conf/sub')))
  await bench.write({ 'conf/sub/b.yaml': service('b') })
  await bench.sees('a', 'b', 'first')
  t.not(faults.watchers.get(bench.at('conf/sub')), broken)
  await time.pass(30_000)
  const { readdir } = faults.count
  await time.pass(30_000)
  t.equal(faults.count.readdir, readdir)
})

t.test('while files are read one more pass waits, however much happens', async t => {
  await using bench = await Bench.open()
  const { faults, time } = bench
  let release = (): void => {}
  let held = 0
  const gate = new Promise<undefined>(resolve => (release = () => resolve(undefined)))
  faults.decide = (call, path) => {
    if (call !== 'readFile' || !path.endsWith('slow.yaml')) return undefined
    held++
    return gate
  }
  await bench.write({ 'conf/slow.yaml': service('slow') })
  await time.until('a pass', () => held === 1, SOON)
  const names = Array.from({ length: 60 }, (_, i) => `n${i}`)
  const timers = await countTimers(async () => {
    for (const name of names) {
      await bench.write({ [`conf/${name}.yaml`]: service(name) })
      await time.pass(100)
    }
  })
  // Some for the first of them, until the pass waits; and each second the check of the roots.
  t.ok(timers < 25, `${timers} timers for ${names.length} files`)
  release()
  await bench.sees('first', 'slow', ...names)
})

t.test('more happens at once than the system remembers: what it dropped is found', async t => {
  const queue = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'))
  const path = await mkdtemp(join(tmpdir(), 'typemetal-watch-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  await mkdir(join(path, 'sub'))
  await using store = new DirectoryStore({ directory: path, component: 'test', readOnly: true, pollInterval: NO_POLL })
  await store.start()
  // Events of two files by turns are not taken together; hidden files are none of ours.
  const flood = `const fs = require('node:fs')
    const [a, b] = ['.a', '.b'].map(name => fs.openSync(name, 'w'))
    for (let i = 0; i < ${Math.min(queue, 100_000)}; i++) for (const fd of [a, b]) fs.writeSync(fd, 'x')
    fs.writeFileSync('sub/late.yaml', process.argv[1])`
  // Nothing else happens in this process until it is done, as in one that is busy.
  const { status } = spawnSync(process.execPath, ['-e', flood, service('late')], { cwd: path, timeout: 120_000 })
  t.equal(status, 0)
  await eventually(store, snapshot => snapshot.objects('Service').has('default/late'))
})

/** Timers that are set while something is done. */
async function countTimers(work: () => Promise<void>): Promise<number> {
  const { setTimeout: counted } = globalThis
  let timers = 0
  const counting = (...args: Parameters<typeof counted>): NodeJS.Timeout => {
    timers++
    return counted(...args)
  }
  globalThis.setTimeout = Object.assign(counting, counted)
  try {
    await work()
  } finally {
    globalThis.setTimeout = counted
  }
  return timers
}
