// `npm run vectors:memberlist -- FILE…`: byte vectors against the gossip codec; a line per failure, then the counts.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fail, prepare } from './prepare.mjs'

const files = process.argv.slice(2)
if (files.length === 0) fail('usage: npm run vectors:memberlist -- FILE…')
prepare()
const { runVectors } = await import('../packages/memberlist/dist-test/vectors.js')

function read(file) {
  try {
    return JSON.parse(readFileSync(resolve(process.env.INIT_CWD ?? '.', file), 'utf8'))
  } catch (error) {
    return fail(`${file}: ${error.message}`)
  }
}

let passed = 0
let failed = 0
for (const file of files) {
  const { passed: good, failures } = runVectors(read(file))
  if (good + failures.length === 0) fail(`${file}: no vectors in it: packages/memberlist/test/vectors has the shape`)
  for (const { name, reason } of failures) console.log(`FAIL ${name}: ${reason}`)
  passed += good
  failed += failures.length
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
