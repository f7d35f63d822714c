// Makes the API reference, or says what is wrong with it. `--check`: writes nothing. `--out FOLDER`: writes elsewhere than into docs/api/build.
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { makeReference } from './reference/make.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const { values } = parseArgs({ options: { check: { type: 'boolean' }, out: { type: 'string' } } })
const out = values.check ? undefined : (values.out ?? join(here, 'build'))
const faults = await makeReference({ root: resolve(here, '..', '..'), out })
for (const fault of faults) console.error(fault)
if (out !== undefined && faults.length === 0) console.log(join(out, 'index.html'))
process.exitCode = faults.length === 0 ? 0 : 1
