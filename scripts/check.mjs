// `npm run check`: everything about the code that is not a test of what it does.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { phase, prepare, root } from './prepare.mjs'

const bin = name => join(root, 'node_modules', '.bin', name)
const published = readdirSync(join(root, 'packages')).map(name => join('packages', name))

prepare()
phase('lint', bin('oxlint'), ['--type-aware', '--deny-warnings'])
phase('format', bin('prettier'), ['--check', '.'])
phase('unused code', bin('knip'), ['--no-progress'])
for (const folder of published) {
  phase(`publint ${folder.slice(9)}`, bin('publint'), ['run', folder, '--strict', '--pack', 'npm'])
  phase(`attw ${folder.slice(9)}`, bin('attw'), ['--pack', folder, '--profile', 'esm-only'])
}
phase('pure floors', process.execPath, [join(root, 'scripts', 'pure.mjs')])
phase('pack and import', process.execPath, [join(root, 'scripts', 'pack.mjs')])
