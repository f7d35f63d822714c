// Sessions at intervals that `Bfd` refuses, to learn where the platform ends: its worker, without its checks.
import { once } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { checkSessionOptions } from '@typemetal/bgp/bfd'
import { checkEndpoint } from '../../packages/bgp/dist/bfd/node/endpoint.js'
import { HeldSession } from '../../packages/bgp/dist/bfd/node/held-session.js'
import { createTotals, readTotals } from '../../packages/bgp/dist/bfd/node/totals.js'

const WORKER = new URL('../../packages/bgp/dist/bfd/node/bfd-worker.js', import.meta.url)

export class Hasty {
  #totals = createTotals()
  #worker
  #sessions = []

  static async start() {
    const hasty = new Hasty()
    const resourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 128 }
    const workerData = { totals: hasty.#totals, raisesPriority: true }
    setFlagsFromString('--no-memory-reducer') // as `Bfd` does
    hasty.#worker = new Worker(WORKER, { workerData, resourceLimits })
    await once(hasty.#worker, 'message')
    setFlagsFromString('--memory-reducer')
    hasty.#worker.on('message', report => {
      if (report.type === 'state') hasty.#sessions[report.id].report(report.to, report.from, report.details)
    })
    return hasty
  }

  session({ address, ...options }) {
    const id = this.#sessions.length
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    const send = request => this.#worker.postMessage(request)
    this.#sessions[id] = new HeldSession(id, checkEndpoint({ address }), send, () => {})
    return this.#sessions[id].join(checkSessionOptions(options))
  }

  counters() {
    return readTotals(this.#totals)
  }
}
