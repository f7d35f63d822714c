// Commands to a process of ours in a namespace, and its answers: one line of JSON each.
import { createInterface } from 'node:readline'

/** The process's side: `commands` by name, each taking its options and returning (a promise of) the answer. */
export function answerCommands(commands) {
  const say = answer => process.stdout.write(`${JSON.stringify(answer)}\n`)
  const lines = createInterface({ input: process.stdin })
  const answer = async line => {
    const { id, command, ...options } = JSON.parse(line)
    try {
      say({ id, answer: (await commands[command](options)) ?? {} })
    } catch (error) {
      say({ id, error: error.message })
    }
  }
  lines.on('line', line => void answer(line))
  lines.on('close', () => process.exit())
  say({ id: 0 })
}

/** JSON has no Infinity: it arrives as null, which no command means otherwise. */
const withInfinity = (_, value) => (value === null ? Infinity : value)

/** The other side. */
export class Commanded {
  /** @type {import('@typemetal/lab').LabProcess} */
  process
  #next = 1
  #waiting = new Map()

  /** @param process a `LabProcess` that runs {@link answerCommands} */
  constructor(process) {
    this.process = process
    process.on('line', line => this.#line(line))
    void process.exited.then(() => this.#gone())
  }

  /** Starts a module in a host. @param argv of Node.js, the module first */
  static async start(host, name, argv) {
    const commanded = new Commanded(host.spawn([process.execPath, ...argv.map(String)], { name }))
    await commanded.process.waitForLine(line => line.startsWith('{"id":0'))
    return commanded
  }

  /** @throws what the command threw, or that the process has ended */
  ask(command, options = {}) {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, command })
      if (!this.process.running) this.#gone()
      this.process.write(JSON.stringify({ id, command, ...options }))
    })
  }

  async stop() {
    await this.process.stop('SIGKILL')
  }

  #line(line) {
    if (!line.startsWith('{"id":')) {
      console.error(`  ${this.process.name}: ${line}`)
      return
    }
    const { id, answer, error } = JSON.parse(line, withInfinity)
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve(answer)
    else waiting?.reject(new Error(`${this.process.name}, ${waiting.command}: ${error}`))
  }

  #gone() {
    for (const { reject, command } of this.#waiting.values()) {
      reject(new Error(`${this.process.name} has ended during ${command}${this.process.tail()}`))
    }
    this.#waiting.clear()
  }
}
