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
  if (commands.length === 0) {
    return `${functionName(id, path)}() {\n  local -A opt_args\n  local context state state_descr line\n${argumentsLine}\n}`
  }
  const list = commands.map(command => quoted(`${command.path.at(-1)}:${escaped(command.summary)}`))
  const cases = commands.map(command => `        ${command.path.at(-1)}) ${functionName(id, command.path)} ;;`)
  return `${functionName(id, path)}() {
  local curcontext="$curcontext" state line
  local -a commands
  local -A opt_args
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

function specOf({ names, description, value, choices, files, repeatable }: OptionModel): string {
  const values = choices.length > 0 ? `(${choices.join(' ')})` : files ? '_files' : ' '
  const action = value === 'none' ? '' : `:${value === 'optional' ? ':' : ''}value:${values}`
  // With the equals sign both --output=json and --output json are known.
  const [first = '', ...others] = names.map(name => (value !== 'none' && name.startsWith('--') ? `${name}=` : name))
  const text = `[${escaped(description).replaceAll('[', '\\[').replaceAll(']', '\\]')}]${action}`
  if (others.length === 0) return quoted((repeatable ? '*' : '') + first + text)
  return `${quoted(`(${names.join(' ')})`)}{${[first, ...others].join(',')}}${quoted(text)}`
}

const escaped = (text: string): string => text.replaceAll(':', '\\:')
