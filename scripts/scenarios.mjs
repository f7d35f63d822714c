// `npm run scenarios -- FILE…`: runs scenario documents against the decisions of controller, webhook and speaker; code 1 if any failed.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMap, parseDocument } from 'yaml'
import { fail, prepare, root } from './prepare.mjs'

const files = process.argv.slice(2)
if (files.length === 0) fail('usage: npm run scenarios -- FILE…')
prepare()

/** The package whose code decides. */
const PACKAGES = new Map([
  ['controller', 'controller'],
  ['webhook', 'controller'],
  ['speaker', 'speaker'],
])

/** Parser and runner of one component. */
async function runner(component) {
  const packageName = PACKAGES.get(component)
  if (packageName === undefined) throw new Error(`no scenarios for component ${component ?? '(none)'}`)
  const folder = join(root, 'packages', packageName, 'dist-test', 'scenario')
  const [{ parseScenarios }, { runScenario }] = await Promise.all([
    import(join(folder, 'format.js')),
    import(join(folder, 'run.js')),
  ])
  return { parseScenarios, runScenario }
}

let passed = 0
let failed = 0
function tell(name, failures) {
  if (failures.length === 0) passed++
  else failed++
  console.log(failures.length === 0 ? `ok ${name}` : `not ok ${name}: ${failures.join('; ')}`)
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    return fail(error.message)
  }
}

for (const file of files) {
  // One component a document, any mixture in a file.
  for (const document of read(file).split(/^---(?=\s|$)/m)) {
    const parsed = parseDocument(document)
    if (parsed.errors.length === 0 && parsed.contents === null) continue
    const value = key => (isMap(parsed.contents) ? parsed.contents.get(key) : undefined)
    try {
      if (parsed.errors[0]) throw parsed.errors[0]
      const { parseScenarios, runScenario } = await runner(value('component'))
      for (const scenario of parseScenarios(document)) tell(scenario.name, await runScenario(scenario))
    } catch (error) {
      const name = value('name')
      tell(typeof name === 'string' ? name : file, [error.message.split('\n')[0]])
    }
  }
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
