// Packs every publishable package, installs the tarballs into an empty project, and imports every entry point there.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './prepare.mjs'

const project = mkdtempSync(join(tmpdir(), 'typemetal-pack-'))

/** Runs a command and stops the whole check when it fails. */
function run(command, args, cwd) {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (result.status === 0) return result.stdout
  rmSync(project, { recursive: true, force: true })
  console.error(`${command} ${args.join(' ')}\n${result.stdout}${result.stderr}`)
  return process.exit(1)
}

const manifests = readdirSync(join(root, 'packages')).map(folder =>
  JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8')),
)
const tarballs = manifests.map(({ name }) => {
  const [packed] = Object.values(
    JSON.parse(run('npm', ['pack', '--json', '-w', name, '--pack-destination', project], root)),
  )
  return join(project, packed.filename)
})
writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }))
run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...tarballs], project)

for (const { name, exports, bin = {} } of manifests) {
  for (const path of Object.keys(exports).filter(path => !path.endsWith('.json'))) {
    const entry = join(name, path)
    run(process.execPath, ['--input-type=module', '-e', `await import(${JSON.stringify(entry)})`], project)
    console.log(`imports ${entry}`)
  }
  for (const command of Object.keys(bin)) {
    run(join(project, 'node_modules', '.bin', command), ['--version'], project)
    console.log(`runs ${command} --version`)
  }
}
rmSync(project, { recursive: true, force: true })
