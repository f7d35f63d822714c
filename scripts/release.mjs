// `npm run release:try`: a release without its consequences. In a clone that is thrown away: new versions from the commits, changelogs, one commit
// and a tag for each package; then what `npm publish` would send of each, without sending it. Then one more, of a change to the controller alone.
import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fail, prepare, root } from './prepare.mjs'

/** Whoever tries it need not be known to git. */
const AUTHOR = { name: 'Typemetal', email: 'release@typemetal.invalid' }
const env = {
  ...process.env,
  GIT_AUTHOR_NAME: AUTHOR.name,
  GIT_AUTHOR_EMAIL: AUTHOR.email,
  GIT_COMMITTER_NAME: AUTHOR.name,
  GIT_COMMITTER_EMAIL: AUTHOR.email,
}
const folders = readdirSync(join(root, 'packages'))
const manifest = (top, name) => JSON.parse(readFileSync(join(top, 'packages', name, 'package.json'), 'utf8'))

/** Runs a command in the clone; shows what it printed when it fails. */
function run(cwd, command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8' })
  if (error) fail(`cannot run ${command}: ${error.message}`)
  if (status !== 0) {
    process.stderr.write(stdout + stderr)
    fail(`${command} ${args.join(' ')} ended with code ${status}`)
  }
  return stdout
}

/** What the registry would be given. */
function tarball(name) {
  const [{ filename, size, entryCount }] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: join(root, 'packages', name),
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  )
  return `${filename}, ${Math.ceil(size / 1000)} kB, ${entryCount} files`
}

/** New versions, with what npm runs along. */
function newVersions(clone) {
  run(clone, join(root, 'node_modules', '.bin', 'lerna'), ['version', '--yes', '--no-push'])
}

/** That the chart has the speaker's version, for its images have. @returns that version */
function assertChart(clone) {
  const { version } = manifest(clone, 'speaker')
  const chart = readFileSync(join(clone, 'deploy', 'chart', 'Chart.yaml'), 'utf8')
  for (const field of ['version', 'appVersion'])
    if (!chart.includes(`\n${field}: ${version}\n`)) fail(`deploy/chart: its ${field} is not the speaker's ${version}`)
  return version
}

prepare()
const clone = mkdtempSync(join(tmpdir(), 'typemetal-release-'))
try {
  run(root, 'git', ['clone', '--quiet', root, clone])
  run(clone, 'git', ['checkout', '--quiet', '-B', 'main'])
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
  newVersions(clone)
  const tags = run(clone, 'git', ['tag', '--points-at', 'HEAD']).split('\n')
  for (const name of folders) {
    const [before, after] = [manifest(root, name), manifest(clone, name)]
    const changelog = readFileSync(join(clone, 'packages', name, 'CHANGELOG.md'), 'utf8')
    if (before.version !== after.version && !changelog.includes(`## ${after.version} - `))
      fail(`${after.name}: its changelog has no section of ${after.version}`)
    if (before.version !== after.version && !tags.includes(`${after.name}@${after.version}`))
      fail(`${after.name}: no tag of ${after.version}`)
    for (const [other, range] of Object.entries(after.dependencies ?? {})) {
      const own = folders.map(each => manifest(clone, each)).find(each => each.name === other)
      if (own && range !== `^${own.version}`)
        fail(`${after.name} wants ${other} ${range}, which becomes ${own.version}`)
    }
    console.log(`${after.name}: ${before.version} -> ${after.version}; ${tarball(name)}`)
  }
  const version = assertChart(clone)
  // Its image would otherwise be pushed over the one that has the speaker's version already.
  appendFileSync(join(clone, 'packages', 'controller', 'README.md'), '\nOne more line.\n')
  run(clone, 'git', ['commit', '--quiet', '--all', '--message', 'fix(controller): one more line'])
  newVersions(clone)
  if (assertChart(clone) === version) fail(`a release of the controller alone leaves chart and images at ${version}`)
} finally {
  rmSync(clone, { recursive: true, force: true })
}
