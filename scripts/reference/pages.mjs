// The pages of docs/reference, made of what the programs themselves are made of: schemas of the resources, and command lines.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { commandPage } from './commands.mjs'
import { flagsPage } from './flags.mjs'
import { resourcePage } from './resources.mjs'

/** Notice at the top of every page. */
export const NOTICE = '<!-- Written by `npm run docs:reference`. Edits are overwritten. -->\n\n'

/**
 * All pages.
 *
 * @param {string} root folder of the repository, whose packages have been built
 * @returns {Promise<ReadonlyMap<string, string>>} text by name of the file
 */
export async function referencePages(root) {
  const { DEFINITIONS } = await import('@typemetal/cluster')
  const { createProgram } = await import('typemetal')
  const help = name => {
    const { stdout, status, stderr } = spawnSync(
      process.execPath,
      [join(root, 'packages', name, 'dist', 'main.js'), '--help'],
      {
        encoding: 'utf8',
        env: { PATH: process.env.PATH },
      },
    )
    if (status !== 0) throw new Error(`typemetal-${name} --help: ${stderr}`)
    return stdout
  }
  const program = createProgram({ write: () => {}, exitCode: () => {} })
  const resources = Object.values(DEFINITIONS).map(definition => [
    `${definition.kind.toLowerCase()}.md`,
    resourcePage(definition),
  ])
  const pages = [
    ...resources,
    ['typemetal.md', commandPage(program)],
    ['typemetal-controller.md', flagsPage('typemetal-controller', help('controller'))],
    ['typemetal-speaker.md', flagsPage('typemetal-speaker', help('speaker'))],
  ]
  const index = ['README.md', indexPage(DEFINITIONS)]
  return new Map([...pages, index].map(([file, text]) => [file, NOTICE + text]))
}

function indexPage(definitions) {
  const rows = Object.values(definitions).map(
    ({ kind, versions }) =>
      `| [${kind}](${kind.toLowerCase()}.md) | ${versions.map(({ name }) => name).join(', ')} | ${versions[0].description} |`,
  )
  return `# Reference

## Resources

Group \`metallb.io\`, all namespaced: they live in the namespace of the controller and the speakers.

| kind | versions | what it is |
|---|---|---|
${rows.join('\n')}

## Commands

[typemetal](typemetal.md), [typemetal-controller](typemetal-controller.md), [typemetal-speaker](typemetal-speaker.md).
`
}
