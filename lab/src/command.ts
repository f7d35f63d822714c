/** Running one command to its end. */
import { spawn } from 'node:child_process'
import { LabError } from './errors.js'

/** How {@link run} runs a command. */
export interface CommandOptions {
  /** Text for its standard input. */
  readonly input?: string
  /** Milliseconds after which it is killed. @default 300_000, for a machine that does much else */
  readonly timeout?: number
  /** `false`: an exit code other than 0 is a result, not an error. @default true */
  readonly check?: boolean
  readonly env?: NodeJS.ProcessEnv
}

/** What a finished command left. */
export interface CommandResult {
  readonly stdout: string
  readonly stderr: string
  /** Exit code; 128 + signal number is not computed: a killed command has -1. */
  readonly code: number
}

/**
 * Runs a command and collects what it prints.
 * @throws {LabError} ERR_LAB_COMMAND when it cannot be started or fails, ERR_LAB_TIMEOUT when it takes too long
 */
export function run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [command = '', ...args] = argv
  const { promise, resolve, reject } = withResolvers<CommandResult>()
  const child = spawn(command, args, { stdio: 'pipe', env: options.env ?? process.env })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, options.timeout ?? 300_000)
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  child.stdin.on('error', () => {
    // the command ended without reading its input: its exit code says the rest
  })
  child.stdin.end(options.input ?? '')
  child.on('error', cause => {
    clearTimeout(timer)
    reject(new LabError('ERR_LAB_COMMAND', `cannot run ${command}: ${cause.message}`, { cause }))
  })
  child.on('close', code => {
    clearTimeout(timer)
    const result = { stdout: text(stdout), stderr: text(stderr), code: code ?? -1 }
    if (late) reject(new LabError('ERR_LAB_TIMEOUT', `took too long: ${argv.join(' ')}`))
    else if (result.code !== 0 && options.check !== false) reject(failure(argv, result))
    else resolve(result)
  })
  return promise
}

function failure(argv: readonly string[], { stderr, stdout, code }: CommandResult): LabError {
  const said = (stderr.trim() || stdout.trim()).slice(0, 1000)
  return new LabError('ERR_LAB_COMMAND', `${argv.join(' ')}: exit code ${code}${said && `: ${said}`}`)
}

const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString('utf8')

/** `Promise.withResolvers`, which Node 20 has not. */
export function withResolvers<T>(): {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (reason: unknown) => void
} {
  let resolve!: (value: T) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
