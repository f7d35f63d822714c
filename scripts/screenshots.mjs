// `npm run screenshots`: the pictures in docs/images, of a real browser that looks at the status page of an example.
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fail, prepare, root } from './prepare.mjs'

const USAGE = 'usage: npm run screenshots -- [--out DIR]'
/** Octets that a picture may have: they are kept in the repository. */
const LIMIT = 150_000
const PICTURES = {
  'status-page-light': { width: 1120, height: 800, scheme: 'light' },
  'status-page-dark': { width: 1120, height: 800, scheme: 'dark' },
  'status-page-narrow': { width: 360, height: 840, scheme: 'dark' },
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
const server = await servePage({ source: new ExampleSource(exampleCluster(Date.now())), port: 0 })
try {
  const chromium = await Chromium.start(program.path)
  try {
    for (const [name, options] of Object.entries(PICTURES)) await take(chromium, name, options)
  } finally {
    await chromium[Symbol.asyncDispose]()
  }
} finally {
  await server[Symbol.asyncDispose]()
}

async function take(chromium, name, options) {
  const page = await chromium.look(server.url, options)
  await page.waitForSelector('#services tbody tr')
  const path = join(out, `${name}.png`)
  await page.screenshot({ path })
  await page.browserContext().close()
  const { size } = statSync(path)
  if (size > LIMIT) throw new Error(`${path} has ${size} octets, more than ${LIMIT}`)
  console.log(`${path}: ${(size / 1000).toFixed(0)} kB`)
}
