/** The table of RFCs in the README against the tests that it names. */
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { packageFile } from './example-process.js'

/** What this package sets out to speak. */
const WANTED = [
  1997, 2385, 2545, 2918, 4271, 4360, 4456, 4486, 4724, 4760, 5065, 5082, 5492, 5880, 5881, 5882, 5883, 6396, 6608,
  6793, 7311, 7313, 7606, 7854, 7911, 8092, 8203, 8326, 8538, 8654, 8950, 9003, 9072, 9234, 9384, 9494, 9687,
]

interface Row {
  readonly line: string
  /** Numbers of RFCs, or names of drafts. */
  readonly documents: readonly string[]
  readonly state: string
  readonly files: readonly string[]
}

function readTable(): readonly Row[] {
  const [, section = ''] = readFileSync(packageFile('README.md'), 'utf8').split('\n## RFCs\n')
  const lines = section.split('\n## ', 1)[0]!.split('\n')
  const rows: Row[] = []
  for (const line of lines
    .filter(text => text.startsWith('| ') && !text.startsWith('| RFC'))
    .map(text => text.trim())) {
    const [rfc = '', , state = '', tests = ''] = line
      .slice(1, -1)
      .split(' | ')
      .map(text => text.trim())
    const named = rfc.match(/\bdraft-[\w-]+|\b\d{4}\b/g) ?? []
    const documents = rfc === '' ? (rows.at(-1)?.documents ?? []) : named
    rows.push({ line, documents, state, files: [...tests.matchAll(/`([\w-]+)`/g)].map(([, name]) => name!) })
  }
  return rows
}

/** Texts in the code of a test file: names of tests and of what they are made of; no comments. */
function namesIn(file: string): readonly string[] {
  const code = readFileSync(packageFile(`test/${file}.test.ts`), 'utf8').replaceAll(
    /\/\*.*?\*\/|^\s*\/\/[^\n]*$/gms,
    '',
  )
  return [...code.matchAll(/['"`]([^'"`\n]*\b(?:RFC|draft)[^'"`\n]*)/g)].map(([, text]) => text!)
}

const isAbout = (text: string, document: string): boolean =>
  document.startsWith('draft') ? text.includes(document) : new RegExp(`RFC.*\\b${document}\\b`).test(text)

const rows = readTable()

t.test('each RFC that is to be there is there, in ascending order', async t => {
  const numbers = rows.flatMap(({ documents }) => documents.slice(0, 1)).filter(name => /^\d/.test(name))
  t.same(
    numbers,
    numbers.toSorted((a, b) => Number(a) - Number(b)),
  )
  const all = new Set(rows.flatMap(({ documents }) => documents))
  t.same(
    WANTED.filter(number => !all.has(String(number))),
    [],
  )
})

for (const { line, documents, state, files } of rows) {
  t.test(line, async t => {
    t.ok(documents.length > 0, 'an RFC')
    t.match(state, /^(done|partial: |no: )/)
    t.equal(files.length > 0, !state.startsWith('no'), 'tests of all that there is')
    const existing = files.filter(file => existsSync(packageFile(`test/${file}.test.ts`)))
    t.same(existing, files, 'that exist')
    const names = existing.map(namesIn)
    for (const [index, texts] of names.entries()) {
      t.ok(
        texts.some(text => documents.some(document => isAbout(text, document))),
        `${files[index]} has a test of it`,
      )
    }
    if (state.startsWith('no')) return
    for (const document of documents)
      t.ok(
        names.flat().some(text => isAbout(text, document)),
        document,
      )
  })
}
