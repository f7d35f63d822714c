/** The API reference: nothing in it is missing, nameless or silent, and the examples of doc comments are true. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '@typemetal/lab'
import t from 'tap'

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
/** Without the test runner's loader, which the compiler cannot be started with. */
const NODE = ['env', '-u', 'NODE_OPTIONS', process.execPath]

t.setTimeout(1_200_000)

t.test('every exported name is documented and can be imported, every link leads somewhere', async t => {
  const command = [...NODE, join(root, 'docs', 'api', 'main.mjs'), '--check']
  const { code, stderr } = await run(command, { check: false, timeout: 600_000 })
  t.strictSame([code, stderr.split('\n').filter(line => line !== '')], [0, []])
})

t.test('pages that load something from elsewhere, or tell where they were made, are found', async t => {
  const { checkAssets } = (await import(join(root, 'docs', 'api', 'reference', 'assets.mjs'))) as {
    checkAssets: (folder: string, root: string) => readonly string[]
  }
  const folder = t.testdir({
    'good.html': '<a href="https://a.example/">a</a><script src="../b.js"></script><p>x/home/you/tree/y</p>',
    'script.html': '<script async src="https://a.example/b.js"></script>',
    'style.css': '@import url(//fonts.example/c.css);',
    'path.html': '<a href="file:///home/you/tree/d.ts">d</a>',
  })
  t.same(checkAssets(folder, '/home/you/tree').toSorted(), [
    'path.html has a path of this machine',
    'script.html loads https://a.example/b.js',
    'style.css loads //fonts.example/c.css',
  ])
})

/** A fenced block of a doc comment. */
interface Example {
  /** `packages/bgp/src/index.ts:4` */
  readonly place: string
  readonly code: string
  /** What its lines say that they print, in order. */
  readonly prints: readonly string[]
}

/** Examples of one file of sources. */
function examplesOf(path: string): readonly Example[] {
  const text = readFileSync(path, 'utf8')
  return [...text.matchAll(/^[ ]*\/\*\*$[^]*?\*\//gm)].flatMap(comment =>
    [...comment[0].matchAll(/^[ ]*\* ```(?:ts|js)$\n([^]*?)^[ ]*\* ```$/gm)].map(block => {
      const before = text.slice(0, comment.index + block.index)
      const code = (block[1] ?? '').replaceAll(/^[ ]*\* ?/gm, '')
      const prints = [...code.matchAll(/^console\.log\(.*\) \/\/ (.+)$/gm)].map(match => match[1] ?? '')
      return { place: `${relative(root, path)}:${before.split('\n').length}`, code, prints }
    }),
  )
}

const sources = readdirSync(join(root, 'packages'))
  .map(name => join(root, 'packages', name, 'src'))
  .filter(folder => existsSync(folder))
  .flatMap(folder => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => join(folder, name)))
  .filter(path => path.endsWith('.ts'))
const examples = sources.flatMap(examplesOf)

/** Where names like `@typemetal/bgp` lead to the packages. */
const workshop = mkdtempSync(join(root, 'lab', 'dist-test', 'docs-api-'))
t.teardown(() => rmSync(workshop, { recursive: true, force: true }))

const words = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

/** `…` stands for anything. */
const pattern = (text: string): RegExp =>
  new RegExp(
    `^${words(text)
      .replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
      .replaceAll('…', '.*')}$`,
  )

t.test('examples of doc comments compile', async t => {
  t.ok(examples.length > 30, `${examples.length} examples`)
  mkdirSync(join(workshop, 'in'))
  writeFileSync(join(workshop, 'package.json'), '{ "type": "module" }')
  for (const [index, { code }] of examples.entries()) writeFileSync(join(workshop, 'in', `${index}.ts`), code)
  const config = {
    extends: join(root, 'tsconfig.base.json'),
    compilerOptions: {
      composite: false,
      declaration: false,
      declarationMap: false,
      sourceMap: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
      skipLibCheck: true,
      rootDir: 'in',
      outDir: 'out',
    },
    include: ['in'],
  }
  writeFileSync(join(workshop, 'tsconfig.json'), JSON.stringify(config))
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { code, stdout } = await run([...NODE, compiler, '-p', workshop], { check: false, timeout: 600_000 })
  const said = stdout.replaceAll(/^.*?in\/(\d+)\.ts/gm, (_, index) => examples[Number(index)]?.place ?? '')
  t.equal(code, 0, said)
})

/** Runs all in one process, one after the other, and says what each has printed. */
const RUNNER = `import { format } from 'node:util'
const printed = {}
console.log = (...args) => printed[current].push(format(...args))
let current
for (current of process.argv.slice(2)) {
  printed[current] = []
  await import('./out/' + current + '.js').catch(error => printed[current].push(String(error)))
}
process.stdout.write(JSON.stringify(printed))
`

t.test('examples print what they say', async t => {
  const printing = [...examples.entries()].filter(([, { prints }]) => prints.length > 0)
  t.ok(printing.length > 10, `${printing.length} examples`)
  writeFileSync(join(workshop, 'run.js'), RUNNER)
  const command = [...NODE, join(workshop, 'run.js'), ...printing.map(([index]) => String(index))]
  const printed = JSON.parse((await run(command, { timeout: 600_000 })).stdout) as Record<number, readonly string[]>
  for (const [index, { place, prints }] of printing) {
    t.match(words(printed[index]?.join(' ') ?? ''), pattern(prints.join(' ')), place)
  }
})
