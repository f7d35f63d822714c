/** Whatever is done to a folder while the file system fails now and then: when it no longer does, the store says what is there. */
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import t from 'tap'
import { DirectoryStore } from '@typemetal/cluster'
import { type Call, FileFaults, systemError, VirtualTime } from './file-faults.js'

t.setTimeout(1_200_000)
/** Far beyond the virtual time that a test takes. */
const NO_POLL = 86_400_000
const SOON = 1_200_000

/** Places of files and of directories; what is done there may fail, as with people. */
const directories = ['a', 'b', 'a/c', 'a/c/d', '.x']
const place = fc.constantFrom(...directories)
const file = fc
  .tuple(fc.constantFrom('', ...directories), fc.constantFrom('1.yaml', '2.yaml'))
  .map(names => join(...names))
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), file }) },
  fc.record({ do: fc.constant('replace' as const), file }),
  fc.record({ do: fc.constant('remove' as const), file }),
  fc.record({ do: fc.constant('move' as const), from: place, to: place }),
  fc.record({ do: fc.constant('removeAll' as const), from: place }),
  fc.record({ do: fc.constant('link' as const), from: fc.constant('a/l'), to: fc.constantFrom('one', 'two') }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(100, 1_000, 4_000) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const manifest = (name: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {type: LoadBalancer, ports: [{port: 80}]}\n`

t.test('after any changes and faults the store says what a new one says', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 30 }),
      fc.infiniteStream(fc.nat(99)),
      async (steps, dice) => {
        using faults = new FileFaults()
        using time = new VirtualTime()
        const path = await mkdtemp(join(tmpdir(), 'typemetal-random-'))
        const conf = join(path, 'conf')
        for (const name of ['conf', 'one', 'two']) await mkdir(join(path, name))
        for (const name of ['one', 'two']) await writeFile(join(path, name, 'x.yaml'), manifest(`linked-${name}`))
        const options = { directory: conf, statusDirectory: join(path, 'state'), component: 'test', readOnly: true }
        const store = new DirectoryStore({ ...options, debounce: 2, pollInterval: NO_POLL })
        await store.start()
        faults.decide = (call: Call, at) =>
          (dice.next().value ?? 0) < 15 ? systemError('EMFILE', call, at) : undefined
        for (const [index, each] of steps.entries()) await perform(each, conf, index, time)
        faults.heal()
        const fresh = new DirectoryStore(options)
        await fresh.start()
        const [wanted, had] = [said(fresh), (): string => said(store)]
        await fresh[Symbol.asyncDispose]()
        await time.until(
          () => `${wanted} instead of ${had()}`,
          () => had() === wanted,
          SOON,
        )
        await store[Symbol.asyncDispose]()
        await rm(path, { recursive: true, force: true })
      },
    ),
    { numRuns: 40, endOnFailure: true },
  )
  t.pass('always')
})

const said = (store: DirectoryStore): string =>
  [...store.snapshot().objects('Service').keys(), ...store.snapshot().faults.map(({ reason }) => reason)]
    .toSorted()
    .join()

async function perform(step: Step, conf: string, index: number, time: VirtualTime): Promise<void> {
  const at = (name: string): string => join(conf, name)
  const write = async (name: string): Promise<void> => {
    await mkdir(join(at(name), '..'), { recursive: true })
    await writeFile(at(name), manifest(`s${index}`))
  }
  try {
    if (step.do === 'pass') await time.pass(step.ms)
    else if (step.do === 'write') await write(step.file)
    else if (step.do === 'replace') {
      await write('.new')
      await rename(at('.new'), at(step.file))
    } else if (step.do === 'remove') await rm(at(step.file))
    else if (step.do === 'move') await rename(at(step.from), at(step.to))
    else if (step.do === 'removeAll') await rm(at(step.from), { recursive: true })
    else {
      await symlink(join(conf, '..', step.to), at('.link'))
      await rename(at('.link'), at(step.from))
    }
  } catch (error) {
    // Nothing is there, or something that is not empty.
    if (!/^E(?:NOENT|EXIST|NOTEMPTY|NOTDIR|ISDIR|INVAL)$/.test((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
