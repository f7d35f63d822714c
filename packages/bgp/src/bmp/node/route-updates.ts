import { parseAddress, parsePrefix } from '../../address.js'
import {
  encodeUpdate,
  familyOf,
  MAX_LENGTH,
  type FamilyName,
  type MessageContext,
  type Nlri,
  type PathAttributes,
} from '../../wire/index.js'

/** A route to show. */
export interface ShownRoute {
  readonly prefix: string
  readonly pathId?: number
  readonly nextHop: string
  readonly attributes: PathAttributes
}

/** Prefixes that go into one UPDATE: they share family, next hop and the very same attributes. */
interface Group {
  readonly family: FamilyName
  readonly nextHop: string
  readonly attributes: PathAttributes
  readonly nlri: Nlri[]
}

/** Prefixes in one message; even the longest ones leave half of the 4,096 octets to the attributes. */
const MAX_PREFIXES = Math.floor(MAX_LENGTH / 2 / 21)

function encodeGroup({ family, nextHop, attributes, nlri }: Group, context: MessageContext): Uint8Array {
  const hop = parseAddress(nextHop)
  const plain = family === 'ipv4-unicast' && hop.length === 4
  const pathAttributes: PathAttributes = plain
    ? { ...attributes, nextHop: hop }
    : { ...attributes, mpReachNlri: { ...familyOf(family), nextHop: hop, nlri } }
  return encodeUpdate({ type: 'update', withdrawnRoutes: [], pathAttributes, nlri: plain ? nlri : [] }, context)
}

/** One message, or one for each prefix where all do not fit into one; a prefix that fits into none is left out. */
function* encodeFitting(group: Group, context: MessageContext): Generator<Uint8Array> {
  try {
    yield encodeGroup(group, context)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    if (group.nlri.length > 1) {
      for (const nlri of group.nlri) yield* encodeFitting({ ...group, nlri: [nlri] }, context)
    }
  }
}

/** UPDATE messages that announce the routes; those next to each other that have the same attributes go together. */
export function* routeUpdates(routes: Iterable<ShownRoute>, context: MessageContext): Generator<Uint8Array> {
  let group: Group | undefined
  for (const { prefix, pathId, nextHop, attributes } of routes) {
    const { family, nlri } = parsePrefix(prefix)
    const addPath = context.addPath?.includes(family) ?? false
    const item = addPath ? { ...nlri, pathId: pathId ?? 0 } : nlri
    const fits =
      group?.attributes === attributes &&
      group.nextHop === nextHop &&
      group.family === family &&
      group.nlri.length < MAX_PREFIXES
    if (group && fits) {
      group.nlri.push(item)
      continue
    }
    if (group) yield* encodeFitting(group, context)
    group = { family, nextHop, attributes, nlri: [item] }
  }
  if (group) yield* encodeFitting(group, context)
}

/** An UPDATE that withdraws a prefix. */
export function withdrawal(prefix: string, context: MessageContext): Uint8Array {
  const { family, nlri } = parsePrefix(prefix)
  if (family === 'ipv4-unicast') {
    return encodeUpdate({ type: 'update', withdrawnRoutes: [nlri], pathAttributes: {}, nlri: [] }, context)
  }
  const pathAttributes = { mpUnreachNlri: { ...familyOf(family), withdrawnRoutes: [nlri] } }
  return encodeUpdate({ type: 'update', withdrawnRoutes: [], pathAttributes, nlri: [] }, context)
}
