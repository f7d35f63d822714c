import { native } from './native.js'

/** Above everything that is not real-time, and below all else that is. */
const LEAST_PRIORITY = 1

/**
 * Puts the calling thread, and no other, under the real-time policy SCHED_RR (sched(7)): it runs as soon as it has something to do,
 * however busy this process or its control group is. A thread that computes for long keeps everybody else from its processor, so this
 * is for one that answers and waits. Threads and processes that it starts are ordinary ones.
 *
 * @returns false when the kernel refuses: CAP_SYS_NICE is missing, or the control group has no share of real time
 * @throws {SocketError} `ENOSYS` off Linux
 */
export const makeThreadRealTime = (): boolean => native().setRealTime(LEAST_PRIORITY) === 0
