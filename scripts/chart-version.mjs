// Run by `lerna version`, between the new versions and their commit: chart, manifests and images have the speaker's version, so theirs goes on
// with it.
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' })

/** Files that name the version. */
export const VERSIONED = [
  join('deploy', 'chart', 'Chart.yaml'),
  'Dockerfile',
  ...readdirSync(join(root, 'deploy', 'manifests'))
    .toSorted()
    .map(name => join('deploy', 'manifests', name)),
]

/**
 * The text of one of {@link VERSIONED} with another version: of the chart, of the images, of the Dockerfile's argument.
 * @param {string} text
 * @param {string} before
 * @param {string} after
 * @throws {Error} the version before is not in it
 */
export function reversioned(text, before, after) {
  const version = before.replaceAll('.', String.raw`\.`)
  const place = String.raw`(?:^(?:version|appVersion): |^ARG VERSION=|^ +image: typemetal\/(?:controller|speaker):)`
  const changed = text.replaceAll(new RegExp(`(${place})${version}(?=$|-nonroot$)`, 'gm'), `$1${after}`)
  if (changed === text) throw new Error(`it does not name version ${before}`)
  return changed
}

function main() {
  const path = join('packages', 'speaker', 'package.json')
  const before = JSON.parse(git('show', 'HEAD:packages/speaker/package.json')).version
  const after = JSON.parse(readFileSync(join(root, path), 'utf8')).version
  if (before === after) return
  for (const file of VERSIONED) {
    writeFileSync(join(root, file), reversioned(readFileSync(join(root, file), 'utf8'), before, after))
    git('add', file)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
