import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { FORMATS, render } from '../output.js'
import type { Terminal } from '../terminal.js'
import { examples, type OutputOptions, say, withOutput } from './options.js'

/** Version of this package. */
export const version: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version

/** `typemetal version`. */
export function addVersion(program: Command, terminal: Terminal): void {
  withOutput(program.command('version'))
    .summary('print the version')
    .description('Prints the version of this command, and of Node.js.')
    .addHelpText('after', examples('typemetal version', `typemetal version --output ${FORMATS[1]}`))
    .action(({ output }: OutputOptions) => {
      const value = { typemetal: version, node: process.versions.node, platform: `${process.platform}/${process.arch}` }
      const text = render(output, value, () => `typemetal ${version} (Node.js ${value.node}, ${value.platform})\n`)
      say(terminal, { text, code: 0 })
    })
}
