import { callback } from '@typemetal/options'
import { native, PollEvent, type Native } from './native.js'
import { check } from './system-error.js'

const MICROSECONDS = 1_000_000
const LATEST = 0x7fffffff * MICROSECONDS // what the addon's 32-bit seconds hold
const ATTEMPTS = 10
const expiry = callback<() => void>()

/**
 * One alarm at an absolute time with the kernel's precision (timerfd_create(2)): the loop's own timers know whole milliseconds
 * only. Calls back on the loop of the thread that made it. Holds the process open until closed.
 */
export class DeadlineTimer implements Disposable {
  readonly #native: Native
  /** Microseconds of CLOCK_MONOTONIC when this thread's `performance.now()` was 0. */
  readonly #origin: number
  #descriptor: number

  /**
   * @param onExpire called once for each {@link set} that was not replaced before its time
   * @throws {TypeError} `onExpire` is no function
   * @throws {SocketError} `EMFILE`; `ENOSYS` off Linux
   */
  constructor(onExpire: () => void) {
    expiry('onExpire', onExpire)
    this.#native = native()
    this.#origin = monotonicOrigin()
    this.#descriptor = check(this.#native.openTimer(), 'timerfd_create')
    const onReadable = (): void => {
      // Set anew after it had expired, before the loop came to tell: that is a later alarm's.
      if (this.#native.readTimer(this.#descriptor) > 0) onExpire()
    }
    const watched = this.#native.watch(this.#descriptor, PollEvent.readable, onReadable)
    if (watched < 0) this.close()
    check(watched, 'epoll_ctl', 'timer')
  }

  /** Microseconds of this thread's `performance.now()`, with fractions: the clock of {@link set}. */
  now(): number {
    return now()
  }

  /**
   * Expires at so many microseconds of {@link now}, once, instead of what was set before; `Infinity` is never, and so is what is more
   * than 68 years after the machine's start.
   *
   * @throws {RangeError} when `at` is no number
   * @throws {SocketError} `EBADF` when it is closed
   */
  set(at: number): void {
    if (Number.isNaN(at)) throw new RangeError('at: a number of microseconds, not NaN')
    const time = Math.max(1, this.#origin + at)
    if (time > LATEST) return this.#arm(0, 0)
    const seconds = Math.floor(time / MICROSECONDS)
    const nanoseconds = Math.min(999_999_999, Math.ceil((time - seconds * MICROSECONDS) * 1000))
    return this.#arm(seconds, nanoseconds)
  }

  /** Both zero is never. */
  #arm(seconds: number, nanoseconds: number): void {
    check(this.#native.setTimer(this.#descriptor, seconds, nanoseconds), 'timerfd_settime')
  }

  /** No call comes afterwards. Safe to call twice. */
  close(): void {
    if (this.#descriptor < 0) return
    this.#native.close(this.#descriptor)
    this.#descriptor = -1
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close()
  }
}

const now = (): number => performance.now() * 1000

/** The two clocks are one and differ by a constant; what passes between reading one and the other makes it seem smaller. */
function monotonicOrigin(): number {
  let origin = 0
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const [seconds, nanoseconds] = process.hrtime()
    origin = Math.max(origin, seconds * MICROSECONDS + nanoseconds / 1000 - now())
  }
  return origin
}
