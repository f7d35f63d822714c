// Loaded into a speaker before its program: writes down, by the clock that all processes of this machine share, when a folder's quiet time
// after a change was over and the speaker began to look at what had changed. What comes before that moment is the folder's `debounce`.
import { subscribe } from 'node:diagnostics_channel'
import { openSync, writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  const file = openSync(process.env.TYPEMETAL_BENCH_TRACE, 'a')
  subscribe('typemetal:folder:looking', ({ paths }) => {
    const at = Number(process.hrtime.bigint()) / 1e6
    writeSync(file, `${JSON.stringify({ at, paths })}\n`)
  })
}
