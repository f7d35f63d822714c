import { readFileSync } from 'node:fs'

/** Version of this package, for the first line of the log. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}
