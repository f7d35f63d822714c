/** Which suspected members' hosts are silent on the segment, too: those are gone, long before gossip may say so. */
import type { Clock } from '../clock.js'

/** A member of the ring, as far as it matters here. */
export interface SuspectedMember {
  readonly name: string
  readonly address: string
  readonly state: string
}

/** Options of {@link SilentHosts}. */
export interface SilentHostsOptions {
  /** Own name among the members. @default it is not among them */
  readonly node?: string | undefined
  /** The members as they are now, this node included. */
  readonly members: () => readonly SuspectedMember[]
  /**
   * Whether the kernel of a host answers ARP or Neighbor Discovery for an address: however busy it is, it does. `undefined` where
   * that cannot be asked, because it is behind a router or the own interface is at fault. Does not reject.
   */
  readonly reaches: (address: string) => Promise<boolean | undefined>
  /** Tells the ring that a member does not answer. Does not throw. */
  readonly accuse: (name: string) => void
  /** Who is silent has changed. */
  readonly onChange: () => void
  /** Where timers run; a test's own. */
  readonly clock: Clock
}

/** Milliseconds between two questions to a host that is silent. */
const RECHECK = 500
/** Other hosts that are asked whether it is not our own network that is at fault. */
const WITNESSES = 3

/**
 * Gossip gives a suspect seconds to contradict, because its process may only be stalled. A host that does not answer ARP either is off
 * the network: no client can reach an address there, so another may take it over at once. A member counts again as soon as its host
 * answers or gossip hears of it.
 *
 * Who watches it need not wait for gossip to suspect it: a host that is silent after one missed ping, while others answer, is accused
 * by us, and so the others hear of it and ask it themselves. Nobody is told more than that it does not answer.
 */
export class SilentHosts {
  readonly #options: SilentHostsOptions
  readonly #silent = new Set<string>()
  readonly #asking = new Set<string>()
  readonly #waits = new Map<string, () => void>()
  #closed = false

  constructor(options: SilentHostsOptions) {
    this.#options = options
  }

  /** Whether a member's host is silent. */
  has(name: string): boolean {
    return this.#silent.has(name)
  }

  /** A member has missed a ping: mostly its process is late, and then its host answers. */
  missed(name: string): void {
    if (!this.#closed && !this.#asking.has(name)) void this.#doubt(name)
  }

  /** Gossip suspects a member. */
  suspect(name: string): void {
    if (!this.#closed && !this.#asking.has(name)) void this.#ask(name)
  }

  /** A member is dead, or lives: gossip knows best. */
  settle(name: string): void {
    this.#waits.get(name)?.()
    this.#waits.delete(name)
    this.#silent.delete(name)
  }

  /** Asks no more. */
  close(): void {
    this.#closed = true
    for (const cancel of this.#waits.values()) cancel()
    this.#waits.clear()
  }

  async #ask(name: string): Promise<void> {
    const suspect = this.#suspected(name)
    if (!suspect) return this.#set(name, false)
    this.#asking.add(name)
    const reached = await this.#options.reaches(suspect.address)
    this.#asking.delete(name)
    if (this.#closed) return
    this.#set(name, reached === false && this.#suspected(name) !== undefined && !this.#isLonely())
    this.#waits.get(name)?.()
    this.#waits.set(
      name,
      this.#options.clock.after(RECHECK, () => void this.#ask(name)),
    )
  }

  async #doubt(name: string): Promise<void> {
    const member = this.#options.members().find(member => member.name === name && member.state === 'alive')
    if (!member || name === this.#options.node) return
    this.#asking.add(name)
    const isSilent = (await this.#options.reaches(member.address)) === false && (await this.#hearsOthers(name))
    this.#asking.delete(name)
    if (this.#closed) return
    if (this.#suspected(name)) void this.#ask(name)
    else if (isSilent) this.#options.accuse(name)
  }

  /** Whether another host answers: else it is our own network that is at fault. Where there is none to be asked, it is not. */
  async #hearsOthers(name: string): Promise<boolean> {
    const { members, reaches, node } = this.#options
    const others = members().filter(({ name: of, state }) => of !== name && of !== node && state === 'alive')
    const answers = await Promise.all(others.slice(0, WITNESSES).map(({ address }) => reaches(address)))
    return answers.includes(true) || !answers.includes(false)
  }

  #suspected(name: string): SuspectedMember | undefined {
    return this.#options.members().find(member => member.name === name && member.state === 'suspect')
  }

  /** Of several others none is beyond suspicion: it is our own network that is at fault. */
  #isLonely(): boolean {
    const others = this.#options.members().length - 1
    const suspects = this.#options.members().filter(({ state }) => state === 'suspect').length
    return others > 1 && suspects >= others
  }

  #set(name: string, silent: boolean): void {
    if (!silent) {
      this.#waits.get(name)?.()
      this.#waits.delete(name)
    }
    if (this.#silent.has(name) === silent) return
    if (silent) this.#silent.add(name)
    else this.#silent.delete(name)
    this.#options.onChange()
  }
}
