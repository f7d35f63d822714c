import type { FrameSocket, FrameSocketOptions, GroupSocket, Platform } from '../dist/node/platform.js'
import type { ScannedLink } from '@typemetal/arp-ndp/responder'

/** An interface that is up, has a carrier and a link-local address. */
export const link = (change: Partial<ScannedLink> = {}): ScannedLink => ({
  index: 2,
  name: 'eth0',
  mac: '02:00:00:00:00:01',
  up: true,
  flags: 0x1043,
  broadcast: true,
  noarp: false,
  master: undefined,
  addresses: [{ address: 'fe80::1', family: 6, tentative: false, dadFailed: false }],
  ...change,
})

const failure = (code: string): Error => Object.assign(new Error(`${code} from the virtual kernel`), { code })

/** A socket of the virtual platform: what it sent, and ways to make it misbehave. */
export class VirtualSocket implements FrameSocket {
  readonly sent: Uint8Array[] = []
  targets: readonly string[] | undefined
  open = true
  /** Frames that the transmit queue takes until {@link VirtualPlatform.advance} has let time pass. */
  room = Infinity
  sendFailure: string | undefined

  constructor(readonly options: FrameSocketOptions) {
    this.targets = options.targets
  }
  sendBatch(frames: readonly Uint8Array[]): number {
    if (this.sendFailure !== undefined) throw failure(this.sendFailure)
    const taken = frames.slice(0, this.room)
    this.room -= taken.length
    this.sent.push(...taken)
    return taken.length
  }
  setTargets(targets: readonly string[] | undefined): void {
    this.targets = targets
  }
  statistics(): { packets: number; drops: number } {
    return { packets: 0, drops: 0 }
  }
  close(): void {
    this.open = false
  }
}

/** Links, sockets and a clock that stand still until the test moves them. */
export class VirtualPlatform implements Platform {
  linkList: readonly ScannedLink[] = [link()]
  /** Makes `links()` fail. */
  broken = false
  looks = 0
  readonly sockets: VirtualSocket[] = []
  /** Groups of each group socket that is open. */
  readonly groups = new Map<GroupSocket, Set<string>>()
  groupsPerSocket = Infinity
  /** `arp` or `ndp` → error code that opening fails with. */
  readonly refusals = new Map<string, string>()
  changed = (): void => {}
  #now = 0
  #timers: { at: number; callback: () => void }[] = []

  links(): readonly ScannedLink[] {
    this.looks++
    if (this.broken) throw failure('EBUSY')
    return this.linkList
  }
  watchLinks(onChange: () => void): { close(): void } {
    this.changed = onChange
    return { close: () => (this.changed = () => {}) }
  }
  openFrames(options: FrameSocketOptions): FrameSocket {
    const refusal = this.refusals.get(options.protocol)
    if (refusal !== undefined) throw failure(refusal)
    const socket = new VirtualSocket(options)
    this.sockets.push(socket)
    return socket
  }
  openGroups(): GroupSocket {
    const joined = new Set<string>()
    const socket: GroupSocket = {
      joinGroup: group => {
        if (joined.size >= this.groupsPerSocket) throw failure('ENOBUFS')
        joined.add(group)
      },
      leaveGroup: group => void joined.delete(group),
      close: () => void this.groups.delete(socket),
    }
    this.groups.set(socket, joined)
    return socket
  }
  now(): number {
    return this.#now
  }
  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.#now + milliseconds, callback }
    this.#timers.push(timer)
    return () => (this.#timers = this.#timers.filter(other => other !== timer))
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.length
  }
  /** The socket of a protocol that is open now. */
  socket(protocol: 'arp' | 'ndp', interfaceIndex = 2): VirtualSocket {
    const found = this.sockets.findLast(
      ({ options, open }) => open && options.protocol === protocol && options.interfaceIndex === interfaceIndex,
    )
    if (found === undefined) throw new Error(`no open ${protocol} socket on ${interfaceIndex}`)
    return found
  }
  /** All groups joined now, in order. */
  get joined(): string[] {
    return [...this.groups.values()].flatMap(groups => [...groups]).toSorted()
  }
  /** Lets so many milliseconds pass. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds
    for (;;) {
      const due = this.#timers.toSorted((a, b) => a.at - b.at)[0]
      if (due === undefined || due.at > end) break
      this.#timers = this.#timers.filter(timer => timer !== due)
      this.#now = Math.max(this.#now, due.at)
      due.callback()
    }
    this.#now = end
  }
}
