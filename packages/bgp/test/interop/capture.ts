import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stop, until } from './namespace.js'

const TSHARK = '/usr/bin/tshark'
const DUMPCAP = '/usr/bin/dumpcap'

/** Why packets cannot be captured here; `undefined` when they can. */
export const missingCapture = (): string | undefined =>
  existsSync(TSHARK) && existsSync(DUMPCAP) ? undefined : 'needs tshark: apt-get install tshark'

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
  read<F extends string>(display: string, ...fields: readonly F[]): readonly { readonly [N in F]: string }[] {
    const how = ['-r', this.#file, '-n', '-Y', display, '-T', 'fields', '-E', 'separator=/t', '-E', 'occurrence=f']
    const wanted = fields.flatMap(field => ['-e', field])
    const { status, stdout, stderr } = spawnSync(TSHARK, [...how, ...wanted], { encoding: 'utf8' })
    // The last packet may be half in the file.
    if (status !== 0 && !stderr.includes('cut short')) throw new Error(`${TSHARK} ${display}: ${stderr}`)
    return stdout
      .split('\n')
      .filter(line => line !== '')
      .map(line => {
        const values = line.split('\t')
        return Object.fromEntries(fields.map((field, at) => [field, values[at] ?? ''])) as { [N in F]: string }
      })
  }

  /** Likewise, once there are so many: they come into the file some time after they were on the wire. */
  async wait<F extends string>(
    least: number,
    display: string,
    ...fields: readonly F[]
  ): Promise<readonly { readonly [N in F]: string }[]> {
    let packets = this.read(display, ...fields)
    await until(`${least} packets of ${display}`, () => {
      packets = this.read(display, ...fields)
      return packets.length >= least
    })
    return packets
  }

  /** Descriptions of packets that Wireshark finds fault with. */
  faults(): readonly string[] {
    const packets = this.read(
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
