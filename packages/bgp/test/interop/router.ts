import type { Host } from './namespace.js'

/** How a real router is set up: one neighbour, which is us. */
export interface RouterOptions {
  readonly asn: number
  readonly routerId: string
  /** Its own address on the session. */
  readonly address: string
  /** Next hop of its IPv6 prefixes; FRR without its zebra daemon knows no interfaces and would make one up. */
  readonly ipv6NextHop: string
  readonly neighbor: {
    readonly address: string
    readonly asn: number
    readonly passive?: boolean
    readonly password?: string
  }
  readonly holdTime?: number
  /** Prefixes that it announces. */
  readonly networks?: readonly string[]
}

/** A route as the router's own command line shows it. */
export interface SeenRoute {
  readonly nextHop: string
  readonly asPath: string
  readonly localPref: number | undefined
  /** `a:b` and `large:a:b:c`. */
  readonly communities: readonly string[]
}

/** A running BGP daemon of somebody else's. */
export interface Router extends AsyncDisposable {
  /** What it has learned from us, by prefix. */
  routes(): ReadonlyMap<string, SeenRoute>
  isEstablished(): boolean
  /** Kills it without a word and starts it again. */
  restart(): Promise<void>
  /** Stops it from running, as a hung machine would; {@link Router.thaw} ends that. */
  freeze(): void
  thaw(): void
}

/** A kind of router. */
export interface RouterKind {
  readonly name: string
  /** Why it cannot be used here; `undefined` when it can. */
  missing(): string | undefined
  start(host: Host, options: RouterOptions): Promise<Router>
}
