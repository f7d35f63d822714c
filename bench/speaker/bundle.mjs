// The speaker as an image has it: a few files, made by esbuild, with the addon beside them.
import { cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const ENTRIES = {
  main: 'packages/speaker/dist/main.js',
  'layer2-worker': 'packages/arp-ndp/dist/node/layer2-worker.js',
  'bfd-worker': 'packages/bgp/dist/bfd/node/bfd-worker.js',
}
/** Modules of CommonJS among the libraries ask for Node's own by `require`. */
const BANNER = `import { createRequire as typemetalRequire } from 'node:module'; const require = typemetalRequire(import.meta.url);`

let made

/** Bundles it once into a folder. @returns the program */
export function bundleSpeaker(directory) {
  made ??= bundle(directory)
  return made
}

async function bundle(directory) {
  const app = join(directory, 'app')
  const outdir = join(app, 'dist')
  await build({
    entryPoints: Object.entries(ENTRIES).map(([out, path]) => ({ in: join(ROOT, path), out })),
    outdir,
    bundle: true,
    // What is loaded on use stays a file of its own, which is not read before.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    minify: true,
    banner: { js: BANNER },
    logLevel: 'error',
  })
  cpSync(join(ROOT, 'packages/speaker/package.json'), join(app, 'package.json'))
  // The addon is looked for two folders above the code, as in its package.
  const sockets = join(ROOT, 'packages/sockets')
  for (const name of ['prebuilds', 'build']) {
    if (existsSync(join(sockets, name))) cpSync(join(sockets, name), join(directory, name), { recursive: true })
  }
  mkdirSync(join(directory, 'node_modules'), { recursive: true })
  const loader = 'node_modules/node-gyp-build'
  symlinkSync(join(ROOT, loader), join(directory, loader))
  return join(outdir, 'main.js')
}
