// The far end of all sessions: a C program in a namespace of its own, the same for every daemon.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { run } from '@typemetal/lab'

const SOURCE = fileURLToPath(new URL('far-end/', import.meta.url))
/** Longest that a session may take to come up and settle, and that a cut may take, milliseconds. */
const PATIENCE = 60_000

/** Builds the program into a folder. @throws without a C compiler */
export async function buildFarEnd(directory) {
  const sources = readdirSync(SOURCE).filter(name => name.endsWith('.c'))
  const program = join(directory, 'far-end')
  await run([process.env.CC ?? 'cc', '-O2', '-o', program, ...sources.map(name => join(SOURCE, name)), '-lm'])
  return program
}

/** Sessions with one daemon. */
export class FarEnd {
  /** Whether it has a real-time priority: without, its own lateness may be held against a daemon. */
  realtime
  #process
  #waiting = []

  /** @param interval in milliseconds */
  static async start(host, program, { daemon, first, count, interval, multiplier }) {
    const farEnd = new FarEnd()
    const argv = [program, 'talk', daemon, first, count, Math.round(interval * 1000), multiplier]
    farEnd.#process = host.spawn(argv.map(String), { name: 'far-end' })
    farEnd.#process.on('line', line => farEnd.#read(line))
    const ready = JSON.parse(await farEnd.#process.waitForLine(line => line.startsWith('{"ready"')))
    farEnd.realtime = ready.realtime
    return farEnd
  }

  /** What it has seen since {@link reset}, of all sessions; milliseconds. */
  async stats() {
    const answer = this.#next(({ stats }) => stats !== undefined)
    this.#process.write('stats')
    return (await answer).stats
  }

  reset() {
    this.#process.write('reset')
  }

  /** Until all sessions are up with their intervals in force. */
  async settle(count) {
    const deadline = Date.now() + PATIENCE
    for (;;) {
      const { settled } = await this.stats()
      if (settled === count) return
      if (Date.now() > deadline) throw new Error(`${settled} of ${count} sessions are up after ${PATIENCE} ms`)
      await sleep(20)
    }
  }

  /**
   * Falls silent in one session at once, until the daemon says Down.
   * @returns nanoseconds of CLOCK_MONOTONIC: when the last packet was sent, and when the daemon's word arrived
   */
  async cut(index) {
    const answer = this.#next(({ cut }) => cut === index)
    this.#process.write(`cut ${index}`)
    return answer
  }

  /** An answer that fits. */
  #next(fits) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer in ${PATIENCE} ms${this.#process.tail()}`)), PATIENCE)
      this.#waiting.push({ fits, resolve: answer => (clearTimeout(timer), resolve(answer)) })
    })
  }

  #read(line) {
    if (!line.startsWith('{')) {
      console.error(`  ${this.#process.name}: ${line}`)
      return
    }
    const answer = JSON.parse(line)
    const at = this.#waiting.findIndex(({ fits }) => fits(answer))
    if (at >= 0) this.#waiting.splice(at, 1)[0].resolve(answer)
  }
}

/** Bad packets for a daemon. @returns how many were sent, in how many seconds */
export async function flood(host, program, { daemon, source, rate, seconds, kinds }) {
  const argv = [program, 'flood', daemon, source, rate, seconds, ...kinds].map(String)
  return JSON.parse((await host.exec(argv, { timeout: (seconds + 30) * 1000 })).stdout)
}
