// The reference works without a network, and from a folder: no page loads anything from elsewhere, or says where it was made.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What makes a browser load something, with an address that leads to another host. */
const LOADS = [
  /<(?:script|img|iframe|source|audio|video|embed)\b[^>]*\ssrc="((?:https?:)?\/\/[^"]*)"/g,
  /<link\b(?![^>]*rel="canonical")[^>]*\shref="((?:https?:)?\/\/[^"]*)"/g,
  /(?:@import\s+|url\()["']?((?:https?:)?\/\/[^"')]*)/g,
]

/**
 * @param {string} folder the HTML
 * @param {string} root the repository
 * @returns {readonly string[]} what is wrong, a sentence each
 */
export function checkAssets(folder, root) {
  const here = new RegExp(`(?<![\\w.@-]|[^/]/)${root.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)}/`)
  const faults = []
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(?:html|css|js)$/.test(name)) continue
    const text = readFileSync(join(folder, name), 'utf8')
    if (!name.endsWith('.js')) {
      for (const load of LOADS) for (const [, address] of text.matchAll(load)) faults.push(`${name} loads ${address}`)
    }
    if (here.test(text)) faults.push(`${name} has a path of this machine`)
  }
  return faults
}
