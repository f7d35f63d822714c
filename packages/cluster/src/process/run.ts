import { basename } from 'node:path'
import { explainError } from './explain.js'
import { requireNode } from './node-version.js'

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const
/** Milliseconds that handles left open may delay the end of a process whose work is done. */
const LINGER = 2000

/**
 * Runs a process: `main` gets a signal that aborts on SIGTERM, SIGINT or SIGQUIT and should then clean up and return. A second
 * one of them ends the process at once. When `main` fails, or a promise nobody waits for does, one line on standard error says
 * why, and the exit code is 1.
 *
 * @param main the work; what it holds is released before it returns
 * @param name how the line on standard error begins. @default name of the script
 */
export async function runProcess(
  main: (signal: AbortSignal) => Promise<void>,
  name: string = basename(process.argv[1] ?? 'node').replace(/\.[cm]?js$/, ''),
): Promise<void> {
  const abort = new AbortController()
  const die = (error: unknown): never => {
    process.stderr.write(`${name}: ${explainError(error)}\n`)
    process.exit(1)
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    if (abort.signal.aborted) process.exit(1)
    abort.abort(new DOMException(`received ${signal}`, 'AbortError'))
  }
  process.on('uncaughtException', die)
  process.on('unhandledRejection', die)
  for (const signal of SIGNALS) process.on(signal, onSignal)
  try {
    requireNode()
    await main(abort.signal)
  } catch (error) {
    if (!(abort.signal.aborted && isAbort(error, abort.signal))) die(error)
  }
  setTimeout(() => process.exit(), LINGER).unref()
}

/** Whether an error only says that the work was asked to stop. */
function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError')
}
