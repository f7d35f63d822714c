import { constants, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { plainError, type Report, type Request, type WorkerOptions } from './messages.js'
import { BfdSystem } from './system.js'
import { createSystemPlatform } from './system-platform.js'

/** The worker thread that `Bfd` starts: carries the main thread's requests to a {@link BfdSystem}. */
if (parentPort !== null) run(parentPort)

function run(port: NonNullable<typeof parentPort>): void {
  const report = (message: Report): void => port.postMessage(message)
  raisePriority()
  const system = new BfdSystem(createSystemPlatform(), workerData as WorkerOptions, report)
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

/** On Linux 0 is the calling thread alone. Without CAP_SYS_NICE it stays as it is. */
function raisePriority(): void {
  try {
    setPriority(0, constants.priority.PRIORITY_HIGHEST)
  } catch {
    // It is a wish: the sockets are drained before anybody is accused all the same.
  }
}
