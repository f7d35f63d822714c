/** Finding the real programs: the ones that a user would install. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)

/** Path of a package's command, as its `bin` says. */
export function programOf(packageName: string, command: string): string {
  const manifest = require.resolve(`${packageName}/package.json`)
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: Readonly<Record<string, string>> }
  const path = bin[command]
  if (path === undefined) throw new RangeError(`${packageName} has no command ${command}`)
  return join(dirname(manifest), path)
}
