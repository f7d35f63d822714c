/** Loads of a drain test, and what is expected of them. */
import type { Test } from 'tap'
import type { World } from './drain-world.js'
import type { LoadResult } from './load-main.js'

/** What to ask whom, and how often a second. */
export type Load = readonly [kind: 'udp' | 'tcp' | 'ask', address: string, rate: number]

/** Results by `kind address`. */
export type Results = ReadonlyMap<string, LoadResult>

/** Starts them all. @returns stops them */
export async function startLoads(world: World, loads: readonly Load[]): Promise<() => Promise<Results>> {
  const stops = await Promise.all(
    loads.map(async ([kind, address, rate]) => ({
      name: `${kind} ${address}`,
      stop: await world.load(kind, address, rate),
    })),
  )
  return async () => new Map(await Promise.all(stops.map(async ({ name, stop }) => [name, await stop()] as const)))
}

/** Connections that are begun in one moment at most, on a machine that is late with them. */
const AT_ONCE = 50

/** Prints what the loads saw and fails the test for each request that was not answered. */
export function judge(t: Test, results: Results): void {
  for (const [name, { sent, answered, failures, longestGap, slowest, by }] of results) {
    const gap = `longest gap ${Math.round(longestGap)} ms, slowest ${Math.round(slowest)} ms`
    t.comment(`${name}: ${sent} requests, ${failures.length} failed, ${gap}, by ${JSON.stringify(by)}`)
    t.ok(answered > 0, name)
    if (name.startsWith('tcp')) {
      // What is open while its address moves meets a node that does not know it: nothing that a speaker can do helps that.
      t.ok(
        failures.every(({ reason }) => reason === 'ECONNRESET') && failures.length <= AT_ONCE,
        `${name}: only what was open, ${failures.length} of ${sent}`,
      )
    } else t.strictSame(failures, [], `${name}: none failed`)
  }
}

/** Real time, for what no event tells. */
export const wait = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
