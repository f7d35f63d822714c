/** One run of the demo, from nothing to nothing. */
import { messageOf } from '../errors.js'
import { Lab } from '../lab.js'
import { requireRouter } from '../router/program.js'
import type { RouterKind } from '../router/router.js'
import type { Demo } from './context.js'
import { printHints } from './hints.js'
import { Report } from './report.js'
import type { DemoResult } from './result.js'
import { runScript } from './script.js'
import { setUp } from './setup.js'
import { restore } from './steps/change.js'

/** The command line. */
export interface DemoOptions {
  /** Leave after the script. */
  readonly exit: boolean
  readonly router: RouterKind
  /** Folder for pcap files. */
  readonly capture?: string
  /** Leave the run's folder in place. */
  readonly keep: boolean
}

/** The user or the system wants us to stop. */
export class Interrupted extends Error {
  constructor(readonly signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`)
  }

  /** 128 + signal number, as a shell reports it. */
  get exitCode(): number {
    return this.signal === 'SIGINT' ? 130 : this.signal === 'SIGHUP' ? 129 : 143
  }
}

/**
 * Runs the script and, without `exit`, stays until `stopping` aborts. Whatever happens, nothing is left behind and nothing is thrown:
 * the result says it.
 */
export async function runDemo(options: DemoOptions, stopping: AbortController): Promise<DemoResult> {
  const report = new Report(process.stdout)
  const result: DemoResult = { ok: false }
  try {
    requireRouter(options.router)
    await using lab = await Lab.create({ keepDirectory: options.keep })
    report.text(`Typemetal: three nodes, a router and a client on one LAN, in network namespaces typemetal-${lab.id}-…`)
    const demo = await setUp(lab, { ...options, report, result, stopping })
    try {
      await runScript(demo)
      result.ok = true
      if (!options.exit) await stay(demo, lab)
      result.rssMB = demo.processes.residentMemory()
    } finally {
      demo.processes.expectTheEnd()
      await demo.view[Symbol.asyncDispose]()
    }
    if (options.keep) report.dim(`kept: ${lab.directory}`)
  } catch (error) {
    // the end of a program breaks whatever step is on: what ended matters more than what broke
    fail(result, stopping.signal.aborted ? stopping.signal.reason : error)
  }
  result.seconds = Math.round(report.seconds * 10) / 10
  return result
}

/** Being told to stop is a failure only while the script runs. */
function fail(result: DemoResult, cause: unknown): void {
  if (cause instanceof Interrupted && result.ok) return
  if (cause instanceof Interrupted) process.exitCode = cause.exitCode
  result.ok = false
  result.error = messageOf(cause)
}

/** Stays up for the user to try things. @returns never: rejects when the demo is stopped */
async function stay(demo: Demo, lab: Lab): Promise<never> {
  restore(demo)
  printHints(demo, lab)
  return new Promise((_, reject) => {
    // a timer keeps the process alive: nothing else of it waits for anything
    const alive = setInterval(() => {}, 60_000)
    const end = (): void => {
      clearInterval(alive)
      reject(demo.signal.reason as Error)
    }
    if (demo.signal.aborted) end()
    else demo.signal.addEventListener('abort', end, { once: true })
  })
}
