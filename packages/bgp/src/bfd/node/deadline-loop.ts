import type { Microseconds } from '../wire/index.js'
import type { Alarm, Platform } from './platform.js'
import { Schedule, type Scheduled } from './schedule.js'

/** An alarm that rings later than so says that this thread has been kept from running. */
const STALL: Microseconds = 10_000
/** After a stall, time for the kernel to bring to the sockets what came meanwhile. */
const SECOND_LOOK: Microseconds = 1000

/**
 * One alarm for all that is scheduled. What waits at the sockets is read before anybody is accused of silence; after a stall it is
 * looked a second time.
 */
export class DeadlineLoop {
  readonly #schedule = new Schedule()
  readonly #platform: Platform
  readonly #drain: () => void
  readonly #onDone: () => void
  #alarm: Alarm | undefined
  /** What the alarm is set to. */
  #armed: Microseconds = Infinity
  /** Deadlines are being worked off: the alarm is set when that is done. */
  #working = false
  #stalled = false

  /**
   * @param drain reads what waits at all sockets
   * @param onDone called after what was due is done
   */
  constructor(platform: Platform, drain: () => void, onDone: () => void) {
    this.#platform = platform
    this.#drain = drain
    this.#onDone = onDone
  }

  start(): void {
    this.#alarm = this.#platform.openAlarm(() => this.#wake())
    this.arm()
  }

  /** Takes an entry in, or notes that its deadline is another. */
  update(entry: Scheduled): void {
    this.#schedule.update(entry)
    this.arm()
  }

  /** Takes an entry out. */
  delete(entry: Scheduled): void {
    this.#schedule.delete(entry)
  }

  /** Sets the alarm. One that rings early costs less than one that is set anew for each packet. */
  arm(): void {
    const { deadline } = this.#schedule
    if (this.#alarm === undefined || deadline >= this.#armed || this.#working || this.#stalled) return
    this.#armed = deadline
    this.#alarm.set(deadline)
  }

  close(): void {
    this.#alarm?.close()
    this.#alarm = undefined
  }

  #wake(): void {
    const late = this.#platform.now() - this.#armed
    this.#working = true
    if (late > STALL && !this.#stalled) {
      this.#stalled = true
      this.#drain()
      this.#armed = this.#platform.now() + SECOND_LOOK
      this.#alarm?.set(this.#armed)
    } else {
      this.#stalled = false
      this.#armed = Infinity
      this.#expire()
    }
    this.#working = false
    this.#onDone()
    this.arm()
  }

  #expire(): void {
    let now = this.#platform.now()
    let drainedAt = -Infinity
    for (let { first } = this.#schedule; first !== undefined; { first } = this.#schedule) {
      if (this.#schedule.deadline > now) break
      if (first.detectionDeadline <= now && first.detectionDeadline > drainedAt) {
        drainedAt = now
        this.#drain()
        now = this.#platform.now()
      } else {
        first.expire(now)
        this.#schedule.update(first)
      }
    }
  }
}
