import {
  Afi,
  AS_TRANS,
  familyOf,
  type AddPathCapability,
  type Capability,
  type FamilyName,
  type GracefulRestartCapability,
  type LongLivedGracefulRestartCapability,
  type OpenMessage,
} from '../wire/index.js'
import type { AddPathOptions, CapabilityOptions, Confederation } from './capability-options.js'
import { roleOf } from './roles.js'
import type { Seconds } from './timers.js'

/** AS number that the peer must have: this one, ours (`internal`), or any but ours (`external`). */
export type RemoteAs = number | 'internal' | 'external'

/** What we say of ourselves in an OPEN. */
export interface LocalSpeaker extends CapabilityOptions {
  readonly asn: number
  readonly bgpIdentifier: number
  readonly holdTime: Seconds
  readonly families: readonly FamilyName[]
}

/**
 * How much of our capabilities an OPEN has: `essential` are the families and 4-octet AS; `none` is for a peer that knows no
 * optional parameters (RFC 5492 section 3).
 */
export type OpenLevel = 'all' | 'essential' | 'none'

/** What an OPEN says of the moment it is sent in. */
export interface OpenCircumstances {
  /** Decides which AS number of a confederation is ours. @default 'external' */
  readonly remoteAs?: RemoteAs
  /** @default 'all' */
  readonly level?: OpenLevel
  /** Restart State (R) bit, RFC 4724 section 3: we have restarted and hold back our routes. @default false */
  readonly restarting?: boolean
  /** Forwarding State (F) bits, RFC 4724 section 3. @default false */
  readonly forwardingPreserved?: boolean
}

const RESTART_TIME: Seconds = 120

/** Whether the peer is in our confederation, our own member AS included. */
const isInside = ({ members }: Confederation, asn: number, remoteAs: RemoteAs): boolean =>
  remoteAs === 'internal' || remoteAs === asn || (typeof remoteAs === 'number' && members.includes(remoteAs))

/** Our AS number towards a peer: outside of our confederation its identifier (RFC 5065 section 4). */
export function localAs({ asn, confederation }: LocalSpeaker, remoteAs: RemoteAs): number {
  return !confederation || isInside(confederation, asn, remoteAs) ? asn : confederation.identifier
}

function addPath({ receive = [], send = [] }: AddPathOptions): AddPathCapability | undefined {
  const names = [...new Set([...receive, ...send])]
  if (names.length === 0) return undefined
  const families = names.map(name => ({
    ...familyOf(name),
    receive: receive.includes(name),
    send: send.includes(name),
  }))
  return { type: 'add-path', families }
}

function gracefulRestart(
  local: LocalSpeaker,
  { restarting = false, forwardingPreserved = false }: OpenCircumstances,
): GracefulRestartCapability | undefined {
  if (!local.gracefulRestart) return undefined
  const { families = local.families, notification = true, restartTime = RESTART_TIME } = local.gracefulRestart
  return {
    type: 'graceful-restart',
    restarting,
    notification,
    restartTime,
    families: families.map(name => ({ ...familyOf(name), forwardingPreserved })),
  }
}

function longLivedGracefulRestart(
  local: LocalSpeaker,
  { forwardingPreserved = false }: OpenCircumstances,
): LongLivedGracefulRestartCapability | undefined {
  if (!local.longLivedGracefulRestart) return undefined
  const { families = local.families, staleTime } = local.longLivedGracefulRestart
  return {
    type: 'long-lived-graceful-restart',
    families: families.map(name => ({ ...familyOf(name), forwardingPreserved, staleTime })),
  }
}

/** Capabilities for RFC 8950: the next hops are of the family that the prefixes are not of. */
const extendedNextHop = (families: readonly FamilyName[]): Capability => ({
  type: 'extended-next-hop',
  families: families.map(name => {
    const family = familyOf(name)
    return { ...family, nextHopAfi: family.afi === Afi.IPv4 ? Afi.IPv6 : Afi.IPv4 }
  }),
})

/** In the order of their codes; those that peers send beside ours at the end. */
function allCapabilities(local: LocalSpeaker, asn: number, circumstances: OpenCircumstances): readonly Capability[] {
  const { routeRefresh = true, enhancedRouteRefresh = true, extendedMessage = true, fourOctetAs = true } = local
  const { bfdStrictMode = false, fqdn, role, extraCapabilities = [] } = local
  const list: (Capability | false | undefined)[] = [
    ...local.families.map(name => ({ type: 'multiprotocol' as const, ...familyOf(name) })),
    routeRefresh && { type: 'route-refresh' },
    local.extendedNextHop?.length ? extendedNextHop(local.extendedNextHop) : undefined,
    extendedMessage && { type: 'extended-message' },
    role && { type: 'role', role: roleOf(role) },
    gracefulRestart(local, circumstances),
    fourOctetAs && { type: 'four-octet-as', asn },
    addPath(local.addPath ?? {}),
    enhancedRouteRefresh && { type: 'enhanced-route-refresh' },
    longLivedGracefulRestart(local, circumstances),
    fqdn && { type: 'fqdn', hostName: fqdn.hostName, domainName: fqdn.domainName ?? '' },
    bfdStrictMode && { type: 'bfd-strict-mode' },
    ...extraCapabilities.map(({ code, value }) => ({ type: 'unknown' as const, code, value })),
  ]
  return list.filter(capability => capability !== undefined && capability !== false)
}

const isEssential = ({ type }: Capability): boolean => type === 'multiprotocol' || type === 'four-octet-as'

/** The OPEN that we send, RFC 4271 section 4.2. */
export function createOpen(local: LocalSpeaker, circumstances: OpenCircumstances = {}): OpenMessage {
  const { bgpIdentifier, holdTime } = local
  const { remoteAs = 'external', level = 'all' } = circumstances
  const asn = localAs(local, remoteAs)
  const all = level === 'none' ? [] : allCapabilities(local, asn, circumstances)
  const capabilities = level === 'essential' ? all.filter(isEssential) : all
  return { type: 'open', version: 4, asn: asn > 0xffff ? AS_TRANS : asn, holdTime, bgpIdentifier, capabilities }
}
