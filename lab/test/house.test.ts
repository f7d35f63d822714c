/** The rules of the house: who may import whom, which way the floors face, what every package brings. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const packages = readdirSync(join(root, 'packages')).filter(name =>
  existsSync(join(root, 'packages', name, 'package.json')),
)

/** Folder → the workspace packages it may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  options: [],
  sockets: ['@typemetal/options'],
  bgp: ['@typemetal/options', '@typemetal/sockets'],
  'arp-ndp': ['@typemetal/options', '@typemetal/sockets'],
  memberlist: ['@typemetal/options'],
  cluster: [],
  controller: ['@typemetal/cluster'],
  speaker: [
    '@typemetal/sockets',
    '@typemetal/bgp',
    '@typemetal/arp-ndp',
    '@typemetal/memberlist',
    '@typemetal/cluster',
  ],
  cli: ['@typemetal/cluster', '@typemetal/controller', '@typemetal/speaker'],
}
/** Floors from the ground up; a file imports only from its own floor and those below it. */
const FLOORS = [['wire'], ['fsm', 'rib', 'swim', 'responder', 'acd', 'resolver', 'bpf', 'simulator'], ['node']]

interface Source {
  readonly path: string
  readonly text: string
  readonly imports: readonly string[]
}

function sources(folder: string): Source[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => {
      const path = join(folder, name)
      const text = readFileSync(path, 'utf8')
      // An example in a doc comment imports its own package by name.
      const code = text.replaceAll(/\/\*[^]*?\*\//g, '')
      const imports = [...code.matchAll(/(?:from\s+|import\(\s*|^import\s+)'([^']+)'/gm)].map(match => match[1] ?? '')
      return { path, text, imports }
    })
}

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

for (const name of packages) {
  const folder = join(root, 'packages', name)
  const files = sources(join(folder, 'src'))
  const label = (source: Source): string => relative(root, source.path)

  t.test(`${name}: imports only the rooms below it`, async t => {
    const allowed = new Set(MAY_IMPORT[name])
    for (const source of files) {
      const strangers = source.imports
        .map(packageOf)
        .filter(specifier => specifier.startsWith('@typemetal/') && !allowed.has(specifier))
      t.same(strangers, [], label(source))
    }
  })

  t.test(`${name}: every floor stands on the ones below it`, async t => {
    const floorOf = (path: string): number =>
      FLOORS.findIndex(names => names.includes(relative(join(folder, 'src'), path).split('/')[0] ?? ''))
    for (const source of files) {
      const floor = floorOf(source.path)
      if (floor === -1) continue
      const above = source.imports
        .filter(specifier => specifier.startsWith('.'))
        .filter(specifier => floorOf(resolve(dirname(source.path), specifier)) > floor)
      t.same(above, [], label(source))
      if (floor < 2) {
        t.same(
          source.imports.filter(specifier => specifier.startsWith('node:')),
          [],
          `${label(source)} reads no clock, socket or file`,
        )
      }
    }
  })

  t.test(`${name}: one idea a file`, async t => {
    for (const source of files) t.ok(source.text.split('\n').length <= 500, `${label(source)} has at most 500 lines`)
  })

  t.test(`${name}: what npm shows of it`, async t => {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>
    t.match(manifest, {
      license: 'Apache-2.0',
      type: 'module',
      engines: { node: '>=20.19' },
      repository: { directory: `packages/${name}` },
      exports: { './package.json': './package.json' },
    })
    for (const file of ['README.md', 'CHANGELOG.md', 'LICENSE']) t.ok(existsSync(join(folder, file)), file)
  })
}
