// Runs a file of vectors against the codec: a line per failure, then the sums. Needs the built tests (tsc -b).
//
//     node packages/memberlist/scripts/vectors.mjs FILE
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { runVectors } from '../dist-test/vectors.js'

const [file] = process.argv.slice(2)
if (file === undefined) {
  console.error('usage: npm run vectors:memberlist -- FILE')
  process.exit(2)
}
const { passed, failures } = runVectors(JSON.parse(readFileSync(resolve(process.env.INIT_CWD ?? '.', file), 'utf8')))
for (const { name, reason } of failures) console.log(`FAIL ${name}: ${reason}`)
console.log(`${passed} passed, ${failures.length} failed`)
process.exitCode = failures.length > 0 ? 1 : 0
