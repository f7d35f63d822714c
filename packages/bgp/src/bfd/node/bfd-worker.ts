import { constants, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { makeThreadRealTime } from '@typemetal/sockets'
import { plainError, type Report, type Request, type WorkerOptions } from './messages.js'
import { BfdSystem } from './system.js'
import { createSystemPlatform } from './system-platform.js'

/** The worker thread that `Bfd` starts: carries the main thread's requests to a {@link BfdSystem}. */
if (parentPort !== null) run(parentPort)

function run(port: NonNullable<typeof parentPort>): void {
  const report = (message: Report): void => port.postMessage(message)
  const { totals, raisesPriority } = workerData as WorkerOptions
  if (raisesPriority) raisePriority()
  const system = new BfdSystem(createSystemPlatform(), { totals }, report)
  const end = (): void => system.close(() => port.close())
  port.on('message', (request: Request) => {
    if (request.type === 'close') end()
    else system.handle(request)
  })
  try {
    system.start()
  } catch (error) {
    report({ type: 'failed', error: plainError(error) })
    end()
  }
}

/**
 * A niceness counts within a control group or session only, of which the main thread may use up all the time, so the real-time policy
 * is asked for first. Without CAP_SYS_NICE both are refused: it is a wish, as nobody is accused before the sockets are drained.
 */
function raisePriority(): void {
  try {
    if (!makeThreadRealTime()) setPriority(0, constants.priority.PRIORITY_HIGHEST) // on Linux 0 is the calling thread alone
  } catch {
    // It stays as it is.
  }
}
