/** Captures what passes an interface into a pcap file, by a small process of our own (no tcpdump needed). */
import { fileURLToPath } from 'node:url'
import { LabError } from '../errors.js'
import type { Host } from '../host.js'
import type { LabProcess } from '../lab-process.js'
import type { CaptureProtocol } from './protocol.js'

/** What the program says at its end, before a number. */
const LOST = 'lost '
const PROGRAM = fileURLToPath(new URL('main.js', import.meta.url))

/** What a capture keeps. */
export interface CaptureOptions {
  /** Only frames of this protocol. @default everything */
  readonly protocol?: CaptureProtocol
  /** Only frames whose source MAC address begins so, e.g. `02:74:6d`: the kernel drops the others, so that a flood costs nothing. */
  readonly source?: string
}

/** A running capture; dispose of it to have the file complete. */
export class Capture implements AsyncDisposable {
  private constructor(
    readonly file: string,
    readonly process: LabProcess,
  ) {}

  /** @throws {LabError} ERR_LAB_PROCESS when the interface or the privilege is missing */
  static async start(host: Host, interfaceName: string, file: string, options: CaptureOptions = {}): Promise<Capture> {
    const argv = [process.execPath, PROGRAM, interfaceName, file, JSON.stringify(options)]
    const child = host.spawn(argv, { name: `capture-${options.protocol ?? interfaceName}` })
    await child.waitForLine(line => line === 'capturing')
    return new Capture(file, child)
  }

  /**
   * Ends the capture and waits until everything is in the file.
   * @returns how many frames the kernel lost because the capture was too slow
   * @throws {LabError} when it had failed
   */
  async stop(): Promise<number> {
    const { code, signal } = await this.process.stop()
    if (code !== 0 && signal !== 'SIGKILL') {
      throw new LabError('ERR_LAB_PROCESS', `${this.process.name} failed${this.process.tail()}`)
    }
    const said = this.process.lines.findLast(line => line.startsWith(LOST))
    return Number(said?.slice(LOST.length) ?? 0)
  }

  /** As {@link stop}, but silent: the capture may have been killed with its host. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.stop()
  }
}
