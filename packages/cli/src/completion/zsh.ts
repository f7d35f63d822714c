/** Completion for zsh. */
import { allCommands, type CommandModel, type OptionModel, quoted } from './model.js'

/** A script for a file `_NAME` in `fpath`, or for `source` after compinit. */
export function zshCompletion(name: string, model: CommandModel): string {
  const id = `_${name.replaceAll(/\W/g, '_')}`
  return `#compdef ${name}
${allCommands(model)
  .map(command => functionOf(id, command))
  .join('\n')}
if [ "$funcstack[1]" = ${quoted(id)} ]; then
  ${id} "$@"
else
  compdef ${id} ${name}
fi
`
}

const functionName = (id: string, path: readonly string[]): string => [id, ...path].join('_')

function functionOf(id: string, { path, options, commands, choices, files }: CommandModel): string {
  const specs = options.map(specOf)
  const rest =
    commands.length > 0
      ? ["'1:command:->command'", "'*::arguments:->arguments'"]
      : choices.length > 0
        ? [quoted(`1:argument:(${choices.join(' ')})`)]
        : files
          ? ["'*:file:_files'"]
          : []
  const argumentsLine = `  _arguments -s ${commands.length > 0 ? '-C ' : ''}${[...specs, ...rest].join(' \\\n    ')}`
  if (commands.length === 0) return `${functionName(id, path)}() {\n${argumentsLine}\n}`
  const list = commands.map(command => quoted(`${command.path.at(-1)}:${escaped(command.summary)}`))
  const cases = commands.map(command => `        ${command.path.at(-1)}) ${functionName(id, command.path)} ;;`)
  return `${functionName(id, path)}() {
  local state line
  local -a commands
  commands=(
    ${list.join('\n    ')}
  )
${argumentsLine}
  case "$state" in
    command) _describe command commands ;;
    arguments)
      case "$line[1]" in
${cases.join('\n')}
      esac ;;
  esac
}`
}

function specOf({ names, description, value, choices }: OptionModel): string {
  const action =
    value === 'none'
      ? ''
      : `:${value === 'optional' ? ':' : ''}value:${choices.length > 0 ? `(${choices.join(' ')})` : '_files'}`
  const text = `[${escaped(description).replaceAll('[', '\\[').replaceAll(']', '\\]')}]${action}`
  const [first = ''] = names
  if (names.length === 1) return quoted(first + text)
  return `${quoted(`(${names.join(' ')})`)}{${names.join(',')}}${quoted(text)}`
}

const escaped = (text: string): string => text.replaceAll(':', '\\:')
