// `npm run docs:reference`: writes docs/reference from the schemas of the resources and the command lines of the programs. `--check`: writes
// nothing, code 1 when the files are not those.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fail, prepare, root } from './prepare.mjs'
import { referencePages } from './reference/pages.mjs'

const check = process.argv.includes('--check')
prepare()
const folder = join(root, 'docs', 'reference')
mkdirSync(folder, { recursive: true })
const pages = await referencePages(root)
const present = readdirSync(folder)
const stale = [...pages].filter(
  ([name, text]) => !present.includes(name) || readFileSync(join(folder, name), 'utf8') !== text,
)
const left = present.filter(name => !pages.has(name))
if (check && stale.length + left.length > 0) {
  fail(
    `docs/reference is not what the programs say: ${[...stale.map(([name]) => name), ...left].join(', ')}; run npm run docs:reference`,
  )
}
if (!check) {
  for (const [name, text] of stale) writeFileSync(join(folder, name), text)
  for (const name of left) rmSync(join(folder, name))
}
