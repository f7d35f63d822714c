/** Routers of three makes that do one job: learn what the nodes announce by BGP and put it into the host's kernel. */
import type { Host } from '../host.js'
import { startBird } from './bird.js'
import { startEmbedded } from './embedded.js'
import { startFrr } from './frr.js'

/** `embedded` is built on `@typemetal/bgp` and always there. */
export const ROUTER_KINDS = ['embedded', 'frr', 'bird'] as const
/** One of {@link ROUTER_KINDS}. */
export type RouterKind = (typeof ROUTER_KINDS)[number]

/** What every router is told. */
export interface RouterOptions {
  /** Its AS number. */
  readonly asn: number
  /** Dotted quad. */
  readonly bgpIdentifier: string
  /** It waits for sessions from this prefix, whoever calls first, … */
  readonly peerPrefix: string
  /** … in this AS. */
  readonly peerAsn: number
  /** A folder for its configuration and sockets; made when it is not there. */
  readonly directory: string
}

/** A running router. */
export interface Router extends AsyncDisposable {
  readonly kind: RouterKind
  /** Name and version for the reader: `FRR 8.4.4`. */
  readonly title: string
  /** Commands a user can run in the host to look into it: what it shows, and the arguments. */
  readonly commands: readonly { readonly shows: string; readonly argv: readonly string[] }[]
}

/**
 * Starts a router in a host; resolves when it accepts BGP sessions. Forwarding and multipath hashing are the host's sysctls.
 * @throws {LabError} ERR_LAB_MISSING_PACKAGE when its Debian package is not installed, ERR_LAB_PROCESS when it does not start
 */
export async function startRouter(kind: RouterKind, host: Host, options: RouterOptions): Promise<Router> {
  switch (kind) {
    case 'embedded':
      return startEmbedded(host, options)
    case 'frr':
      return startFrr(host, options)
    case 'bird':
      return startBird(host, options)
    default:
      return kind satisfies never
  }
}
