import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  Lab,
  until,
  type Bridge,
  type BridgeOptions,
  type Capture,
  type Host,
  type LabProcess,
  type Sysctls,
} from '@typemetal/lab'
import type { Layer2Options } from '@typemetal/arp-ndp'
import type { AgentCommand } from './agent.js'
import { hexOf, questionFor, type AnswerSeen, type Asker, type Exchange } from './interop-frames.js'
import { LabNode } from './interop-node.js'

export const AGENT = fileURLToPath(new URL('agent.js', import.meta.url))
/** Of all frames on the LAN the capture keeps those of the lab's own interfaces. */
const OURS = '02:74:6d'

interface Neighbor {
  readonly dst: string
  readonly lladdr?: string
  readonly state: readonly string[]
}

/** How a {@link Segment} is made. */
export interface SegmentOptions extends BridgeOptions {
  /** Kernel settings of the client. */
  readonly client?: Sysctls
}

/** How a node is made. */
export interface NodeOptions {
  readonly layer2?: Layer2Options
  /** Command that starts the agent. */
  readonly prefix?: readonly string[]
  /** Interfaces on the LAN; only the first has addresses. @default 1 */
  readonly interfaces?: number
  readonly sysctls?: Sysctls
}

/** One LAN with a client and nodes that answer for addresses; every frame on it is captured. */
export class Segment implements AsyncDisposable {
  private constructor(
    readonly lab: Lab,
    readonly lan: Bridge,
    readonly client: Host,
    readonly asker: LabProcess,
    readonly capture: Capture,
  ) {}

  static async create({ client: sysctls = {}, ...bridge }: SegmentOptions = {}): Promise<Segment> {
    const lab = await Lab.create()
    const lan = await lab.bridge('lan', bridge)
    const capture = await lan.capture(join(lab.directory, 'lan.pcap'), { source: OURS })
    const client = await lab.host('client', {
      links: [{ bridge: lan, addresses: ['10.10.0.100/16', 'fd00:10::100/64'] }],
      sysctls,
    })
    const asker = client.spawn([process.execPath, AGENT, 'client'], { name: 'agent' })
    await asker.waitForLine(line => line.startsWith('{"ready"'))
    return new Segment(lab, lan, client, asker, capture)
  }

  /** The client as one that asks with frames of its own making. */
  get self(): Asker {
    return { mac: this.client.links.get('eth0')?.mac ?? '', address: '10.10.0.100' }
  }

  /** Adds a node that answers, and waits for it to be ready; its number is its host part. */
  async node(name: string, number: number, options: NodeOptions = {}): Promise<LabNode> {
    const node = await this.launch(name, number, options)
    return node.ready()
  }

  /** Adds a node that may not come to be ready. */
  async launch(name: string, number: number, options: NodeOptions = {}): Promise<LabNode> {
    const { layer2 = {}, prefix = [], interfaces = 1, sysctls = {} } = options
    const addresses = [`10.10.0.${number}/16`, `fd00:10::${number}/64`]
    const links = Array.from({ length: interfaces }, (_, i) => ({
      bridge: this.lan,
      addresses: i === 0 ? addresses : [],
    }))
    const host = await this.lab.host(name, { links, sysctls })
    const agent = host.spawn([...prefix, process.execPath, AGENT, 'layer2', JSON.stringify(layer2)], { name: 'agent' })
    return new LabNode(host, agent)
  }

  // The client's kernel

  /** Makes the client's kernel resolve addresses by sending to them. */
  poke(...addresses: readonly string[]): void {
    this.#ask({ poke: addresses })
  }

  /** Empties the client's table and makes its kernel resolve the addresses anew, until they are REACHABLE there. */
  async learn(addresses: readonly string[], mac: string): Promise<void> {
    await this.client.namespace.ip(['neighbour flush dev eth0'])
    for (const address of addresses) {
      this.poke(address)
      await this.settled(address, 'REACHABLE', mac)
    }
  }

