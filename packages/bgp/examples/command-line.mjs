// What every example does with its command line and with Ctrl-C.
import { parseArgs } from 'node:util'
import { BgpError } from '@typemetal/bgp'

/**
 * The command line and a signal that Ctrl-C aborts. `--help` prints the usage; what is wrong is one line, not a stack.
 *
 * @param usage what `--help` prints
 * @param config as for `parseArgs` of `node:util`
 */
export function commandLine(usage, config) {
  process.on('uncaughtException', error => {
    const isWrong = error instanceof RangeError || error.code?.startsWith('ERR_PARSE_ARGS')
    const isPlain = isWrong || error instanceof BgpError || error.syscall !== undefined
    // Ctrl-C, and `| head`.
    if (error.name === 'AbortError' || error.code === 'EPIPE') process.exit(0)
    console.error(isPlain ? error.message : error)
    process.exit(isWrong ? 2 : 1)
  })
  const { values, positionals } = parseArgs({
    ...config,
    options: { ...config.options, help: { type: 'boolean', short: 'h', default: false } },
  })
  if (values.help) {
    console.log(usage)
    process.exit(0)
  }
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  process.once('SIGTERM', () => stop.abort())
  return { values, positionals, signal: stop.signal }
}

/** A whole number of the command line. */
export function number(name, text) {
  if (!/^\d+$/.test(text)) throw new RangeError(`--${name} must be a number, not ${text}`)
  return Number(text)
}

/** An AS number, or `internal` or `external`. */
export const remoteAs = (name, text) => (text === 'internal' || text === 'external' ? text : number(name, text))
