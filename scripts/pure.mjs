// Bundles the lower floors of the protocol packages for a browser: they must need nothing of Node.js. Prints what each weighs.
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from './prepare.mjs'

const PURE = [
  'bgp/wire',
  'bgp/fsm',
  'bgp/rib',
  'arp-ndp/wire',
  'arp-ndp/responder',
  'memberlist/wire',
  'memberlist/swim',
]

for (const floor of PURE) {
  const [name, folder] = floor.split('/')
  const result = await build({
    entryPoints: [join(root, 'packages', name, 'dist', folder, 'index.js')],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    logLevel: 'error',
  })
  console.log(`@typemetal/${floor}: ${(result.outputFiles[0].contents.length / 1024).toFixed(1)} KiB minified`)
}
