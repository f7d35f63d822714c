import {
  checkControlPacket,
  decodeControlPacket,
  Session,
  type Action,
  type ControlPacket,
  type Microseconds,
  type SessionOptions,
  type State,
} from '@typemetal/bgp/bfd'
import { digest } from './packets.js'

/** Numbers from 0 up to 1 that a seed decides (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What lies between two sessions; may be changed at any time. */
export interface Network {
  /** Least delay of a packet, one way. */
  delay: Microseconds
  /** What is added to it, at most: packets that follow within that time may be overtaken. */
  variation: Microseconds
  /** Part of the packets that are lost. */
  loss: number
  /** Part of the packets that come twice. */
  duplication: number
  /** Packets keep their order whatever the variation. */
  ordered: boolean
  /** How late timers fire, at most. */
  slop: Microseconds
}

/** A state that a session went to. */
export interface Change {
  readonly at: Microseconds
  readonly to: State
  readonly diagnostic: number
  /** State of the other end at that moment. */
  readonly otherState: State
  /** The last packet that had arrived, and how long before. */
  readonly last: ControlPacket | undefined
  readonly silence: Microseconds
  /** Packets to this end that were sent after that one and lost. */
  readonly lost: number
}

/** One end of a {@link Pair}. Times are those of the world; its session lives by a clock of its own. */
export class End {
  readonly session: Session
  readonly passive: boolean
  readonly changes: Change[] = []
  readonly #rate: number
  readonly #offset: number
  /** World time up to which nothing is done. */
  stalledUntil: Microseconds = -Infinity
  /** Nothing that it sends arrives. */
  cut = false
  /** It is gone. */
  dead = false
  /** When its session wants to be called, as far as its timer knows. */
  wakeAt: Microseconds = Infinity
  armedFor: Microseconds = NaN
  /** The last packet that arrived, and when. */
  last: ControlPacket | undefined
  lastAt: Microseconds = -Infinity
  /** The number of that packet at its sender, and those of the ones that were lost. */
  lastNumber = 0
  lost: number[] = []
  /** Packets that it has sent. */
  sent = 0
  /** Where the last packet of an ordered network arrives. */
  busyUntil: Microseconds = -Infinity
  /** Values of the Poll Sequence that is on. */
  #polled: string | undefined
  /** Poll Sequences that told other values before they had ended: there must be none. */
  mixedPolls = 0
  polls = 0

  constructor(options: SessionOptions, myDiscriminator: number, random: () => number, rate: number) {
    this.passive = options.passiveMode === true
    this.#rate = rate
    this.#offset = Math.floor(random() * 1e12)
    this.session = new Session(options, { myDiscriminator, random, now: this.local(0), digest })
  }

  /** This end's clock. */
  local(world: Microseconds): Microseconds {
    return this.#offset + world * this.#rate
  }

