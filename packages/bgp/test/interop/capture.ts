import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stop, until } from './namespace.js'

const TSHARK = '/usr/bin/tshark'
const DUMPCAP = '/usr/bin/dumpcap'

/** Why packets cannot be captured here; `undefined` when they can. */
export const missingCapture = (): string | undefined =>
  existsSync(TSHARK) && existsSync(DUMPCAP) ? undefined : 'needs tshark: apt-get install tshark'

/** Fields of a packet by their names in Wireshark. */
export type Packet<F extends string> = { readonly [N in F]: string }

const dissect = (args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    execFile(TSHARK, args, { maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      // The last packet may be half in the file.
      if (error === null || stderr.includes('cut short')) resolve(stdout)
      else reject(new Error(`${args.join(' ')}: ${stderr}`, { cause: error }))
    })
  })

/** Packets of an interface of ours, as Wireshark dissects them. */
export class Capture implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'tmbgp-capture-'))
  readonly #dumpcap

  private constructor(link: string, filter: string) {
    const options = ['-i', link, '-f', filter, '-w', this.#file, '-P', '-q']
    this.#dumpcap = spawn(DUMPCAP, options, { stdio: ['ignore', 'ignore', 'pipe'] })
  }

  /** @param filter of libpcap. @returns once it listens */
  static async start(link: string, filter: string): Promise<Capture> {
    const capture = new Capture(link, filter)
    let said = ''
    capture.#dumpcap.stderr.on('data', (text: Buffer) => (said += text.toString()))
    await until('dumpcap listens', () => said.includes('File: '))
    return capture
  }

  get #file(): string {
    return join(this.#directory, 'packets.pcap')
  }

  /**
   * Fields of every packet so far, in their order; what a packet has not is empty.
   *
   * @param display filter of Wireshark
   */
  async read<F extends string>(display: string, ...fields: readonly F[]): Promise<readonly Packet<F>[]> {
    const how = ['-r', this.#file, '-n', '-Y', display, '-T', 'fields', '-E', 'separator=/t', '-E', 'occurrence=f']
    const output = await dissect([...how, ...fields.flatMap(field => ['-e', field])])
    return output
      .split('\n')
      .filter(line => line !== '')
      .map(line => {
        const values = line.split('\t')
        return Object.fromEntries(fields.map((field, at) => [field, values[at] ?? ''])) as Packet<F>
      })
  }

  /** Likewise, once there are so many: they come into the file some time after they were on the wire. */
  async wait<F extends string>(least: number, display: string, ...fields: readonly F[]): Promise<readonly Packet<F>[]> {
    let packets: readonly Packet<F>[] = []
    await until(`${least} packets of ${display}`, async () => {
      packets = await this.read(display, ...fields)
      return packets.length >= least
    })
    return packets
  }

  /** Descriptions of packets that Wireshark finds fault with. */
  async faults(): Promise<readonly string[]> {
    const packets = await this.read(
      '_ws.malformed || _ws.expert.severity >= 0x00600000',
      'frame.number',
      'frame.protocols',
      '_ws.expert.message',
    )
    return packets.map(packet => Object.values(packet).join(' '))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stop(this.#dumpcap)
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
