// `npm run crds`: writes the CustomResourceDefinitions of all metallb.io resources to deploy/crds, made of the schemas that objects
// are held against everywhere else. `--check`: writes nothing, code 1 when the files are not those.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fail, prepare, root } from './prepare.mjs'

const USAGE = 'usage: npm run crds -- [--check] [--out DIR] [--namespace NAMESPACE] [--service NAME]'

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        check: { type: 'boolean', default: false },
        out: { type: 'string', default: join(root, 'deploy', 'crds') },
        // Where the webhook that converts BGPPeers is.
        namespace: { type: 'string' },
        service: { type: 'string' },
      },
    })
    return values
  } catch (error) {
    return fail(`${error.message}; ${USAGE}`)
  }
}

const { check, out, namespace, service } = readOptions()
prepare()
const { crdFiles } = await import('@typemetal/cluster')
const files = crdFiles({ ...(service && { name: service }), ...(namespace && { namespace }) })

/** Names of the definitions that are there; other files in the folder are not ours. */
function present() {
  try {
    return readdirSync(out).filter(name => /^metallb\.io_.*\.yaml$/.test(name))
  } catch (error) {
    if (error.code === 'ENOENT') return []
    return fail(error.message)
  }
}

const superfluous = present().filter(name => !files.has(name))
const different = [...files].filter(
  ([name, text]) => !present().includes(name) || readFileSync(join(out, name), 'utf8') !== text,
)
if (check) {
  const wrong = [...superfluous, ...different.map(([name]) => name)].toSorted((a, b) => (a < b ? -1 : 1))
  if (wrong.length > 0) fail(`${out}: ${wrong.join(', ')}: not what the schemas say; run npm run crds`)
} else {
  mkdirSync(out, { recursive: true })
  for (const name of superfluous) rmSync(join(out, name))
  for (const [name, text] of different) writeFileSync(join(out, name), text)
}
console.log(`${files.size} CustomResourceDefinitions in ${out}${check || different.length === 0 ? ', up to date' : ''}`)
