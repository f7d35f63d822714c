import { parentPort, workerData } from 'node:worker_threads'
import { Answerer } from './answerer.js'
import { plainError, type Report, type Request, type WorkerOptions } from './messages.js'
import { systemPlatform } from './system-platform.js'

/** The worker thread that {@link Layer2} starts: carries the main thread's requests to an {@link Answerer}. */
if (parentPort !== null) run(parentPort)

function run(port: NonNullable<typeof parentPort>): void {
  const report = (message: Report): void => port.postMessage(message)
  const answerer = new Answerer(systemPlatform, workerData as WorkerOptions, report)
  port.on('message', (request: Request) => {
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
