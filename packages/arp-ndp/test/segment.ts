import { fileURLToPath } from 'node:url'
import { Lab, until, type Bridge, type Host, type LabProcess } from '@typemetal/lab'
import type { AgentCommand } from './agent.js'

const AGENT = fileURLToPath(new URL('agent.js', import.meta.url))

interface Neighbor {
  readonly dst: string
  readonly lladdr?: string
  readonly state: readonly string[]
}

/** One LAN with a client and nodes that answer for addresses. */
export class Segment implements AsyncDisposable {
  #count = 0

  private constructor(
    readonly lab: Lab,
    readonly lan: Bridge,
    readonly client: Host,
    readonly asker: LabProcess,
  ) {}

  static async create(): Promise<Segment> {
    const lab = await Lab.create()
    const lan = await lab.bridge('lan')
    const client = await lab.host('client', {
      links: [{ bridge: lan, addresses: ['10.10.0.100/24', 'fd00:10::100/64'] }],
    })
    const asker = client.spawn([process.execPath, AGENT, 'client'], { name: 'agent' })
    await asker.waitForLine(line => line.startsWith('{"ready"'))
    return new Segment(lab, lan, client, asker)
  }

  /** Adds a node that answers; its number is its host part. */
  async node(name: string, number: number, options: object = {}, prefix: readonly string[] = []): Promise<LabNode> {
    const addresses = [`10.10.0.${number}/24`, `fd00:10::${number}/64`]
    const host = await this.lab.host(name, { links: [{ bridge: this.lan, addresses }] })
    const agent = host.spawn([...prefix, process.execPath, AGENT, 'layer2', JSON.stringify(options)], { name: 'agent' })
    return new LabNode(host, agent, () => ++this.#count)
  }

  /** Makes the client's kernel resolve an address by sending to it. */
  poke(address: string): void {
    this.asker.write(JSON.stringify({ poke: address } satisfies AgentCommand))
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
      { interval: 5 },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; last seen: ${last}`, { cause: error })
    })
    return performance.now() - begin
  }

  /** Waits until the client knows the address by this MAC address, in whatever state. */
  async moved(address: string, mac: string): Promise<number> {
    const begin = performance.now()
    await until(`${address} at ${mac}`, async () => ((await this.neighbor(address))?.mac === mac ? true : undefined), {
      interval: 5,
    })
    return performance.now() - begin
  }

  /** Asks from the client who has an address, for a quarter of a second. */
  async resolve(address: string): Promise<readonly string[]> {
    const seen = this.asker.lines.length
    const question: AgentCommand = { resolve: { interface: 'eth0', address, timeout: 250 } }
    this.asker.write(JSON.stringify(question))
    const line = await until('answers', () => this.asker.lines.slice(seen).find(line => line.startsWith('{"answers"')))
    return (JSON.parse(line) as { answers: { mac: string }[] }).answers.map(({ mac }) => mac).toSorted()
  }

  /** Asks until so many have answered: on a busy machine a quarter of a second may not be enough. */
  async owners(address: string, count = 1): Promise<readonly string[]> {
    let owners: readonly string[] = []
    for (let attempt = 0; attempt < 8 && owners.length < count; attempt++) owners = await this.resolve(address)
    return owners
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab[Symbol.asyncDispose]()
  }
}

/** What {@link LabNode.count} gives. */
export interface Counts {
  readonly counters: ReadonlyMap<
    string,
    { readonly requestsReceived: number; readonly responsesSent: number; readonly gratuitousSent: number }
  >
  readonly statistics: readonly { protocol: string; interface: string; sendDrops: number; receiveDrops: number }[]
}

/** A host with a Layer2. */
export class LabNode {
  constructor(
    readonly host: Host,
    readonly agent: LabProcess,
    readonly nextCount: () => number,
  ) {}

  /** MAC address that eth0 was made with. */
  get mac(): string {
    return this.host.links.get('eth0')?.mac ?? ''
  }

  async ready(): Promise<this> {
    await this.agent.waitForLine(line => line.startsWith('{"ready"'))
    return this
  }

  send(command: AgentCommand): void {
    this.agent.write(JSON.stringify(command))
  }

  async count(): Promise<Counts> {
    const count = this.nextCount()
    this.send({ count })
    const line = await this.agent.waitForLine(line => line.startsWith(`{"count":${count},`))
    const { counters, statistics } = JSON.parse(line) as {
      counters: [string, never][]
      statistics: Counts['statistics']
    }
    return { counters: new Map(counters), statistics }
  }

  /** Waits for a `responder` event. */
  responder(action: string, protocol: string, name = 'eth0'): Promise<string> {
    const wanted = JSON.stringify({ responder: { action, protocol, interface: name } })
    return this.agent.waitForLine(line => line === wanted)
  }
}
