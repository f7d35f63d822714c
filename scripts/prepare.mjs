// What `npm run demo` and `npm test` need before anything can run: dependencies, the native addon, compiled TypeScript.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Top of the checkout. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Prints one clear line and ends with a code other than 0. */
export function fail(message) {
  console.error(`typemetal: ${message}`)
  process.exit(1)
}

/** Stops with one line when this Node.js is too old. */
export function requireNode(major = 20, minor = 19) {
  const [haveMajor, haveMinor] = process.versions.node.split('.').map(Number)
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return
  fail(`Node.js ${process.versions.node} is too old: install ${major}.${minor} or newer`)
}

/** Runs a command quietly; shows what it printed only when it failed. */
export function phase(name, command, args, options = {}) {
  const started = performance.now()
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  })
  if (result.error) fail(`${name}: cannot run ${command}: ${result.error.message}`)
  if (result.status !== 0) {
    process.stderr.write(result.stdout + result.stderr)
    fail(`${name} failed (${command} ${args.join(' ')})`)
  }
  console.error(`${name.padEnd(22)} ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

/** True when `npm ci` has to run: nothing installed, or the lock file is newer than what is. */
function stale() {
  const installed = join(root, 'node_modules', '.package-lock.json')
  return !existsSync(installed) || statSync(installed).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs
}

/** Installs and builds whatever is missing. Does nothing that is done already. */
export function prepare() {
  requireNode()
  if (stale()) phase('dependencies', 'npm', ['ci', '--no-audit', '--no-fund'])
  phase('native addon', process.execPath, [join(root, 'packages', 'sockets', 'scripts', 'build-addon.mjs')])
  phase('TypeScript', join(root, 'node_modules', '.bin', 'tsc'), ['-b'])
}
