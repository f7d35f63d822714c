/** A host of the lab that answers for addresses. */
import { readFileSync } from 'node:fs'
import { until, type Host, type LabProcess } from '@typemetal/lab'
import type { AddressConflict, AddressCounters, InterfaceSelection, PortStatistics } from '@typemetal/arp-ndp'
import type { AgentCommand } from './agent.js'

/** What {@link LabNode.count} gives. */
export interface Counts {
  readonly counters: ReadonlyMap<string, AddressCounters>
  readonly statistics: readonly (Omit<PortStatistics, 'drops'> & { readonly drops: readonly [string, number][] })[]
  readonly conflicts: readonly ConflictSeen[]
}

/** A conflict as it comes over a pipe. */
export type ConflictSeen = Omit<AddressConflict, 'since'> & { readonly since: string }

/** A host with a Layer2 in a process of its own. */
export class LabNode {
  #count = 0

  constructor(
    readonly host: Host,
    readonly agent: LabProcess,
  ) {}

  /** MAC address that an interface was made with. */
  macOf(name = 'eth0'): string {
    return this.host.links.get(name)?.mac ?? ''
  }

  /** MAC address that eth0 was made with. */
  get mac(): string {
    return this.macOf()
  }

  async ready(): Promise<this> {
    await this.agent.waitForLine(line => line.startsWith('{"ready"'), 60_000)
    return this
  }

  send(command: AgentCommand): void {
    this.agent.write(JSON.stringify(command))
  }

  /** Answers for these addresses and no others, from when this resolves. */
  async own(addresses: readonly string[], interfaces: InterfaceSelection = 'all'): Promise<void> {
    this.send({ set: addresses.map(address => ({ address, interfaces })) })
    await this.count()
  }

  /** What was counted, after everything that was sent before. */
  async count(): Promise<Counts> {
    const count = ++this.#count
    this.send({ count })
    const line = await this.agent.waitForLine(line => line.startsWith(`{"count":${count},`), 60_000)
    const { counters, ...others } = JSON.parse(line) as Omit<Counts, 'counters'> & {
      readonly counters: [string, AddressCounters][]
    }
    return { ...others, counters: new Map(counters) }
  }

  /** Counters of one address; zeros for one that was never set. */
  async counted(address: string): Promise<AddressCounters> {
    const { counters } = await this.count()
    return counters.get(address) ?? { requestsReceived: 0, responsesSent: 0, gratuitousSent: 0 }
  }

  /** Waits until so many gratuitous frames have gone out for an address: 10 are a whole burst of ARP, 5 one of NDP. */
  async announced(address: string, frames: number): Promise<void> {
    await until(
      `${frames} gratuitous frames for ${address}`,
      async () => ((await this.counted(address)).gratuitousSent >= frames ? true : undefined),
      { timeout: 60_000 },
    )
  }

  /** Where its output ends now: {@link said} looks from there. */
  get mark(): number {
    return this.agent.lines.length
  }

  /** Waits for a line that was said after the mark. */
  said(what: string, match: (line: string) => boolean, mark = 0): Promise<string> {
    return until(`${this.host.name} to say ${what}`, () => this.agent.lines.slice(mark).find(match), {
      timeout: 60_000,
      interval: 5,
    })
  }

  /** Waits for a `responder` event after the mark. */
  responder(action: 'create' | 'delete', protocol: 'arp' | 'ndp', name = 'eth0', mark = 0): Promise<string> {
    const wanted = JSON.stringify({ responder: { action, protocol, interface: name } })
    return this.said(`${action} ${protocol} ${name}`, line => line === wanted, mark)
  }

  /** `conflict` events after the mark. */
  conflicts(mark = 0): readonly ConflictSeen[] {
    return this.#events(mark).flatMap(({ conflict }) => conflict ?? [])
  }

  /** `conflict-over` events after the mark. */
  conflictsOver(mark = 0): readonly ConflictSeen[] {
    return this.#events(mark).flatMap(({ over }) => over ?? [])
  }

  #events(mark: number): readonly { readonly conflict?: ConflictSeen; readonly over?: ConflictSeen }[] {
    const events = this.agent.lines.slice(mark).filter(line => /^\{"(?:conflict|over)"/.test(line))
    return events.map(line => JSON.parse(line) as { conflict?: ConflictSeen; over?: ConflictSeen })
  }

  /** Octets of memory that its process has in use now. */
  get memory(): number {
    const status = readFileSync(`/proc/${this.agent.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? NaN) * 1024
  }

  /** Ends the agent in no orderly way: from now on the host answers for its own addresses alone. */
  async die(): Promise<void> {
    this.agent.kill('SIGKILL')
    await this.agent.exited
  }
}
