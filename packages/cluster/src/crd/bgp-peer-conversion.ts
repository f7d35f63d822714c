import { isDeepStrictEqual } from 'node:util'
import type { LabelSelector } from '../resources/core.js'
import type { BGPPeer, BGPPeerV1beta1 } from '../resources/metallb.js'

/**
 * Annotation of a BGPPeer as v1beta1: what only v1beta2 can say, as JSON. It is there in answers to v1beta1 clients, and gone
 * when what they write is v1beta2 again.
 */
export const NEWER_FIELDS_ANNOTATION = 'metallb.io/bgppeer-v1beta2'

const V1BETA1 = 'metallb.io/v1beta1'
const V1BETA2 = 'metallb.io/v1beta2'

/** Fields of v1beta2 that v1beta1 has as well. */
const SHARED = new Set([
  'myASN',
  'peerASN',
  'peerAddress',
  'sourceAddress',
  'peerPort',
  'holdTime',
  'keepaliveTime',
  'routerID',
  'nodeSelectors',
  'password',
  'bfdProfile',
  'ebgpMultiHop',
])
/** What stands in v1beta1 for a field that it demands and v1beta2 does not have. */
const ABSENT = { peerASN: 0, peerAddress: '' } as const

type Spec = Readonly<Record<string, unknown>>
/** A BGPPeer of either version. */
export type AnyPeer = BGPPeer | BGPPeerV1beta1

/**
 * A BGPPeer in another version. Nothing is lost on the way to v1beta1 and back: what v1beta1 cannot say travels in an annotation,
 * and what a v1beta1 client changes meanwhile wins. MetalLB loses those fields, and gives peers that come from v1beta1
 * without times a hold time of 0, so that nobody notices when such a peer is gone; here what is absent stays absent.
 *
 * @throws {RangeError} one of the versions is none of BGPPeer's
 */
export function convertBGPPeer(peer: AnyPeer, apiVersion: typeof V1BETA2): BGPPeer
export function convertBGPPeer(peer: AnyPeer, apiVersion: string): AnyPeer
export function convertBGPPeer(peer: AnyPeer, apiVersion: string): AnyPeer {
  for (const version of [peer.apiVersion, apiVersion]) {
    if (version !== V1BETA1 && version !== V1BETA2) throw new RangeError(`apiVersion: BGPPeer has no ${version}`)
  }
  if (peer.apiVersion === apiVersion) return peer
  return apiVersion === V1BETA1 ? toV1beta1(peer) : toV1beta2(peer)
}

function toV1beta1(peer: AnyPeer): BGPPeerV1beta1 {
  const spec = (peer.spec ?? {}) as Spec
  const shared = Object.fromEntries(Object.entries(spec).filter(([name]) => SHARED.has(name)))
  const older = { ...ABSENT, ...shared }
  const newer = difference(toNewer(older), spec)
  const { [NEWER_FIELDS_ANNOTATION]: _, ...annotations } = peer.metadata.annotations ?? {}
  const kept =
    Object.keys(newer).length === 0 ? annotations : { ...annotations, [NEWER_FIELDS_ANNOTATION]: JSON.stringify(newer) }
  return { ...withAnnotations(peer, kept), apiVersion: V1BETA1, spec: older } as unknown as BGPPeerV1beta1
}

function toV1beta2(peer: AnyPeer): BGPPeer {
  const { [NEWER_FIELDS_ANNOTATION]: carried, ...annotations } = peer.metadata.annotations ?? {}
  const older = (peer.spec ?? {}) as Spec
  const spec = withCarried(toNewer(older), older, carried === undefined ? {} : parseFields(carried))
  return { ...withAnnotations(peer, annotations), apiVersion: V1BETA2, spec } as unknown as BGPPeer
}

/** The fields of v1beta1 with the meaning they have in v1beta2, where port 0 may not stand for "as usual". */
function toNewer({ peerPort, nodeSelectors, ...spec }: Spec): Spec {
  return {
    ...spec,
    ...(peerPort !== undefined && peerPort !== 0 && { peerPort }),
    ...(nodeSelectors !== undefined && { nodeSelectors: withoutNothing(nodeSelectors) }),
  }
}

/** An empty selector matches everything in both versions, however it is written. */
const withoutNothing = (selectors: unknown): unknown =>
  Array.isArray(selectors) ? selectors.map((selector: LabelSelector | null) => selector ?? {}) : selectors

/** What has to be set in `from`, or removed from it (null), to make it `to`. */
function difference(from: Spec, to: Spec): Spec {
  const names = new Set([...Object.keys(from), ...Object.keys(to)])
  const changed = [...names].filter(name => !isDeepStrictEqual(from[name], to[name]))
  return Object.fromEntries(changed.map(name => [name, to[name] ?? null]))
}

/** Adds what an annotation carried, but for fields that a v1beta1 client can see and has set. */
function withCarried(spec: Spec, older: Spec, carried: Spec): Spec {
  const fields = new Map(Object.entries(spec))
  for (const [name, value] of Object.entries(carried)) {
    if (SHARED.has(name) && older[name] !== (ABSENT as Spec)[name]) continue
    if (value === null) fields.delete(name)
    else fields.set(name, value)
  }
  return Object.fromEntries(fields)
}

/** Fields in an annotation; one that is no longer JSON says nothing: whoever broke it must not break the peer. */
function parseFields(text: string): Spec {
  try {
    const fields: unknown = JSON.parse(text)
    return typeof fields === 'object' && fields !== null && !Array.isArray(fields) ? (fields as Spec) : {}
  } catch {
    return {}
  }
}

function withAnnotations(peer: AnyPeer, annotations: Readonly<Record<string, string>>): AnyPeer {
  const { annotations: _, ...metadata } = peer.metadata
  return { ...peer, metadata: { ...metadata, ...(Object.keys(annotations).length > 0 && { annotations }) } }
}
