// What Linux tells about the threads of a process.
import { readdirSync, readFileSync } from 'node:fs'

/** CPU time of each thread so far, in seconds. */
export function threadsOf(pid) {
  return readdirSync(`/proc/${pid}/task`).map(task => ({
    main: Number(task) === pid,
    seconds: Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ', 1)[0]) / 1e9,
  }))
}
