/** Completion for bash. */
import { allCommands, type CommandModel, type OptionModel, quoted } from './model.js'

/** A script that `source` takes. Needs bash 4.4; bash-completion is not needed. */
export function bashCompletion(name: string, model: CommandModel): string {
  const id = name.replaceAll(/\W/g, '_')
  return `# bash completion for ${name}
_${id}() {
  local word previous path=() index
  word=\${COMP_WORDS[COMP_CWORD]}
  previous=\${COMP_WORDS[COMP_CWORD-1]}
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "\${path[*]} \${COMP_WORDS[index]}" in
${allCommands(model)
  .filter(({ path }) => path.length > 0)
  .map(
    ({ path }) =>
      `      ${quoted(` ${path.join(' ')}`)} | ${quoted(path.join(' '))}) path+=("\${COMP_WORDS[index]}") ;;`,
  )
  .join('\n')}
    esac
  done
  COMPREPLY=()
  case "\${path[*]}" in
${allCommands(model).map(caseOf).join('\n')}
  esac
}
complete -o filenames -F _${id} ${name}
`
}

function caseOf({ path, options, commands, choices, files }: CommandModel): string {
  const names = options.flatMap(option => option.names)
  const words = [...commands.map(command => command.path.at(-1) ?? ''), ...choices]
  return `    ${quoted(path.join(' '))})
      case "$previous" in
${options
  .filter(({ value }) => value === 'required')
  .map(valueCase)
  .join('\n')}
      esac
      case "$word" in
        -*) mapfile -t COMPREPLY < <(compgen -W ${quoted(names.join(' '))} -- "$word") ;;
        *) ${words.length > 0 ? `mapfile -t COMPREPLY < <(compgen -W ${quoted(words.join(' '))} -- "$word")` : files ? 'mapfile -t COMPREPLY < <(compgen -f -- "$word")' : ':'} ;;
      esac ;;`
}

function valueCase({ names, choices }: OptionModel): string {
  const complete = choices.length > 0 ? `-W ${quoted(choices.join(' '))}` : '-f'
  return `        ${names.join(' | ')}) mapfile -t COMPREPLY < <(compgen ${complete} -- "$word"); return ;;`
}
