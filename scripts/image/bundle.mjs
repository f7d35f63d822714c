// The programs as an image has them: what they are made of in a few files, and nothing that they do not use.
import { chmodSync, cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { fail, root } from '../prepare.mjs'

/** Program → its entry; the workers must lie beside those, under these names. */
const PROGRAMS = {
  controller: 'packages/controller/dist/main.js',
  speaker: 'packages/speaker/dist/main.js',
  typemetal: 'packages/cli/dist/main.js',
}
const WORKERS = {
  'bfd-worker': 'packages/bgp/dist/bfd/node/bfd-worker.js',
  'layer2-worker': 'packages/arp-ndp/dist/node/layer2-worker.js',
}
/** Modules of CommonJS among the libraries ask for Node's own by `require`. */
const BANNER = `import { createRequire as typemetalRequire } from 'node:module'; const require = typemetalRequire(import.meta.url);`
/** The kernel takes one argument here. NODE_OPTIONS would not do: it counts for nothing when node has a file capability. */
const INTERPRETER = '#!/usr/bin/node --optimize-for-size'

/** Names of the programs. */
export const programs = Object.keys(PROGRAMS)

/**
 * Bundles the programs into `folder/dist/node`, with the addon where @typemetal/sockets looks for it.
 *
 * @returns folders of all npm packages of which something is inside
 */
export async function bundle(folder) {
  const outdir = join(folder, 'dist', 'node')
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { ...PROGRAMS, ...WORKERS },
    outdir,
    bundle: true,
    // What is loaded on use stays a file of its own, which is not read before.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    minify: true,
    // Logs and errors tell classes by their names.
    keepNames: true,
    legalComments: 'linked',
    banner: { js: BANNER },
    metafile: true,
    logLevel: 'error',
  })
  for (const name of programs) {
    const path = join(outdir, `${name}.js`)
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, `${INTERPRETER}\n${text.replace(/^#!.*\n/, '')}`)
    chmodSync(path, 0o755)
  }
  const { version } = JSON.parse(readFileSync(join(root, 'packages', 'speaker', 'package.json'), 'utf8'))
  // The programs ask the package.json above them, or above that, for their version.
  for (const above of ['dist', '.']) {
    writeFileSync(join(folder, above, 'package.json'), `${JSON.stringify({ type: 'module', version })}\n`)
  }
  const addon = join('build', 'Release', 'sockets.node')
  const built = join(root, 'packages', 'sockets', addon)
  if (!existsSync(built)) fail(`${built} is missing: run node packages/sockets/scripts/build-addon.mjs`)
  cpSync(built, join(folder, addon))
  const loader = join('node_modules', 'node-gyp-build')
  for (const name of ['package.json', 'index.js', 'node-gyp-build.js', 'LICENSE']) {
    cpSync(join(root, loader, name), join(folder, loader, name))
  }
  const packages = new Set(Object.keys(metafile.inputs).map(path => packageOf(path)))
  return [...packages.add('packages/sockets').add(loader)]
}

/** Folder of the package that a file belongs to. */
function packageOf(path) {
  const [, folder = path.split('/').slice(0, 2).join('/')] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)/.exec(path) ?? []
  return folder
}
