import { isLinkLocal } from '../wire/ipv6.js'
import { MAC_LENGTH, parseMac } from '../wire/mac.js'
import type { ResponderIdentity } from './responder.js'
import { parseAddress } from '../address.js'

/** What the scan looks at in a link; `listLinks()` of `@typemetal/sockets` gives objects of this shape. */
export interface ScannedLink {
  readonly index: number
  readonly name: string
  /** `02:00:00:00:00:01`, or empty when the link has none. */
  readonly mac: string
  /** IFF_UP: administratively up. */
  readonly up: boolean
  /** IFF_RUNNING or IFF_LOWER_UP: there is a carrier. */
  readonly flags: number
  /** IFF_BROADCAST */
  readonly broadcast: boolean
  /** IFF_NOARP */
  readonly noarp: boolean
  /** Index of the bond, bridge or VRF that the link is a member of. */
  readonly master: number | undefined
  readonly addresses: readonly {
    readonly address: string
    readonly family: 4 | 6
    readonly tentative: boolean
    readonly dadFailed: boolean
  }[]
}

/** A responder that should be there. */
export interface WantedResponder {
  /** Protocol and interface index; a responder is the same one while this and the identity stay. */
  readonly key: string
  readonly index: number
  readonly identity: ResponderIdentity
  /** The link has a carrier. Neighbours behind a link that comes back may have forgotten us. */
  readonly running: boolean
}

/** Outcome of one look at all interfaces. */
export interface Scan {
  /** Names of all interfaces that are not excluded, also of those that are down or enslaved. */
  readonly known: readonly string[]
  /** MAC addresses of all interfaces that have one, also of those that are excluded: what comes from one of them is our own. */
  readonly macs: readonly Uint8Array[]
  readonly wanted: readonly WantedResponder[]
}

/** Interface names that MetalLB excludes when it is installed: those of containers, tunnels and virtual machines. */
export const DEFAULT_EXCLUDED_INTERFACES: readonly string[] = [
  '^docker.*',
  '^cbr.*',
  '^dummy.*',
  '^virbr.*',
  '^lxcbr.*',
  '^veth.*',
  '^lo$',
  '^cali.*',
  '^tunl.*',
  '^flannel.*',
  '^kube-ipvs.*',
  '^cni.*',
  '^nodelocaldns.*',
  '^lxc.*',
]

const IFF_RUNNING = 0x40

/**
 * Joins patterns into one test of an interface name; they are not anchored unless they say so.
 * @throws {SyntaxError} a pattern that is no regular expression
 */
export function excludes(patterns: readonly string[]): (name: string) => boolean {
  const expressions = patterns.map(pattern => new RegExp(pattern))
  return name => expressions.some(expression => expression.test(name))
}

/**
 * Decides which responders the interfaces want: ARP where there is broadcast, NDP where there is a link-local address
 * that has passed DAD (RFC 4862 §5.4), the one independent of the other; neither on an interface that is excluded, down,
 * a member of another (bond, bridge), without ARP, or without a MAC address.
 */
export function scan(links: readonly ScannedLink[], isExcluded: (name: string) => boolean): Scan {
  const known = links.filter(link => !isExcluded(link.name))
  return {
    known: known.map(link => link.name),
    macs: links.filter(hasMac).map(link => parseMac(link.mac)),
    wanted: known.flatMap(wantedOn),
  }
}

const hasMac = (link: ScannedLink): boolean => link.mac.length === MAC_LENGTH * 3 - 1

function wantedOn(link: ScannedLink): WantedResponder[] {
  if (!link.up || link.master !== undefined || link.noarp || !hasMac(link)) return []
  const mac = parseMac(link.mac)
  const linkLocal = usableLinkLocal(link)
  const wanted: WantedResponder[] = []
  if (link.broadcast) wanted.push(wantedResponder(link, { protocol: 'arp', interface: link.name, mac }))
  if (linkLocal) wanted.push(wantedResponder(link, { protocol: 'ndp', interface: link.name, mac, linkLocal }))
  return wanted
}

const wantedResponder = (link: ScannedLink, identity: ResponderIdentity): WantedResponder => ({
  key: `${identity.protocol} ${link.index}`,
  index: link.index,
  identity,
  running: (link.flags & IFF_RUNNING) !== 0,
})

function usableLinkLocal(link: ScannedLink): Uint8Array | undefined {
  for (const { address, family, tentative, dadFailed } of link.addresses) {
    if (family !== 6 || tentative || dadFailed) continue
    const { octets } = parseAddress(address)
    if (isLinkLocal(octets)) return octets
  }
  return undefined
}

/** What turns the responders that stand into those that are wanted. */
export interface ScanDifference {
  /** Keys to close; one that is also in `open` is replaced, because its name, MAC or link-local address has changed. */
  readonly close: readonly string[]
  readonly open: readonly WantedResponder[]
  /** Keys of responders whose link has its carrier again. */
  readonly recovered: readonly string[]
  /** Keys of all that stay, with what the scan says of them now. */
  readonly keep: readonly WantedResponder[]
}

/** Compares what stands with what is wanted. */
export function compareScan(
  standing: ReadonlyMap<string, WantedResponder>,
  wanted: readonly WantedResponder[],
): ScanDifference {
  const keep = wanted.filter(({ key, identity }) => sameIdentity(standing.get(key)?.identity, identity))
  const kept = new Set(keep.map(({ key }) => key))
  return {
    close: [...standing.keys()].filter(key => !kept.has(key)),
    open: wanted.filter(({ key }) => !kept.has(key)),
    recovered: keep.filter(({ key, running }) => running && !standing.get(key)?.running).map(({ key }) => key),
    keep,
  }
}

const identityText = (identity: ResponderIdentity): string =>
  [identity.interface, identity.mac, identity.protocol === 'ndp' ? identity.linkLocal : ''].join(' ')

const sameIdentity = (a: ResponderIdentity | undefined, b: ResponderIdentity): boolean =>
  a !== undefined && identityText(a) === identityText(b)
