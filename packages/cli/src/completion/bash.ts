/** Completion for bash. */
import { allCommands, type CommandModel, type OptionModel, quoted } from './model.js'

/** A script that `source` takes. Needs bash 4.4; bash-completion is not needed. */
export function bashCompletion(name: string, model: CommandModel): string {
  const id = name.replaceAll(/\W/g, '_')
  return `# bash completion for ${name}
_${id}_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}
_${id}_files() {
  # a folder gets its slash; a word that only looks like a folder gets none
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$1")
}
_${id}() {
  local word previous path=() index
  word=\${COMP_WORDS[COMP_CWORD]}
  previous=\${COMP_WORDS[COMP_CWORD-1]}
  # --output=json comes in three words
  if [ "$word" = = ]; then
    word=
  elif [ "$previous" = = ]; then
    previous=\${COMP_WORDS[COMP_CWORD-2]}
  fi
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
${allCommands(model)
  .map(command => caseOf(id, command))
  .join('\n')}
  esac
}
complete -F _${id} ${name}
`
}

function caseOf(id: string, { path, options, commands, choices, files }: CommandModel): string {
  const names = options.flatMap(option => option.names)
  const words = [...commands.map(command => command.path.at(-1) ?? ''), ...choices]
  return `    ${quoted(path.join(' '))})
      case "$previous" in
${options
  .filter(({ value }) => value === 'required')
  .map(option => valueCase(id, option))
  .join('\n')}
      esac
      case "$word" in
        -*) _${id}_words ${quoted(names.join(' '))} "$word" ;;
        *) ${words.length > 0 ? wordsOf(id, words) : files ? `_${id}_files "$word"` : ':'} ;;
      esac ;;`
}

const wordsOf = (id: string, words: readonly string[]): string => `_${id}_words ${quoted(words.join(' '))} "$word"`

function valueCase(id: string, { names, choices, files }: OptionModel): string {
  const complete = choices.length > 0 ? `${wordsOf(id, choices)}; ` : files ? `_${id}_files "$word"; ` : ''
  return `        ${names.join(' | ')}) ${complete}return ;;`
}
