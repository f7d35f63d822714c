// What can be imported: the entry points of every published package, as its `exports` has them, with the source behind each.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Packages in the order in which the reference has them: protocols first, then what stands on them. */
const ORDER = ['bgp', 'arp-ndp', 'memberlist', 'sockets', 'options', 'cluster', 'controller', 'speaker', 'cli']

/**
 * @typedef {object} EntryPoint
 * @property {string} specifier what a program imports
 * @property {string} source the file of TypeScript that it was compiled from
 *
 * @typedef {object} PublishedPackage
 * @property {string} name
 * @property {string} folder
 * @property {string} repository web address of the repository
 * @property {readonly EntryPoint[]} entryPoints
 */

/**
 * @param {string} root the repository
 * @returns {readonly PublishedPackage[]}
 * @throws an export has no source
 */
export function publishedPackages(root) {
  const folders = readdirSync(join(root, 'packages')).filter(name =>
    existsSync(join(root, 'packages', name, 'package.json')),
  )
  const place = name => (ORDER.indexOf(name) + ORDER.length + 1) % (ORDER.length + 1)
  return folders
    .toSorted((a, b) => place(a) - place(b))
    .map(name => readPackage(join(root, 'packages', name)))
    .filter(each => each !== undefined)
}

function readPackage(folder) {
  const { name, private: hidden, exports, repository } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  if (hidden) return undefined
  const entryPoints = Object.entries(exports)
    .filter(([path]) => path !== './package.json')
    .map(([path, { types }]) => {
      const source = join(folder, types.replace(/^\.\/dist\//, 'src/').replace(/\.d\.ts$/, '.ts'))
      if (!existsSync(source)) throw new Error(`${name}: ${path} is exported, and there is no ${source}`)
      return { specifier: join(name, path), source }
    })
  return { name, folder, entryPoints, repository: repository.url.replace(/^git\+|\.git$/g, '') }
}
