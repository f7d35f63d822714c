// What Linux tells about processes and their network.
import { readdirSync, readFileSync } from 'node:fs'

/** CPU time of a process so far, all its threads, in seconds. */
export function cpuOf(pid) {
  // utime and stime of /proc/PID/stat come in steps of 10 ms, which is what an idle node uses in several seconds.
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map(task =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ', 1)[0]),
  )
  return nanoseconds.reduce((sum, value) => sum + value, 0) / 1e9
}

/** Memory of a process in MB: all that is resident, and the part of it that is no file's. */
export function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const megabytes = field => (Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024) / 1e6
  return { resident: megabytes('VmRSS'), anonymous: megabytes('RssAnon') }
}

/** What the loopback interface of a process's network namespace has carried: IP packets and their octets, headers included. */
export function loopbackOf(pid) {
  const line = /^\s*lo:(.*)$/m.exec(readFileSync(`/proc/${pid}/net/dev`, 'utf8'))?.[1] ?? ''
  const [octets, packets] = line.trim().split(/\s+/).map(Number)
  return { packets, octets }
}
