/** The libraries know nothing of each other, so each has what a wrong option is told by; it says the same in all of them. */
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const textOf = (name: string): string => readFileSync(join(root, 'packages', name, 'src/option-kinds.ts'), 'utf8')

t.test('option-kinds.ts is one text in all libraries: change all of them', async t => {
  const [first = '', ...others] = ['sockets', 'bgp', 'arp-ndp', 'memberlist'].map(textOf)
  t.match(first, /export function checkOptions/)
  for (const other of others) t.equal(other, first)
})
