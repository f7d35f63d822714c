// The far end of the cable: a C program in a namespace of its own, the same for every responder.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '@typemetal/lab'

const SOURCE = fileURLToPath(new URL('far-end/', import.meta.url))
const COMPILER = process.env.CC ?? 'cc'
/** What the program may take longer than it was asked for, milliseconds. */
const PATIENCE = 30_000

/** Name and version of the compiler; `undefined` without one. */
export async function compiler() {
  try {
    return `${COMPILER} ${(await run([COMPILER, '-dumpfullversion', '-dumpversion'])).stdout.trim()}`
  } catch {
    return undefined
  }
}

/** Builds the program into a folder. @throws when it does not compile */
export async function buildFarEnd(directory) {
  const sources = readdirSync(SOURCE).filter(name => name.endsWith('.c'))
  const program = join(directory, 'l2-far-end')
  await run([COMPILER, '-O2', '-Wall', '-Wextra', '-o', program, ...sources.map(name => join(SOURCE, name))])
  return program
}

/** Two ranges of addresses that follow on each other, as the program takes them. */
export const RANGES = {
  arp: { first: '10.200.0.1', others: '10.100.0.1' },
  ndp: { first: '2001:db8:200::1:0', others: '2001:db8:100::1:0' },
}

/** The program with a responder at the other end of its `eth0`. */
export class FarEnd {
  #host
  #program

  constructor(host, program) {
    this.#host = host
    this.#program = program
  }

  /**
   * One request every `gap` microseconds, so many `requests`. @param options `prefix`: a command that runs the program
   * @returns `{ sent, answered, p50, p99, max }`, microseconds from sending to the answer's arrival by the kernel's clock
   */
  latency(protocol, count, { gap, requests, prefix = [] }) {
    return this.#measure('latency', protocol, count, [gap, requests], (gap * requests) / 1000, prefix)
  }

  /** As many requests as are answered. @returns `{ answered, lost, seconds, perSecond }` */
  rate(protocol, count, { window, seconds }) {
    return this.#measure('rate', protocol, count, [window, seconds], seconds * 1000)
  }

  /**
   * So many requests a second, `percent` of them for addresses of the first range, the rest for some of the other one.
   * @returns two promises: `over`, when the last request is sent and the rest of the answers waited for, and `result`:
   * `{ sent, asked, refused, answered, unread, seconds, cpu, latest }`: `asked` for those that were to be answered, `unread` by
   * ourselves, CPU seconds of the sender, which the kernel's work on the other end's side is part of
   */
  steady(protocol, count, { rate, seconds, percent = 100, range = 'first' }) {
    const numbers = [rate, seconds, percent, RANGES[protocol].others]
    const argv = this.#argv('steady', protocol, count, numbers, range)
    const spawned = this.#host.spawn(argv, { name: 'steady' })
    const limit = seconds * 1000 + PATIENCE
    const over = spawned.waitForLine(line => line.startsWith('{"over"'), limit)
    const result = spawned.waitForLine(line => line.startsWith('{"sent"'), limit).then(JSON.parse)
    result.catch(() => {}) // whoever waits for `over` hears of it there
    return { over, result }
  }

  /**
   * Watches for gratuitous frames from now on, until all are there or for `limit` milliseconds from the first one.
   * @returns `{ result }`, a promise of `{ frames, missing, again, first, last, unread }`, times in nanoseconds since 1970
   */
  async watch(protocol, count, { limit }) {
    const spawned = this.#host.spawn(this.#argv('watch', protocol, count, [limit]), { name: 'watch' })
    await spawned.waitForLine(line => line.startsWith('{"ready"'))
    return { result: spawned.waitForLine(line => line.startsWith('{"frames"'), limit + PATIENCE).then(JSON.parse) }
  }

  async #measure(command, protocol, count, numbers, milliseconds, prefix = []) {
    const argv = [...prefix, ...this.#argv(command, protocol, count, numbers)]
    const { stdout } = await this.#host.exec(argv, { timeout: milliseconds + PATIENCE })
    return JSON.parse(stdout)
  }

  #argv(command, protocol, count, numbers, range = 'first') {
    return [this.#program, command, 'eth0', protocol, RANGES[protocol][range], count, ...numbers].map(String)
  }
}
