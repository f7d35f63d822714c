import type { FrameSocket, FrameSocketOptions, GroupSocket, Platform } from '../dist/node/platform.js'
import { formatAddress } from '../dist/address.js'
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
  /** Milliseconds at which each frame of {@link sent} went out. */
  readonly sentAt: number[] = []
  /** Addresses that the kernel's filter lets through, as texts; all when `undefined`. */
  targets: readonly string[] | undefined
  /** How often a filter was made. */
  filters = 0
  open = true
  sendFailure: string | undefined
  filterFailure: string | undefined
  #room = Infinity
  #isWaiting = false

  constructor(
    readonly options: FrameSocketOptions,
    readonly platform: VirtualPlatform,
  ) {
    this.targets = options.targets?.map(formatAddress)
  }
  /** Frames that the transmit queue takes until it is set anew; whoever waits for room is told then. */
  get room(): number {
    return this.#room
  }
  set room(room: number) {
    this.#room = room
    if (!this.#isWaiting || room === 0) return
    this.#isWaiting = false
    this.platform.after(0, () => this.open && this.options.onWritable())
  }
  sendBatch(frames: readonly Uint8Array[]): number {
    if (this.sendFailure !== undefined) throw failure(this.sendFailure)
    const taken = frames.slice(0, this.#room)
    this.#room -= taken.length
    this.#isWaiting ||= taken.length < frames.length
    // The kernel keeps a copy: whoever sends writes into the same octets again.
    this.sent.push(...taken.map(frame => frame.slice()))
    this.sentAt.push(...taken.map(() => this.platform.now()))
    return taken.length
  }
  setTargets(targets: readonly Uint8Array[] | undefined): void {
    this.filters++
    if (targets !== undefined && this.filterFailure !== undefined) throw failure(this.filterFailure)
    this.targets = targets?.map(formatAddress)
  }
  statistics(): { packets: number; drops: number } {
    return { packets: 0, drops: 0 }
  }
  /** Frames that come in. */
  receive(...frames: readonly Uint8Array[]): void {
    this.options.onFrames(frames)
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
  /** Milliseconds that `links()` takes. */
  lookTakes = 0
  looks = 0
  readonly sockets: VirtualSocket[] = []
  /** Groups of each group socket that is open. */
  readonly groups = new Map<GroupSocket, Set<string>>()
  groupsPerSocket = Infinity
  /** `arp` or `ndp` → error code that opening fails with. */
  readonly refusals = new Map<string, string>()
  changed = (): void => {}
  #now = 0
  /** In the order in which they are due. */
  readonly #timers: { readonly at: number; readonly callback: () => void }[] = []

  links(): readonly ScannedLink[] {
    this.looks++
    this.#now += this.lookTakes
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
    const socket = new VirtualSocket(options, this)
    this.sockets.push(socket)
    return socket
  }
  openGroups(): GroupSocket {
    const joined = new Set<string>()
    const socket: GroupSocket = {
      joinGroup: group => {
        if (joined.size >= this.groupsPerSocket) throw failure('ENOBUFS')
        if (joined.has(formatAddress(group))) throw failure('EADDRINUSE')
        joined.add(formatAddress(group))
      },
      leaveGroup: group => {
        if (!joined.delete(formatAddress(group))) throw failure('EADDRNOTAVAIL')
      },
      close: () => void this.groups.delete(socket),
    }
    this.groups.set(socket, joined)
    return socket
  }
  now(): number {
    return this.#now
  }
  dateOf(instant: number): Date {
    return new Date(instant)
  }
  /** What `random()` gives. */
  chance = 0.5
  random(): number {
    return this.chance
  }
  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, milliseconds), callback }
    const next = this.#timers.findIndex(({ at }) => at > timer.at)
    this.#timers.splice(next < 0 ? this.#timers.length : next, 0, timer)
    return () => {
      const index = this.#timers.indexOf(timer)
      if (index >= 0) this.#timers.splice(index, 1)
    }
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
  /** Lets timers go off, one after the other, until something is so. */
  until(isSo: () => boolean): void {
    while (!isSo()) {
      const due = this.#timers.shift()
      if (due === undefined) throw new Error('no timer is left, and it is not so')
      this.#now = Math.max(this.#now, due.at)
      due.callback()
    }
  }
  /** Lets so many milliseconds pass. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds
    for (;;) {
      const due = this.#timers[0]
      if (due === undefined || due.at > end) break
      this.#timers.shift()
      this.#now = Math.max(this.#now, due.at)
      due.callback()
    }
    this.#now = Math.max(this.#now, end)
  }
}
