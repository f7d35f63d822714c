/** Where the command prints to, and what it may ask of the process around it. */
import { writeSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { ExitCode } from './exit-code.js'

/** The process as the command sees it; tests give their own. */
export interface Terminal {
  /** Standard output. */
  write(text: string): void
  /** Standard error. @default as {@link write} */
  warn?(text: string): void
  /** The code that the process is to end with. */
  exitCode(code: number): void
  /** Colours may be used on standard output. @default false */
  readonly color?: boolean
  /** Somebody looks at standard output: the screen may be drawn anew. @default false */
  readonly interactive?: boolean
  /** Reads standard input to its end. @default there is none */
  readonly readInput?: () => Promise<string>
  /** Aborts when the command should stop; for what runs until then. */
  readonly signal?: AbortSignal
}

/** Writes to standard error, or where there is none to standard output. */
export function warnOn(terminal: Terminal, text: string): void {
  if (terminal.warn) terminal.warn(text)
  else terminal.write(text)
}

/** Whether a stream that is, or is not, a terminal may be coloured (no-color.org). */
export function mayColor(isTTY: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  if (env['NO_COLOR']) return false
  if (env['FORCE_COLOR'] && env['FORCE_COLOR'] !== '0') return true
  return isTTY && env['TERM'] !== 'dumb'
}

/** The real process. SIGINT and SIGTERM abort its signal; a reader that goes away (`| head`) ends the process in peace. */
export function processTerminal(): Terminal {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const onError = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE') process.exit()
    // A full disk behind `>`: half an answer must not pass for a whole one.
    writeSync(process.stderr.fd, `typemetal: cannot write: ${error.message}\n`)
    process.exit(ExitCode.unreadable)
  }
  process.stdout.on('error', onError)
  process.stderr.on('error', onError)
  const interactive = process.stdout.isTTY
  return {
    write: more => void process.stdout.write(more),
    warn: more => void process.stderr.write(more),
    exitCode: code => {
      process.exitCode = code
    },
    color: mayColor(interactive, process.env),
    interactive,
    readInput: () => text(process.stdin),
    signal: stop.signal,
  }
}
