/** Completion for fish. */
import { allCommands, type CommandModel, type OptionModel, quoted } from './model.js'

/** A script for `~/.config/fish/completions/NAME.fish`, or for `source`. */
export function fishCompletion(name: string, model: CommandModel): string {
  const lines = allCommands(model).flatMap(command => linesOf(name, command))
  return `# fish completion for ${name}\ncomplete -c ${name} -f\n${lines.join('\n')}\n`
}

function linesOf(name: string, { path, options, commands, choices, files }: CommandModel): readonly string[] {
  const below = commands.map(command => command.path.at(-1) ?? '')
  const seen = path.map(word => `__fish_seen_subcommand_from ${word}`)
  const none = below.length > 0 ? [`not __fish_seen_subcommand_from ${below.join(' ')}`] : []
  const when = [...seen, ...none].join('; and ')
  const start = `complete -c ${name} -n ${quoted(when || 'true')}`
  return [
    ...commands.map(command => `${start} -a ${command.path.at(-1)} -d ${quoted(command.summary)}`),
    ...choices.map(choice => `${start} -a ${quoted(choice)}`),
    ...(files ? [`${start} -F`] : []),
    ...options.map(option => `${start}${flagsOf(option)} -d ${quoted(option.description)}`),
  ]
}

function flagsOf({ names, value, choices, files }: OptionModel): string {
  const flags = names.map(name => (name.startsWith('--') ? ` -l ${name.slice(2)}` : ` -s ${name.slice(1)}`)).join('')
  if (value !== 'required') return flags
  return `${flags} -r${choices.length > 0 ? ` -f -a ${quoted(choices.join(' '))}` : files ? ' -F' : ' -f'}`
}
