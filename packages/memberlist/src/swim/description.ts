import { sameOctets, sameVersions, type Versions } from '../wire/index.js'
import { formatAddress, sameAddress } from './address.js'
import type { Endpoint } from './types.js'

/** What a node tells about itself. */
export interface NodeDescription {
  /**
   * As the node says it, 4 or 16 octets: a peer that tells an IPv4 address as 16 has others compare it octet by octet,
   * so it is told on in the same form.
   */
  readonly address: Uint8Array
  readonly port: number
  readonly meta: Uint8Array | undefined
  readonly versions: Versions
  /** Address and port for the driver. */
  readonly endpoint: Endpoint
}

/** What a description is made of. */
export type Told = Omit<NodeDescription, 'endpoint'>

/**
 * Descriptions made lately, each at a place that its address gives. A node tells the same over and over, and where
 * many nodes live in one process, as in the simulator, each of them holds a description of each: one object will do.
 * One that no node holds any more is not kept.
 */
const recent: (WeakRef<NodeDescription> | undefined)[] = Array.from({ length: 4096 }, () => undefined)

/** A node's description, which shares no octets with what was told. */
export function describe(told: Told): NodeDescription {
  const place = placeOf(told)
  const known = recent[place]?.deref()
  if (known && isSame(known, told)) return known
  const { address, port, meta, versions } = told
  const made = {
    address: new Uint8Array(address),
    port,
    meta: meta && new Uint8Array(meta),
    versions,
    endpoint: { address: formatAddress(address), port },
  }
  recent[place] = new WeakRef(made)
  return made
}

/** Whether two descriptions are of the same address and port. */
export const sameEndpoint = (a: Told, b: Told): boolean => a.port === b.port && sameAddress(a.address, b.address)

const isSame = (a: Told, b: Told): boolean =>
  a.port === b.port &&
  sameOctets(a.address, b.address) &&
  sameMeta(a.meta, b.meta) &&
  sameVersions(a.versions, b.versions)

const sameMeta = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && sameOctets(a, b))

function placeOf({ address, port }: Told): number {
  let hash = port
  for (let i = 0; i < address.length; i++) hash = (Math.imul(hash, 257) + address[i]!) | 0
  return (hash ^ (hash >>> 12)) & (recent.length - 1)
}
