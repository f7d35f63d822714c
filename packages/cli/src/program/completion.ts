import type { Command } from 'commander'
import { Argument } from 'commander'
import { bashCompletion } from '../completion/bash.js'
import { fishCompletion } from '../completion/fish.js'
import { kubectlCompletion, kubectlScript } from '../completion/kubectl.js'
import { ANSWER, modelOf } from '../completion/model.js'
import { zshCompletion } from '../completion/zsh.js'
import type { Terminal } from '../terminal.js'
import { examples } from './options.js'

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion, kubectl: kubectlScript } as const

/** `typemetal completion`. */
export function addCompletion(program: Command, terminal: Terminal): void {
  program
    .command('completion')
    .summary('print a completion script for a shell')
    .description(
      'Prints a script that completes commands, options and their values. It is made of the program itself. That of kubectl is for kubectl typemetal, in whatever shell kubectl itself is completed.',
    )
    .addArgument(new Argument('<shell>', 'for which shell, or kubectl').choices(Object.keys(SHELLS)))
    .addHelpText(
      'after',
      examples(
        'source <(typemetal completion bash)',
        'typemetal completion zsh > "${fpath[1]}/_typemetal"',
        'typemetal completion fish > ~/.config/fish/completions/typemetal.fish',
        'typemetal completion kubectl > kubectl_complete-typemetal && sudo install kubectl_complete-typemetal /usr/local/bin',
      ),
    )
    .action((shell: keyof typeof SHELLS) => {
      terminal.write(SHELLS[shell]('typemetal', modelOf(program)))
      terminal.exitCode(0)
    })
  program
    .command(ANSWER, { hidden: true })
    .description('Answers the script for kubectl.')
    .argument('[word...]')
    .action((words: string[]) => {
      terminal.write(kubectlCompletion(modelOf(program), words))
      terminal.exitCode(0)
    })
}
