/** A release: changelogs, the workflows, and the whole of it in a clone that is thrown away. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '@typemetal/lab'
import t from 'tap'
import { parse } from 'yaml'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** npm scripts of a package, or of the root. */
function scriptsOf(workspace: string | undefined): Readonly<Record<string, string>> {
  const folder = workspace === undefined ? root : join(root, 'packages', workspace.replace('@typemetal/', ''))
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { scripts: Record<string, string> }).scripts
}

const { released } = (await import(join(root, 'scripts', 'changelogs.mjs'))) as {
  released: (text: string, version: string, date: string) => string
}

t.test("what is unreleased becomes the new version's section", async t => {
  const before = '# Changelog\n\n## Unreleased\n\n### Added\n\n- A thing.\n\n## 0.1.0 - 2026-01-01\n\n- The first.\n'
  const after = released(before, '0.2.0', '2026-11-23')
  t.equal(
    after,
    '# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2026-11-23\n\n### Added\n\n- A thing.\n\n## 0.1.0 - 2026-01-01\n\n- The first.\n',
  )
  t.equal(
    released('# C\n\n## Unreleased\n\n- A.\n', '1.0.0', '2026-11-23'),
    '# C\n\n## Unreleased\n\n## 1.0.0 - 2026-11-23\n\n- A.\n',
    'the first one',
  )
  t.match(released(after, '0.2.1', '2026-11-24'), /## Unreleased\n\n## 0\.2\.1 - 2026-11-24\n\n### Changed\n\n- Newer/)
  t.throws(() => released('# Changelog\n', '1.0.0', '2026-11-23'), { message: /no section "Unreleased"/ })
})

const { VERSIONED, reversioned } = (await import(join(root, 'scripts', 'chart-version.mjs'))) as {
  VERSIONED: readonly string[]
  reversioned: (text: string, before: string, after: string) => string
}

t.test('chart, manifests and images go on with the speaker, and are pushed as they are asked for', async t => {
  const { version } = JSON.parse(readFileSync(join(root, 'packages', 'speaker', 'package.json'), 'utf8')) as {
    readonly version: string
  }
  for (const file of VERSIONED) {
    const after = reversioned(readFileSync(join(root, file), 'utf8'), version, '9.8.7')
    t.match(after, '9.8.7', file)
    t.notMatch(after, new RegExp(`(?:ersion: |VERSION=|typemetal/\\w+:)${version}`), `${file}: nothing is left behind`)
  }
  const chart = join('deploy', 'chart', 'Chart.yaml')
  t.match(
    reversioned(readFileSync(join(root, chart), 'utf8'), version, '9.8.7'),
    /^version: 9\.8\.7\nappVersion: 9\.8\.7$/m,
  )
  t.throws(() => reversioned('version: 1.0.0', '2.0.0', '3.0.0'), { message: /does not name version 2\.0\.0/ })

  const { jobs } = parse(readFileSync(join(root, '.github', 'workflows', 'release.yml'), 'utf8')) as Workflow
  const push = jobs['images']?.steps.map(({ run = '' }) => run).find(run => run.includes('skopeo copy')) ?? ''
  const [line = ''] = /^version=.*$/m.exec(push) ?? []
  const pushed = await run(['sh', '-c', `cd '${root}' && ${line}\necho "$version"`])
  t.equal(pushed.stdout.trim(), version, 'the tag of the images is the appVersion of the chart')
  const [, images = ''] = /^for image in (.*); do$/m.exec(push) ?? []
  const attested = jobs['images']?.steps.flatMap(step => step.with?.['subject-digest'] ?? [])
  const digests = images.split(' ').map(image => `\${{ steps.push.outputs.${image} }}`)
  t.strictSame(attested?.toSorted(), digests.toSorted(), 'it is said of each image how it was built')
})

interface Workflow {
  readonly permissions: object
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly permissions?: object
        readonly steps: readonly { readonly run?: string; readonly with?: Readonly<Record<string, string>> }[]
      }
    >
  >
}

t.test('workflows run what there is, and ask for no more rights than they use', async t => {
  const folder = join(root, '.github', 'workflows')
  const workflows = readdirSync(folder).map(name => ({
    name,
    text: readFileSync(join(folder, name), 'utf8'),
  }))
  t.strictSame(workflows.map(({ name }) => name).toSorted(), ['ci.yml', 'release.yml'])
  for (const { name, text } of workflows) {
    const { permissions, jobs } = parse(text) as Workflow
    t.notMatch(JSON.stringify(permissions), /write/, `${name}: nothing may be written unless a job says so`)
    const commands = Object.values(jobs).flatMap(({ steps }) => steps.map(step => step.run ?? ''))
    for (const [, script = '', workspace] of commands.join('\n').matchAll(/npm run ([\w:]+)(?: -w (\S+))?/g)) {
      t.ok(scriptsOf(workspace)[script], `${name}: npm run ${script} of ${workspace ?? 'the root'}`)
    }
  }
  const { jobs } = parse(workflows.find(({ name }) => name === 'release.yml')?.text ?? '') as Workflow
  t.match(jobs['packages']?.permissions, { 'id-token': 'write' }, 'provenance needs it')
})

/** Without the test runner's loader, which the compiler cannot be started with. */
const TRY_RELEASE = ['env', '-u', 'NODE_OPTIONS', process.execPath, join(root, 'scripts', 'release.mjs')]
/** git refuses a checkout that belongs to somebody else. */
const { code } = await run(['git', '-C', root, 'rev-parse', 'HEAD'], { check: false })
const skip = code !== 0 && 'wants a git checkout of our own'

t.test('a release without its consequences', { skip, timeout: 600_000 }, async t => {
  const { stdout } = await run(TRY_RELEASE, { timeout: 580_000 })
  for (const name of readdirSync(join(root, 'packages')).map(folder =>
    folder === 'cli' ? '' : `@typemetal/${folder}`,
  )) {
    t.match(
      stdout,
      new RegExp(
        `^${name || 'typemetal'}: \\d+\\.\\d+\\.\\d+ -> \\d+\\.\\d+\\.\\d+; .*\\.tgz, \\d+ kB, \\d+ files$`,
        'm',
      ),
    )
  }
})
