// Markdown of the repository as text of a page: links that lead through the repository lead to it, or to another package's page.
import { existsSync, statSync } from 'node:fs'
import { relative, resolve } from 'node:path'

/**
 * @param {string} text Markdown
 * @param {string} folder where it stands
 * @param {object} where
 * @param {string} where.root the repository
 * @param {string} where.base web address of the repository's files at this revision
 * @param {ReadonlyMap<string, string>} where.pages absolute path of each package, and its name
 * @returns {string} Markdown
 * @throws a link leads nowhere
 */
export function withLinks(text, folder, { root, base, pages }) {
  // Code is left as it is: what looks like a link there is none.
  return text
    .split(/(^```[^]*?^```$)/m)
    .map((part, index) => (index % 2 === 0 ? part.replaceAll(/\[([^\]]+)\]\(([^)\s]+)\)/g, link) : part))
    .join('')

  function link(whole, words, target) {
    if (/^(?:[a-z]+:|#)/.test(target)) return whole
    const [path = '', anchor] = target.split('#')
    const file = resolve(folder, path)
    if (!existsSync(file)) throw new Error(`${relative(root, folder)}: a link leads to ${path}, which is not there`)
    const page = pages.get(file.replace(/\/README\.md$/, ''))
    if (page !== undefined) return `{@link "${page}"! | ${words.replaceAll('`', '')}}`
    const kind = statSync(file).isDirectory() ? 'tree' : 'blob'
    const address = `${base.replace('/blob/', `/${kind}/`)}/${relative(root, file)}`
    return `[${words}](${address}${anchor === undefined ? '' : `#${anchor}`})`
  }
}
