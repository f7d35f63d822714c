// `npm run screenshots`: the pictures in docs/images, of a real browser that looks at the status page of an example.
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fail, prepare, root } from './prepare.mjs'

const USAGE = 'usage: npm run screenshots -- [--out DIR]'
/** Octets that a picture may have: they are kept in the repository. */
const LIMIT = 150_000
const PICTURES = {
  'status-page-light': { width: 1280, height: 1000, scheme: 'light' },
  'status-page-dark': { width: 1280, height: 1000, scheme: 'dark' },
  'status-page-narrow': { width: 360, height: 900, scheme: 'light' },
}

function readOptions() {
  try {
    const options = { out: { type: 'string', default: join(root, 'docs', 'images') } }
    return parseArgs({ options }).values
  } catch (error) {
    return fail(`${error.message}; ${USAGE}`)
  }
}

const { out } = readOptions()
prepare()
const { Chromium, chromiumProgram, ExampleSource, exampleCluster } = await import('../lab/dist/browser/index.js')
const { servePage } = await import('@typemetal/cluster/page')
const program = chromiumProgram()
if ('missing' in program) fail(`${program.missing} is not installed`)

mkdirSync(out, { recursive: true })
await using server = await servePage({ source: new ExampleSource(exampleCluster(Date.now())), port: 0 })
await using chromium = await Chromium.start(program.path)
for (const [name, options] of Object.entries(PICTURES)) {
  const page = await chromium.look(server.url, options)
  await page.waitForSelector('#services tbody tr')
  const path = join(out, `${name}.png`)
  await page.screenshot({ path, optimizeForSpeed: false })
  const { size } = statSync(path)
  if (size > LIMIT) fail(`${path} has ${size} octets, more than ${LIMIT}`)
  console.log(`${path}: ${(size / 1000).toFixed(0)} kB`)
  await page.browserContext().close()
}
