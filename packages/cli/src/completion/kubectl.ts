/** Completion of the kubectl plugin, as kubectl 1.26 and newer ask for it. */
import { ANSWER, type CommandModel, type OptionModel } from './model.js'

/** A program for the PATH, as `kubectl_complete-NAME`: kubectl runs it when something of the plugin is to be completed. */
export const kubectlScript = (name: string): string =>
  `#!/bin/sh\n# completion of kubectl ${name}; its name must be kubectl_complete-${name}\nexec kubectl-${name} ${ANSWER} -- "$@"\n`

/** What kubectl is to do besides: offer files too, or nothing else (cobra's directives). */
const FILES_TOO = ':0'
const NOTHING_ELSE = ':4'

/**
 * The answer of the program `kubectl_complete-NAME`: a word with its meaning on each line, and a directive at the end.
 *
 * @param words what was typed after the plugin's name; the last one is being typed, and may be empty
 */
export function kubectlCompletion(model: CommandModel, words: readonly string[]): string {
  const typed = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  let command = model
  for (const word of before) command = command.commands.find(({ path }) => path.at(-1) === word) ?? command
  const { lines, files } = candidates(command, before.at(-1) ?? '', typed)
  const fit = lines.filter(([word]) => word.startsWith(typed))
  return [...fit.map(([word, meaning]) => `${word}\t${meaning}\n`), `${files ? FILES_TOO : NOTHING_ELSE}\n`].join('')
}

/** Words that can stand there, with what they mean. */
interface Candidates {
  readonly lines: readonly (readonly [word: string, meaning: string])[]
  readonly files: boolean
}

function candidates(command: CommandModel, previous: string, typed: string): Candidates {
  const [flag = '', value] = typed.split('=')
  const given = optionOf(command, value === undefined ? previous : flag)
  if (given && (value !== undefined || given.value === 'required')) {
    const start = value === undefined ? '' : `${flag}=`
    return { lines: given.choices.map(choice => [start + choice, given.description]), files: given.files }
  }
  if (typed.startsWith('-'))
    return {
      lines: command.options.flatMap(({ names, description }) => names.map(name => [name, description] as const)),
      files: false,
    }
  return {
    lines: [
      ...command.commands.map(({ path, summary }) => [path.at(-1) ?? '', summary] as const),
      ...command.choices.map(choice => [choice, ''] as const),
    ],
    files: command.files,
  }
}

const optionOf = ({ options }: CommandModel, name: string): OptionModel | undefined =>
  options.find(({ names, value }) => value !== 'none' && names.includes(name))