  /** The client's neighbour entry for an address. */
  async neighbor(address: string): Promise<{ mac: string | undefined; state: string } | undefined> {
    const entries = await this.client.namespace.ipJson<readonly Neighbor[]>(`neighbour show to ${address} dev eth0`)
    const [entry] = entries
    return entry && { mac: entry.lladdr, state: entry.state.join(',') }
  }

  /** All entries of the client's table, of both families, by address. */
  async neighbors(): Promise<ReadonlyMap<string, { readonly mac: string | undefined; readonly state: string }>> {
    const entries = await this.client.namespace.ipJson<readonly Neighbor[]>('neighbour show dev eth0')
    return new Map(entries.map(({ dst, lladdr, state }) => [dst, { mac: lladdr, state: state.join(',') }]))
  }

  /** Waits until the client's table has the address in a state, and maybe at a MAC. @returns milliseconds that took */
  async settled(address: string, state: string, mac?: string): Promise<number> {
    const begin = performance.now()
    let last = 'nothing'
    await until(
      `${address} to be ${state} ${mac ?? ''}`,
      async () => {
        const entry = await this.neighbor(address)
        last = JSON.stringify(entry)
        return entry?.state === state && (mac === undefined || entry.mac === mac) ? true : undefined
      },
      { interval: 5, timeout: 60_000 },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; last seen: ${last}`, { cause: error })
    })
    return performance.now() - begin
  }

  /** Waits until the client knows the address by this MAC address, in whatever state. @returns milliseconds that took */
  async moved(address: string, mac: string): Promise<number> {
    const begin = performance.now()
    await until(`${address} at ${mac}`, async () => ((await this.neighbor(address))?.mac === mac ? true : undefined), {
      interval: 5,
      timeout: 60_000,
    })
    return performance.now() - begin
  }

  // Questions by frames of our own, which no neighbour table answers

  /** Asks from the client who has an address, for a quarter of a second. */
  async resolve(address: string): Promise<readonly string[]> {
    const answers = await this.#told<readonly { mac: string }[]>('answers', {
      resolve: { interface: 'eth0', address, timeout: 250 },
    })
    return answers.map(({ mac }) => mac).toSorted()
  }

  /** Asks until so many have answered: on a busy machine a quarter of a second may not be enough. */
  async owners(address: string, count = 1): Promise<readonly string[]> {
    let owners: readonly string[] = []
    for (let attempt = 0; attempt < 200 && owners.length < count; attempt++) owners = await this.resolve(address)
    return owners
  }

  /** Sends frames from the client and waits for so many answers. */
  exchange(frames: readonly Uint8Array[], answers: number, timeout = 60_000): Promise<readonly AnswerSeen[]> {
    const exchange: Exchange = { interface: 'eth0', frames: frames.map(hexOf), answers, timeout }
    return this.#told('exchanged', { exchange })
  }

  /**
   * Sends frames that nobody must answer, then a question that the node will: a responder takes frames in order, so when that
   * one's answer is the first to come, there was none before it.
   * @param marker an address that is owned and asked for in no other frame
   */
  async unanswered(frames: readonly Uint8Array[], marker: string): Promise<readonly AnswerSeen[]> {
    const seen = await this.exchange([...frames, questionFor(marker, this.self)], 1)
    return seen.filter(({ address }) => address !== marker)
  }

  async #told<T>(what: 'answers' | 'exchanged', command: AgentCommand): Promise<T> {
    const seen = this.asker.lines.length
    this.#ask(command)
    const line = await until(
      what,
      () => this.asker.lines.slice(seen).find(line => line.startsWith(`{"${what}"`) || line.startsWith('{"error"')),
      { timeout: 120_000, interval: 5 },
    )
    const told = JSON.parse(line) as { readonly error?: string; readonly answers: T; readonly exchanged: T }
    if (told.error !== undefined) throw new Error(`the client: ${told.error}`)
    return told[what]
  }

  #ask(command: AgentCommand): void {
    this.asker.write(JSON.stringify(command))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab[Symbol.asyncDispose]()
  }
}
