/** docs/reference says what schemas and command lines say. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'

// Processes and a busy machine.
t.setTimeout(1_200_000)

const root = fileURLToPath(new URL('../../..', import.meta.url))
const { referencePages } = (await import(pathToFileURL(join(root, 'scripts', 'reference', 'pages.mjs')).href)) as {
  referencePages: (root: string) => Promise<ReadonlyMap<string, string>>
}

t.test('docs/reference is what the schemas and the programs say (npm run docs:reference writes it)', async t => {
  const pages = await referencePages(root)
  const folder = join(root, 'docs', 'reference')
  t.same(readdirSync(folder).toSorted(), [...pages.keys()].toSorted())
  for (const [name, text] of pages) t.equal(readFileSync(join(folder, name), 'utf8'), text, name)
})
