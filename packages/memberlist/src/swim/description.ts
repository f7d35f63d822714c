import { sameOctets, sameVersions, type Versions } from '../wire/index.js'
import { formatAddress } from './address.js'
import type { Endpoint } from './types.js'

/** What a node tells about itself. */
export interface NodeDescription {
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
 */
const recent: (NodeDescription | undefined)[] = Array.from({ length: 4096 }, () => undefined)

/** A node's description, which shares no octets with what was told. */
export function describe(told: Told): NodeDescription {
  const place = placeOf(told)
  const known = recent[place]
  if (known && isSame(known, told)) return known
  const { address, port, meta, versions } = told
  const made = {
    address: new Uint8Array(address),
    port,
    meta: meta && new Uint8Array(meta),
    versions,
    endpoint: { address: formatAddress(address), port },
  }
  recent[place] = made
  return made
}

/** Whether two descriptions are of the same address and port. */
export const sameEndpoint = (a: Told, b: Told): boolean => a.port === b.port && sameOctets(a.address, b.address)

const isSame = (a: Told, b: Told): boolean =>
  sameEndpoint(a, b) && sameMeta(a.meta, b.meta) && sameVersions(a.versions, b.versions)

const sameMeta = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && sameOctets(a, b))

function placeOf({ address, port }: Told): number {
  let hash = port
  for (let i = 0; i < address.length; i++) hash = (Math.imul(hash, 257) + address[i]!) | 0
  return (hash ^ (hash >>> 12)) & (recent.length - 1)
}
