/** `node run-vectors.js FILE`: runs a file of vectors against the codec; a line per failure, then the sums. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { runVectors, type VectorFile } from './vectors.js'

const file = process.argv[2]
if (file === undefined) {
  console.error('usage: npm run vectors:memberlist -- FILE')
  process.exitCode = 2
} else {
  const { passed, failures } = runVectors(
    JSON.parse(readFileSync(resolve(process.env['INIT_CWD'] ?? '.', file), 'utf8')) as VectorFile,
  )
  for (const { name, reason } of failures) console.log(`FAIL ${name}: ${reason}`)
  console.log(`${passed} passed, ${failures.length} failed`)
  if (failures.length > 0) process.exitCode = 1
}
