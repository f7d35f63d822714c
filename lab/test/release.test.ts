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

interface Workflow {
  readonly permissions: object
  readonly jobs: Readonly<
    Record<string, { readonly permissions?: object; readonly steps: readonly { run?: string }[] }>
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

t.test('a release without its consequences', { skip, timeout: 180_000 }, async t => {
  const { stdout } = await run(TRY_RELEASE, { timeout: 170_000 })
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
