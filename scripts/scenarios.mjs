// `npm run scenarios -- FILE…`: runs scenario documents against the decisions of controller and speaker; code 1 if any failed.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fail, prepare, root } from './prepare.mjs'

const files = process.argv.slice(2)
if (files.length === 0) fail('usage: npm run scenarios -- FILE…')
prepare()

/** Parser and runner of one component. */
async function runner(component) {
  if (component !== 'controller' && component !== 'speaker') throw new Error(`no scenarios for component ${component}`)
  const folder = join(root, 'packages', component, 'dist-test', 'scenario')
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
  for (const document of read(file).split(/^---[ \t]*$/m)) {
    if (/^(?:\s*#.*\n|\s)*$/.test(document)) continue
    try {
      const component = /^component:\s*["']?(\w+)/m.exec(document)?.[1] ?? '(none)'
      const { parseScenarios, runScenario } = await runner(component)
      for (const scenario of parseScenarios(document)) tell(scenario.name, await runScenario(scenario))
    } catch (error) {
      tell(/^name:\s*(.*)$/m.exec(document)?.[1] ?? file, [error.message])
    }
  }
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
