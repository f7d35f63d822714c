import type { Command } from 'commander'
import { Argument } from 'commander'
import { bashCompletion } from '../completion/bash.js'
import { fishCompletion } from '../completion/fish.js'
import { modelOf } from '../completion/model.js'
import { zshCompletion } from '../completion/zsh.js'
import type { Terminal } from '../terminal.js'
import { examples } from './options.js'

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const

/** `typemetal completion`. */
export function addCompletion(program: Command, terminal: Terminal): void {
  program
    .command('completion')
    .summary('print a completion script for a shell')
    .description('Prints a script that completes commands, options and their values. It is made of the program itself.')
    .addArgument(new Argument('<shell>', 'for which shell').choices(Object.keys(SHELLS)))
    .addHelpText(
      'after',
      examples(
        'source <(typemetal completion bash)',
        'typemetal completion zsh > "${fpath[1]}/_typemetal"',
        'typemetal completion fish > ~/.config/fish/completions/typemetal.fish',
      ),
    )
    .action((shell: keyof typeof SHELLS) => {
      terminal.write(SHELLS[shell]('typemetal', modelOf(program)))
      terminal.exitCode(0)
    })
}
