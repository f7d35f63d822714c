import { readFileSync } from 'node:fs'

/** Version of this package; `unknown` when its package.json is not beside it, as in a bundle. */
export function packageVersion(): string {
  try {
    const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
    return (JSON.parse(text) as { readonly version: string }).version
  } catch {
    return 'unknown'
  }
}
