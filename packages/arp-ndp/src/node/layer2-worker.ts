import { constants, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { makeThreadRealTime } from '@typemetal/sockets'
import { Answerer } from './answerer.js'
import { plainError, type Report, type Request, type WorkerOptions } from './messages.js'
import { unpack } from './packed-change.js'
import { systemPlatform } from './system-platform.js'

/** The worker thread that {@link Layer2} starts: carries the main thread's requests to an {@link Answerer}. */
if (parentPort !== null) run(parentPort)

function run(port: NonNullable<typeof parentPort>): void {
  const report = (message: Report): void => port.postMessage(message)
  const options = workerData as WorkerOptions
  if (options.raisesPriority) raisePriority()
  const answerer = new Answerer(systemPlatform, options, report)
  port.on('message', (request: Request) => {
    if (request.type === 'change') return answerer.obey({ ...request, set: unpack(request.set) })
    if (request.type !== 'close') return answerer.obey(request)
    answerer.close()
    return port.close()
  })
  try {
    answerer.start()
  } catch (error) {
    answerer.close()
    report({ type: 'failed', error: plainError(error) })
    port.close()
  }
}

/**
 * A niceness counts within a control group or session only, of which the main thread may use up all the time, so the real-time
 * policy is asked for first. Without CAP_SYS_NICE both are refused, and answers are late on a busy machine.
 */
function raisePriority(): void {
  try {
    if (!makeThreadRealTime()) setPriority(0, constants.priority.PRIORITY_HIGHEST) // on Linux 0 is the calling thread alone
  } catch {
    // It stays as it is.
  }
}
