/** Exit codes of the command; a pipeline can tell "no" from "could not ask". */
export const ExitCode = {
  /** The question was answered, and the answer is fine. */
  ok: 0,
  /** The answer is no: the configuration has errors, or there is no such Service, node or pool. */
  refused: 1,
  /** The command line is wrong. */
  usage: 2,
  /** Nothing could be asked: a folder does not exist, a cluster does not answer or does not let us in. */
  unreadable: 3,
  /** `plan --against … --exit-code`: something would change. */
  differs: 4,
} as const
/** A value of {@link ExitCode}. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** What a command prints, and the exit code that goes with it. */
export interface Answer {
  readonly text: string
  readonly code: ExitCode
  /** For the other stream: what the reader should know about the answer, e.g. what could not be read. */
  readonly notes?: readonly string[]
}

/** The question makes no sense, or asks for something that is not there: one sentence and exit code {@link ExitCode.refused} or {@link ExitCode.usage}. */
export class CommandError extends Error {
  readonly code = 'ERR_TYPEMETAL_COMMAND'
  constructor(
    message: string,
    readonly exitCode: ExitCode = ExitCode.refused,
  ) {
    super(message)
  }
}
