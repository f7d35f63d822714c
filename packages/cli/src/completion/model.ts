/** What a shell needs to know of a program, read from the program itself. */
import type { Command, Option } from 'commander'

/** An option as shells complete it. */
export interface OptionModel {
  /** `-o`, `--output`: those that there are. */
  readonly names: readonly string[]
  readonly description: string
  /** Whether a value follows: never, always, or perhaps. */
  readonly value: 'none' | 'required' | 'optional'
  /** The values there are; empty: anything. */
  readonly choices: readonly string[]
  /** Whether a value may be a file or folder. */
  readonly files: boolean
  /** Whether it may be given more than once. */
  readonly repeatable: boolean
}

/** A command, with what can follow it. */
export interface CommandModel {
  /** Names of the commands above it and its own, without the program's. */
  readonly path: readonly string[]
  readonly summary: string
  readonly options: readonly OptionModel[]
  /** Values of the first argument, where they are known. */
  readonly choices: readonly string[]
  /** Whether arguments may be files. */
  readonly files: boolean
  readonly commands: readonly CommandModel[]
}

/** Name of the command that answers kubectl; nobody types it. */
export const ANSWER = '__complete'

/** Reads a program. @param path names of the commands above */
export function modelOf(command: Command, path: readonly string[] = []): CommandModel {
  const own = command.parent === null ? [] : [...path, command.name()]
  const [argument] = command.registeredArguments
  return {
    path: own,
    summary: command.summary() || command.description().split('\n')[0] || '',
    options: [...command.options.map(optionOf), HELP],
    choices: argument?.argChoices ?? [],
    files: command.registeredArguments.some(each => !each.argChoices && FILES.test(each.name())),
    commands: command.commands.filter(child => child.name() !== ANSWER).map(child => modelOf(child, own)),
  }
}

/** Arguments that name folders or files. */
const FILES = /^(?:source|file)s?$/

const HELP: OptionModel = {
  names: ['-h', '--help'],
  description: 'display help for command',
  value: 'none',
  choices: [],
  files: false,
  repeatable: false,
}

/** How the help writes an option's value that names a folder or a file. */
const FILE_VALUE = /[<[](?:file|where)[>\]]/

function optionOf({
  flags,
  short,
  long,
  description,
  required,
  optional,
  argChoices,
  defaultValue,
}: Option): OptionModel {
  return {
    names: [short, long].filter(name => name !== undefined && name !== null),
    description,
    value: required ? 'required' : optional ? 'optional' : 'none',
    choices: argChoices ?? [],
    files: FILE_VALUE.test(flags),
    repeatable: Array.isArray(defaultValue),
  }
}

/** A command and all below it. */
export const allCommands = (model: CommandModel): readonly CommandModel[] => [
  model,
  ...model.commands.flatMap(allCommands),
]

/** A text in single quotes, as all three shells read it. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