  /** When this end's clock shows that. */
  world(local: Microseconds): Microseconds {
    return (local - this.#offset) / this.#rate
  }

  /** Watches what is sent: a Poll Sequence tells one set of values. */
  sending({ desiredMinTxInterval, poll, requiredMinRxInterval }: ControlPacket): void {
    if (!poll) return
    const values = `${desiredMinTxInterval} ${requiredMinRxInterval}`
    if (this.#polled === undefined) this.polls++
    else if (this.#polled !== values) this.mixedPolls++
    this.#polled = values
  }

  /** Watches what ends a Poll Sequence. */
  pollEnds(): void {
    this.#polled = undefined
  }
}

interface Flight {
  readonly at: Microseconds
  readonly to: End
  readonly octets: Uint8Array
  readonly number: number
}

/** Two sessions and the network between them, in virtual time. */
export class Pair {
  readonly a: End
  readonly b: End
  readonly network: Network
  now: Microseconds = 0
  packets = 0
  /** Packets that came too late for their sequence number; an end counts them as lost. */
  refused = 0
  readonly #random: () => number
  readonly #flights: Flight[] = []

  constructor(a: End, b: End, network: Network, random: () => number) {
    this.a = a
    this.b = b
    this.network = network
    this.#random = random
    this.#arm(a)
    this.#arm(b)
  }

  other(end: End): End {
    return end === this.a ? this.b : this.a
  }

  /** Does something with a session at this moment. */
  call(end: End, act: (session: Session, now: Microseconds) => readonly Action[]): void {
    this.#perform(end, act(end.session, end.local(this.now)))
  }

  /** Lets time pass up to a moment. */
  run(until: Microseconds): void {
    for (;;) {
      const flight = this.#nextFlight()
      const arrival = flight === undefined ? Infinity : Math.max(flight.at, flight.to.stalledUntil)
      const end = wake(this.a) <= wake(this.b) ? this.a : this.b
      // At the same moment the packet comes first: what is in the socket's queue is read before a timer is believed.
      if (flight !== undefined && arrival <= wake(end)) {
        if (arrival > until) break
        this.now = Math.max(this.now, arrival)
        this.#flights.splice(this.#flights.indexOf(flight), 1)
        if (!flight.to.dead) this.#arrive(flight)
      } else {
        if (wake(end) > until) break
        this.now = Math.max(this.now, wake(end))
        this.call(end, (session, now) => session.expire(now))
      }
    }
    this.now = until
  }

  #nextFlight(): Flight | undefined {
    let next: Flight | undefined
    let least = Infinity
    for (const flight of this.#flights) {
      const at = Math.max(flight.at, flight.to.stalledUntil)
      if (at > least || (at === least && flight.at >= next!.at)) continue
      next = flight
      least = at
    }
    return next
  }

  #arrive({ number, octets, to }: Flight): void {
    if (checkControlPacket(octets) !== undefined) throw new Error('a session has sent what is to be discarded')
    const packet = decodeControlPacket(octets)
    const actions = to.session.receive(packet, octets, to.local(this.now))
    if (actions.some(action => action.type === 'discard' && action.reason === 'authentication-sequence')) {
      this.refused++
      if (number > to.lastNumber) to.lost.push(number)
      return
    }
    to.last = packet
    to.lastAt = this.now
    to.lastNumber = Math.max(to.lastNumber, number)
    to.lost = to.lost.filter(one => one > to.lastNumber)
    if (packet.final) to.pollEnds()
    this.#perform(to, actions)
  }

  #perform(end: End, actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.type === 'send') this.#send(end, action.octets)
      else if (action.type === 'state') {
        end.changes.push({
          at: this.now,
          to: action.to,
          diagnostic: action.diagnostic,
          otherState: this.other(end).session.state,
          last: end.last,
          silence: this.now - end.lastAt,
          lost: end.lost.length,
        })
        end.pollEnds()
      } else if (action.type === 'discard' && action.reason !== 'administratively-down')
        throw new Error(`discarded: ${action.reason}`)
    }
    this.#arm(end)
  }

  #arm(end: End): void {
    const { deadline } = end.session
    if (deadline === end.armedFor && end.wakeAt > this.now) return
    end.armedFor = deadline
    if (deadline === Infinity) {
      end.wakeAt = Infinity
      return
    }
    end.wakeAt = Math.max(this.now, end.world(deadline)) + this.#random() * this.network.slop
    // A timer that is a hair early by the end's own clock would have to be armed again; let it be late instead.
    while (end.local(end.wakeAt) < end.armedFor) end.wakeAt += 0.01
  }

  #send(from: End, octets: Uint8Array): void {
    const { delay, duplication, loss, ordered, variation } = this.network
    const to = this.other(from)
    from.sending(decodeControlPacket(octets))
    this.packets++
    const number = ++from.sent
    if (from.cut || this.#random() < loss) {
      to.lost.push(number)
      return
    }
    for (let copies = this.#random() < duplication ? 2 : 1; copies > 0; copies--) {
      let at = this.now + delay + this.#random() * variation
      if (ordered) at = to.busyUntil = Math.max(at, to.busyUntil)
      this.#flights.push({ at, to, octets, number })
    }
  }
}

/** When an end does something by itself. */
const wake = ({ dead, stalledUntil, wakeAt }: End): Microseconds => (dead ? Infinity : Math.max(wakeAt, stalledUntil))
