// `npm run page`: makes packages/cluster/src/page/assets.ts of the markup, style and scripts in browser/ beside it, so that a program can be
// bundled into one file and still has its page. `--check`: writes nothing, code 1 when the file is not what it should be.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { fail, root } from './prepare.mjs'

const USAGE = 'usage: npm run page -- [--check]'
const folder = join(root, 'packages', 'cluster', 'src', 'page')
const source = join(folder, 'browser')
const target = join(folder, 'assets.ts')

function readOptions() {
  try {
    return parseArgs({ options: { check: { type: 'boolean', default: false } } }).values
  } catch (error) {
    return fail(`${error.message}; ${USAGE}`)
  }
}

/** Bundles one file; `light-dark()` and the like stay as they are, browsers without them are too old. */
async function bundle(name, options) {
  const { outputFiles } = await build({
    absWorkingDir: source,
    entryPoints: [name],
    bundle: true,
    minify: true,
    write: false,
    charset: 'utf8',
    legalComments: 'none',
    // Not that of the Node.js packages around it.
    tsconfigRaw: '{}',
    logLevel: 'error',
    ...options,
  })
  return outputFiles[0].text.trim()
}

const { check } = readOptions()
const script = await bundle('main.ts', { format: 'iife', target: ['chrome123', 'firefox121', 'safari17.5'] })
const style = await bundle('style.css', { target: ['chrome123', 'firefox121', 'safari17.5'] })
// Nothing may stand beside style and script: the policy of the page has the hash of each.
const markup = readFileSync(join(source, 'page.html'), 'utf8')
  .replaceAll(/>\s*\n\s*</g, '>\n<')
  .replaceAll(/\s*(\/\* (?:style|script) \*\/)\s*/g, '$1')
if (/<\/script|<!--/i.test(script)) fail('the script has characters in it that end it in a document')
const constant = (name, about, text) => `/** ${about} */\nexport const ${name} =\n  ${JSON.stringify(text)}\n`
const text = [
  '// Made by `npm run page` of the files in browser/: change those.\n',
  constant('MARKUP', 'The document, with a place for style and script.', markup),
  constant('STYLE', 'Its style.', style),
  constant('SCRIPT', 'Its script.', script),
].join('\n')
const isCurrent = current() === text
if (check && !isCurrent) fail(`${target}: not made of what is in browser/; run npm run page`)
if (!check && !isCurrent) writeFileSync(target, text)
console.log(`${target}${isCurrent ? ', up to date' : ''}: ${(text.length / 1000).toFixed(1)} kB`)

function current() {
  try {
    return readFileSync(target, 'utf8')
  } catch {
    return ''
  }
}
