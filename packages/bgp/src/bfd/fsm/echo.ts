import { encodeEchoPacket, type EchoPacket, type Microseconds } from '../wire/index.js'
import { jittered, nextDue } from './schedule.js'

/**
 * The Echo function, RFC 5880 sections 6.4, 6.8.8 and 6.8.9: packets that come back show that the path works.
 *
 * How failures are found is left to us (section 6.8.5). The time counts from the first packet without an answer, so that a
 * stall in which we send nothing accuses nobody: the path has failed after Detect Mult intervals from there.
 */
export class EchoFunction {
  readonly #myDiscriminator: number
  readonly #random: () => number
  readonly #cookie: number
  #sequenceNumber = 0
  /** Packets sent after the last one that came back. */
  #outstanding = 0
  #unansweredSince: Microseconds = Infinity
  #lastSentAt: Microseconds = -Infinity
  #interval: Microseconds = 0
  #detectMult = 1
  #deadline: Microseconds = Infinity

  constructor(myDiscriminator: number, random: () => number) {
    this.#myDiscriminator = myDiscriminator
    this.#random = random
    this.#cookie = Math.floor(random() * 2 ** 32)
  }

  /** Interval before jitter; 0 while the function is not active. */
  get interval(): Microseconds {
    return this.#interval
  }

  /** When the next packet is due. */
  get deadline(): Microseconds {
    return this.#deadline
  }

  /** When the path counts as failed unless a packet comes back. */
  get detectionDeadline(): Microseconds {
    return this.#unansweredSince + this.#detectMult * this.#interval
  }

  /** Starts, or goes on with other values. @param interval not 0 */
  start(interval: Microseconds, detectMult: number, now: Microseconds): void {
    this.#detectMult = detectMult
    if (interval === this.#interval) return
    this.#interval = interval
    // Counted from the last packet even if the function was off since: the remote system's limit holds all the time.
    this.#deadline = Math.max(now, this.#lastSentAt + this.#wait())
  }

  stop(): void {
    this.#interval = 0
    this.#deadline = Infinity
    this.#outstanding = 0
    this.#unansweredSince = Infinity
  }

  /** Jitter is as with control packets (section 6.8.9), but one answer in time is enough, whatever the Detect Mult. */
  #wait(): Microseconds {
    return jittered(this.#interval, 0, this.#random())
  }

  /** The packet that is due. */
  send(now: Microseconds): Uint8Array {
    this.#sequenceNumber = (this.#sequenceNumber + 1) >>> 0
    this.#outstanding++
    if (this.#unansweredSince === Infinity) this.#unansweredSince = now
    this.#deadline = nextDue(this.#deadline, now, this.#interval, this.#wait())
    this.#lastSentAt = now
    return encodeEchoPacket({
      myDiscriminator: this.#myDiscriminator,
      sequenceNumber: this.#sequenceNumber,
      cookie: this.#cookie,
    })
  }

  /** @returns whether it is one of ours that had not come back, nor a later one */
  receive({ cookie, myDiscriminator, sequenceNumber }: EchoPacket, now: Microseconds): boolean {
    const behind = (this.#sequenceNumber - sequenceNumber) >>> 0
    if (cookie !== this.#cookie || myDiscriminator !== this.#myDiscriminator || behind >= this.#outstanding)
      return false
    this.#outstanding = behind
    this.#unansweredSince = behind === 0 ? Infinity : now
    return true
  }
}
