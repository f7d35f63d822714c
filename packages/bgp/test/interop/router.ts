import type { FamilyName } from '@typemetal/bgp'
import type { BfdPeerOptions } from './bfd-peer.js'
import type { Daemon } from './daemon.js'
import type { Host } from './namespace.js'

/** A neighbour of the router: us. */
export interface Neighbor {
  /** Ours. */
  readonly address: string
  readonly asn: number
  /** The router's own on this session. */
  readonly localAddress: string
  readonly passive?: boolean
  readonly password?: string
}

/** A prefix that the router announces by itself. */
export interface Network {
  readonly prefix: string
  readonly multiExitDisc?: number
  /** In our notation: `a:b`, `large:a:b:c`, `rt:a:b`. */
  readonly communities?: readonly string[]
}

/** How a real router is set up. */
export interface RouterOptions {
  readonly asn: number
  readonly routerId: string
  /** Its addresses, next hops of its own prefixes; some would make up one of the family that the session is not of. */
  readonly nextHops: { readonly ipv4: string; readonly ipv6: string }
  readonly neighbors: readonly Neighbor[]
  readonly holdTime?: number
  readonly networks?: readonly Network[]
  /** RFC 7911, both ways. */
  readonly addPath?: boolean
  /** RFC 4724: restart time in seconds; it keeps its forwarding state. */
  readonly gracefulRestart?: number
  /** RFC 9494: stale time in seconds. */
  readonly longLivedStaleTime?: number
  /** RFC 8950. */
  readonly extendedNextHop?: boolean
  /** RFC 8654. */
  readonly extendedMessage?: boolean
  /** RFC 7313. */
  readonly enhancedRouteRefresh?: boolean
  /** BFD with every neighbour, where it has that. */
  readonly bfd?: Omit<BfdPeerOptions, 'neighbors'>
  /** RFC 9234: its own role. */
  readonly role?: 'provider' | 'customer' | 'peer' | 'rs-server' | 'rs-client'
}

/** A path as the router's own command line shows it. */
export interface SeenPath {
  readonly prefix: string
  readonly nextHop: string
  /** AS numbers with spaces between. */
  readonly asPath: string
  readonly localPref: number | undefined
  readonly multiExitDisc: number | undefined
  /** In our notation, sorted: `a:b` or a well-known name, `large:a:b:c`, `rt:a:b`, `soo:a:b`. */
  readonly communities: readonly string[]
  /** Kept of a session that is gone, RFC 4724; `undefined` where it does not show that. */
  readonly stale: boolean | undefined
}

/** A running BGP daemon of somebody else's. Where a neighbour is not named, its first one is meant. */
export interface Router {
  readonly daemon: Daemon
  /** Gives it other options, which it follows from its next start on. */
  configure(options: RouterOptions): void
  /** What it has learned from a neighbour, as it came. */
  paths(neighbor?: string): Promise<readonly SeenPath[]>
  /** How many prefixes it has from a neighbour. */
  count(neighbor?: string): Promise<number>
  /** Addresses of the neighbours with an Established session. */
  established(): Promise<readonly string[]>
  /** Asks its first neighbour to announce a family again, RFC 2918. */
  requestRefresh(family: FamilyName): Promise<unknown>
  /** Closes the session with its first neighbour, which may come up again. */
  reset(): Promise<unknown>
  /** Tells it something over an API that it has beside its command line. */
  command?(...lines: readonly string[]): Promise<unknown>
  /** Ends the pause that it makes after a session has failed, where it has a command for that. */
  hurry?(): Promise<unknown>
}

export type RouterName = 'FRR' | 'BIRD' | 'GoBGP' | 'OpenBGPD' | 'ExaBGP'

/** A kind of router. */
export interface RouterKind {
  readonly name: RouterName
  /** Why it cannot be used here; `undefined` when it can. */
  missing(): string | undefined
  start(host: Host, options: RouterOptions): Promise<Router>
}

const ALIASES: ReadonlyMap<string, string> = new Map([
  ['65535:0', 'graceful-shutdown'],
  ['65535:666', 'blackhole'],
  ['65535:65281', 'no-export'],
  ['65535:65282', 'no-advertise'],
  ['65535:65283', 'no-export-subconfed'],
  ['65535:65284', 'no-peer'],
  ['local-as', 'no-export-subconfed'],
  ['internet', '0:0'],
])

/** A standard community, whatever the router calls it, in our notation. */
export function communityName(text: string): string {
  const plain = text.toLowerCase().replaceAll('_', '-')
  return ALIASES.get(plain) ?? plain
}

/** Those of a network by kind, in the notation of RFC 1997 and so on, without our `large:` and `rt:`. */
export function communitiesOf({ communities = [] }: Network): {
  readonly standard: readonly string[]
  readonly large: readonly string[]
  readonly routeTargets: readonly string[]
} {
  const withPrefix = (prefix: string): readonly string[] =>
    communities.filter(text => text.startsWith(prefix)).map(text => text.slice(prefix.length))
  const standard = communities.filter(text => /^\d+:\d+$/.test(text))
  return { standard, large: withPrefix('large:'), routeTargets: withPrefix('rt:') }
}

export const isIpv6 = ({ prefix }: { readonly prefix: string }): boolean => prefix.includes(':')
