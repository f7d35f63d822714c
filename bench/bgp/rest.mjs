// When a daemon has done its work, seen from outside and the same for all: its processes use no more CPU.
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuOf, memoryOf } from '../memberlist/proc.mjs'
import { now } from './session.mjs'

/** So long must nothing go on, milliseconds. */
const QUIET = 300
/** A process that uses less than this share of a core does nothing: timers, keepalives. */
const IDLE = 0.05
/** Looks are so far apart, milliseconds; of what takes long, so small a share of the time. */
const STEP = 2
const SHARE = 1 / 200

/** CPU seconds of all processes of a daemon. */
export const cpuOfAll = pids => pids.reduce((sum, pid) => sum + cpuOf(pid), 0)

/** Resident octets of all processes of a daemon. */
export const memoryOfAll = pids => pids.reduce((sum, pid) => sum + memoryOf(pid).resident * 1e6, 0)

/**
 * Watches from now on.
 * @param done asked when nothing has gone on for a while: is the work done? A daemon may wait for a timer of its own. What the
 * answer costs the daemon does not count
 * @returns when it was last seen at work, and its CPU seconds until then; `Infinity` after `limit` ms
 */
export async function rest(pids, { done, limit }) {
  const started = now()
  let used = 0
  let busyAt = started
  let quietSince = started
  let last = { at: started, cpu: cpuOfAll(pids) }
  for (;;) {
    await sleep(Math.max(STEP, (last.at - started) * SHARE))
    const next = { at: now(), cpu: cpuOfAll(pids) }
    const worked = next.cpu - last.cpu
    if (worked * 1000 > (next.at - last.at) * IDLE) {
      busyAt = quietSince = next.at
      used += worked
    }
    last = next
    if (next.at - started > limit) return { at: Infinity, cpu: used }
    if (next.at - quietSince < QUIET) continue
    if (await done()) return { at: busyAt, cpu: used }
    quietSince = now()
    last = { at: quietSince, cpu: cpuOfAll(pids) }
  }
}
