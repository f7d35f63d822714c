import { openSync, closeSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { ChildProcess } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BfdSession, BfdSnapshot } from '@typemetal/bgp/bfd'
import type { AgentSessions } from './bfd-node-agent.js'
import { stop, until, type Host } from './interop/namespace.js'

const AGENT = fileURLToPath(new URL('bfd-node-agent.js', import.meta.url))

/** A remote system of our own making, in a namespace of its own. */
export class Peer implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'typemetal-bfd-'))
  readonly #output = openSync(join(this.#folder, 'output'), 'a')
  readonly process: ChildProcess

  private constructor(host: Host, command: readonly string[]) {
    const [first = '', ...rest] = command
    this.process = host.spawn(first, rest, this.#output)
  }

  /** Starts it. @param prefix words before the command, to run it elsewhere */
  static async start(host: Host, sessions: AgentSessions, prefix: readonly string[] = []): Promise<Peer> {
    const peer = new Peer(host, [...prefix, process.execPath, AGENT, JSON.stringify(sessions)])
    await until('the peer to be ready', () => peer.lines.includes('ready'))
    return peer
  }

  get lines(): readonly string[] {
    return readFileSync(join(this.#folder, 'output'), 'utf8').split('\n')
  }

  /** States that a session of the peer went through; Init is left out. */
  history(address: string): readonly string[] {
    const lines = this.lines.slice(0, -1).filter(line => line.startsWith(`${address} `))
    const states = lines.map(line => line.slice(address.length + 1)).filter(line => !line.startsWith('Init'))
    // Whose packet comes first decides which of the two is still in Init when the other one is Up.
    return states.map(line => line.replace(/^Up 0 Init$/, 'Up 0 Up'))
  }

  /** The same, once there are so many: a state comes into the output some time after it was gone to. */
  async told(address: string, least: number): Promise<readonly string[]> {
    await until(`${least} states of the peer's session with ${address}`, () => this.history(address).length >= least)
    return this.history(address)
  }

  /** What the peer's sessions are now. */
  async sessions(): Promise<readonly BfdSnapshot[]> {
    const before = this.#answers.length
    this.process.kill('SIGUSR2')
    await until('an answer of the peer', () => this.#answers.length > before)
    return JSON.parse(this.#answers.at(-1)!.slice('sessions '.length)) as readonly BfdSnapshot[]
  }

  get #answers(): readonly string[] {
    return this.lines.slice(0, -1).filter(line => line.startsWith('sessions '))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGCONT')
    await stop(this.process)
    closeSync(this.#output)
    rmSync(this.#folder, { recursive: true })
  }
}

/** States that a session goes through from now on; Init is left out. */
export function follow(session: BfdSession): readonly string[] {
  const states: string[] = []
  session.on('state', to => {
    if (to !== 'Init') states.push(to)
  })
  return states
}

/** Waits for a state. */
export const reaches = (session: BfdSession, state: string): Promise<unknown> =>
  until(`${session.address} to be ${state}`, () => session.state === state)

/** Waits for so many packets both ways: whatever the session was told before has had its effect by then. */
export async function exchanged(session: BfdSession, packets = 10): Promise<void> {
  const before = session.snapshot()
  await until(`${packets} packets to ${session.address} and back`, () => {
    const now = session.snapshot()
    const [sent, received] = [now.packetsSent - before.packetsSent, now.packetsReceived - before.packetsReceived]
    return sent >= packets && received >= packets
  })
}

/** Lets time pass. */
export const pause = (milliseconds: number): Promise<void> =>
  new Promise(resolve => {
    setTimeout(resolve, milliseconds)
  })
