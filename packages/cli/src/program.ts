/** The command line of `typemetal`. */
import { explainError } from '@typemetal/cluster/process'
import { Command, CommanderError, type Option } from 'commander'
import { CommandError, ExitCode } from './exit-code.js'
import { addCompletion } from './program/completion.js'
import { addDemo } from './program/demo.js'
import { addDrain } from './program/drain.js'
import { addExplain } from './program/explain.js'
import { addMigrate } from './program/migrate.js'
import { addPlan } from './program/plan.js'
import { addStatus } from './program/status.js'
import { addValidate } from './program/validate.js'
import { addVersion, version } from './program/version.js'
import { type Terminal, warnOn } from './terminal.js'

const EXIT_CODES = `
Exit codes:
  0  the answer is fine
  1  the answer is no: the configuration has errors, there is no such Service or node
  2  the command line is wrong
  3  nothing could be asked: a folder does not exist, a cluster does not answer
  4  plan --against --exit-code: something would change

Colours only on a terminal, and never with NO_COLOR. Without sources the cluster is found as kubectl finds it.`

/** Makes the whole command; nothing runs before `parseAsync`. @param name how it was called. @default typemetal */
export function createProgram(terminal: Terminal, name = 'typemetal'): Command {
  const program = new Command(name)
    .description(
      'Checks, plans and explains what Typemetal, or MetalLB, makes of a cluster. Reads only; changes nothing.',
    )
    .version(version, '-V, --version', 'print the version')
    .exitOverride()
    .configureOutput({
      writeOut: text => terminal.write(text),
      writeErr: text => warnOn(terminal, text),
      getOutHasColors: () => terminal.color ?? false,
      getErrHasColors: () => terminal.color ?? false,
    })
    .configureHelp({ optionDescription: describe })
    .showHelpAfterError('(add --help for what there is)')
    .addHelpText('after', EXIT_CODES)
  addValidate(program, terminal)
  addPlan(program, terminal)
  addExplain(program, terminal)
  addStatus(program, terminal)
  addDrain(program, terminal)
  addMigrate(program, terminal)
  addDemo(program, terminal)
  addCompletion(program, terminal)
  addVersion(program, terminal)
  return program
}

/** What an option is for, its values and its default, but for a default that says no more than the option's absence. */
function describe({ description, argChoices, defaultValue, defaultValueDescription }: Option): string {
  const isPlain =
    defaultValue === undefined || defaultValue === false || defaultValue === '' || Array.isArray(defaultValue)
  const more = [
    ...(argChoices ? [`choices: ${argChoices.join(', ')}`] : []),
    ...(isPlain ? [] : [`default: ${defaultValueDescription ?? String(defaultValue)}`]),
  ]
  return more.length > 0 ? `${description} (${more.join('; ')})` : description
}

/** Runs one command line to its end. Never rejects: what goes wrong is one sentence and an exit code of {@link ExitCode}. */
export async function runProgram(argv: readonly string[], terminal: Terminal, name = 'typemetal'): Promise<void> {
  try {
    await createProgram(terminal, name).parseAsync(argv, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed it already.
      terminal.exitCode(error.exitCode === 0 ? ExitCode.ok : ExitCode.usage)
      return
    }
    warnOn(terminal, `${name}: ${error instanceof CommandError ? error.message : explainError(error)}\n`)
    terminal.exitCode(error instanceof CommandError ? error.exitCode : ExitCode.unreadable)
  }
}
