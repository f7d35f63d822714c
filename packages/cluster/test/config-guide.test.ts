/**
 * Manifests of a guide to MetalLB, as its readers copy them, slips included (`guide/*.yaml`). What becomes of each stands beside it
 * (`guide/*.outcome`): what is taken, what is passed over because Typemetal has nothing to do with it, and what is said.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import {
  buildConfig,
  type BuildResult,
  configResources,
  DirectoryStore,
  formatConfigError,
  type Manifest,
  manifestResources,
  parseManifest,
} from '@typemetal/cluster'

const folder = fileURLToPath(new URL('../test/guide/', import.meta.url))
const namespace = 'metallb-system'
const read = (name: string): string => readFileSync(`${folder}${name}`, 'utf8')
const manifest = (file: string): Manifest => parseManifest(read(file), { file, namespace })
const manifests = readdirSync(folder).filter(name => name.endsWith('.yaml'))

/** The first line of an outcome may name other files that are there as well. */
const companions = (outcome: string): readonly string[] => /^with (.*)\n/.exec(outcome)?.[1]?.split(' ') ?? []

/** Objects of kinds that nobody here uses. */
function passedOver(file: string): readonly string[] {
  const taken = new Set(manifest(file).objects.map(({ kind }): string => kind))
  return parseAllDocuments(read(file))
    .filter(document => document.errors.length === 0)
    .map(document => document.toJS() as { readonly kind?: string; readonly metadata?: { readonly name: string } })
    .flatMap(({ kind, metadata }) => (kind && !taken.has(kind) ? [`passes over ${kind} ${metadata?.name}`] : []))
}

const configured = ({ config }: BuildResult): string =>
  config ? `a configuration of ${config.pools.size} pools and ${config.peers.size} peers` : 'no configuration'

function outcomeOf(file: string, others: readonly string[]): string {
  const files = Object.fromEntries([file, ...others].map(name => [name, manifest(name)]))
  const result = buildConfig(manifestResources(files), { component: 'validate', namespace })
  const lines = [
    ...(others.length > 0 ? [`with ${others.join(' ')}`] : []),
    ...(files[file]?.objects ?? []).map(({ kind, key }) => `takes ${kind} ${key}`),
    ...passedOver(file),
    ...(result.errors ?? []).map(error => `says ${formatConfigError(error)}`),
    configured(result),
  ]
  return `${lines.join('\n')}\n`
}

for (const file of manifests) {
  t.test(`the guide: ${file}`, async t => {
    const expected = read(file.replace('.yaml', '.outcome'))
    t.equal(outcomeOf(file, companions(expected)), expected)
  })
}

t.test('the guide: every outcome has its manifest', async t => {
  const outcomes = readdirSync(folder).filter(name => name.endsWith('.outcome'))
  t.same(
    outcomes.map(name => name.replace('.outcome', '')),
    manifests.map(name => name.replace('.yaml', '')),
  )
})

t.test('the guide: all of it in one folder', async t => {
  await using store = new DirectoryStore({ directory: folder, component: 'typemetal', namespace, readOnly: true })
  await store.start()
  const snapshot = store.snapshot()
  t.same([...snapshot.objects('Service').keys()].toSorted(), [
    'default/api-gateway-lb',
    'default/internal-app',
    'default/postgresql-primary-lb',
    'default/postgresql-readonly-lb',
    'default/web-frontend-lb',
  ])
  t.match(snapshot.objects('IPAddressPool').get('metallb-system/zone-a-pool'), {
    spec: { autoAssign: true, avoidBuggyIPs: false, serviceAllocation: { priority: 100 } },
  })
  const { errors = [] } = buildConfig(configResources(snapshot), { component: 'validate', namespace })
  // Its chapters use the same addresses again, so that together they are no configuration.
  t.same(
    errors.map(formatConfigError).filter(error => error.includes('overlaps')).length,
    3,
    'pools of one chapter overlap with those of another',
  )
  t.same(
    snapshot.faults
      .map(({ file = '', line, affectsConfig }) => `${basename(file)}:${line} ${affectsConfig}`)
      .toSorted(),
    ['configuration.yaml:25 true', 'helm-values.yaml:2 false'],
    'values of a Helm chart hide no configuration',
  )
})
