/** What the demo and its client process say to each other: one JSON object a line. */

/** From the demo, on standard input. */
export type ClientRequest =
  | { readonly id: number; readonly do: 'get'; readonly url: string; readonly timeout: number }
  | { readonly id: number; readonly do: 'resolve'; readonly address: string; readonly timeout: number }
  /** Asks `url` every `interval` ms without waiting for answers, until `stop`; each outcome is an {@link Outcome} with this id. */
  | {
      readonly id: number
      readonly do: 'ask'
      readonly url: string
      readonly interval: number
      readonly timeout: number
    }
  | { readonly id: number; readonly do: 'stop' }

/** To the demo, on standard output; `id` is the request's. */
export type ClientReply =
  | { readonly id: number; readonly body: string }
  | { readonly id: number; readonly macs: readonly string[] }
  | { readonly id: number; readonly error: string }
  | { readonly id: number; readonly outcome: Outcome }

/** One of the repeated requests. Times are milliseconds of the machine's monotonic clock, which all processes share. */
export interface Outcome {
  readonly started: number
  readonly ended: number
  /** Name of the node that answered; absent when the request was lost. */
  readonly node?: string
  /** Why it was lost: `ECONNREFUSED`, `timeout`, … */
  readonly error?: string
}

/** Milliseconds on CLOCK_MONOTONIC. */
export const monotonic = (): number => Number(process.hrtime.bigint() / 1000n) / 1000
