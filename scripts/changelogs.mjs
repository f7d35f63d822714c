// Run by `lerna version`, between the new versions and their commit: what a package's changelog has under "Unreleased" becomes the section of
// its new version. People write changelogs here, not commit messages.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HEADING = '## Unreleased\n'
const root = fileURLToPath(new URL('..', import.meta.url))
const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' })

/**
 * A changelog with the section of a new version.
 * @param {string} text of CHANGELOG.md
 * @param {string} version new
 * @param {string} date YYYY-MM-DD
 * @throws {Error} there is no section "Unreleased"
 */
export function released(text, version, date) {
  const start = text.indexOf(HEADING)
  if (start === -1) throw new Error('CHANGELOG.md has no section "Unreleased"')
  const rest = text.slice(start + HEADING.length)
  const end = rest.search(/^## /m)
  const [news, older] = end === -1 ? [rest, ''] : [rest.slice(0, end), rest.slice(end)]
  const section = news.trim() === '' ? '### Changed\n\n- Newer versions of what it depends on.' : news.trim()
  return `${text.slice(0, start)}${HEADING}\n## ${version} - ${date}\n\n${section}\n${older && `\n${older}`}`
}

function versionOf(json) {
  return JSON.parse(json).version
}

function main() {
  const date = new Date().toISOString().slice(0, 10)
  for (const folder of readdirSync(join(root, 'packages')).map(name => join('packages', name))) {
    const path = join(root, folder, 'CHANGELOG.md')
    const version = versionOf(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    if (!existsSync(path) || version === versionOf(git('show', `HEAD:${folder}/package.json`))) continue
    writeFileSync(path, released(readFileSync(path, 'utf8'), version, date))
    git('add', path)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
