// `npm run docs:api`: writes docs/api/build, the API reference of every published package. `--check`: writes nothing, code 1 when a name
// is not documented, a link leads nowhere, or a type cannot be imported. `--out FOLDER`: writes there.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { prepare, root } from './prepare.mjs'

prepare()
const argv = [join(root, 'docs', 'api', 'main.mjs'), ...process.argv.slice(2)]
process.exitCode = spawnSync(process.execPath, argv, { stdio: 'inherit' }).status ?? 1
