// How a benchmark is asked for: options that are wrong end it with one line, a section that fails does not end the others.
import { enterUserNamespace, needsUserNamespace } from '@typemetal/lab'
import { benchArguments } from './report.mjs'

/** The command line of one benchmark. */
export class CommandLine {
  /** What was given, by option. */
  values
  #bench

  /**
   * @param bench its npm script, for messages
   * @param options what it takes beside what every benchmark does, as in `parseArgs`
   */
  constructor(bench, options) {
    this.#bench = bench
    try {
      this.values = benchArguments(options)
    } catch (error) {
      this.fail(error.message)
    }
  }

  /** Ends the process with one line. */
  fail(message) {
    console.error(`${this.#bench}: ${message}`)
    process.exit(1)
  }

  /** Names that an option lists, each one of those known. @param what one of them is called in a message */
  names(option, what, known) {
    const names = this.values[option].split(',')
    const unknown = names.find(name => !known.includes(name))
    if (unknown !== undefined) this.fail(`no ${what} ${unknown}: there are ${known.join(', ')}`)
    return names
  }

  /** Whom `--peers` names; nobody with `none`. */
  peers(known) {
    return this.values.peers === 'none' ? [] : this.names('peers', 'peer', known)
  }

  /** A whole number above 0. @param fallback where the option is not given */
  count(option, fallback) {
    const number = Number(this.values[option] ?? fallback)
    if (!Number.isInteger(number) || number < 1) this.fail(`--${option} wants a whole number above 0`)
    return number
  }

  /** A number above 0. */
  positive(option, fallback) {
    const number = Number(this.values[option] ?? fallback)
    if (!(number > 0 && number < Infinity)) this.fail(`--${option} wants a number above 0`)
    return number
  }

  /**
   * One section after the other; one that fails as a whole is told of.
   * @param {Iterable<readonly [names: string, work: () => Promise<void>]>} sections
   * @param isClosed whether what ran has died under the measurement: then a failure is no news
   */
  async inOrder(sections, isClosed) {
    for (const [name, work] of sections) {
      try {
        await work()
      } catch (error) {
        if (isClosed()) return
        this.failed(name, error)
      }
    }
  }

  /** Tells of a section that came to nothing. */
  failed(name, error) {
    console.error(`${this.#bench}: ${name} failed: ${error.stack}`)
    process.exitCode = 1
  }

  /** Measures as root of a user namespace where we are not root. */
  async asRoot(measure) {
    if (needsUserNamespace()) process.exitCode = await this.#again()
    else await measure()
  }

  /** The same command line, as root of a user namespace. @returns its code */
  async #again() {
    try {
      return await enterUserNamespace([process.execPath, ...process.argv.slice(1)])
    } catch (error) {
      return this.fail(error.message)
    }
  }
}
