/** Services that a change of a pool takes the addresses from. */
import {
  type Address,
  type AddressBlock,
  blockContains,
  type IPAddressPool,
  isBuggyAddress,
  parseAddress,
  parseBlocks,
  type Service,
} from '@typemetal/cluster'
import { Annotation, readAnnotation } from '../reconcile/annotations.js'
import { ingressIPs } from '../reconcile/ingress.js'

/** So many are named; of the others only the number is told. */
const NAMED = 5

/**
 * Warns of Services whose address was given from a pool, and is in no pool any more once the pool is changed or gone.
 *
 * @param name of the pool
 * @param after all pools there will be
 * @returns one sentence, or nothing
 */
export function strandedServices(
  name: string,
  after: readonly IPAddressPool[],
  services: Iterable<Service>,
): readonly string[] {
  const spaces = after.map(spaceOf)
  const stranded: string[] = []
  for (const service of services) {
    if (readAnnotation(service, Annotation.allocatedFromPool) !== name) continue
    const lost = ingressIPs(service).filter(text => {
      const address = parseAddress(text)
      return address && !spaces.some(space => holds(space, address))
    })
    const { namespace = '', name: own } = service.metadata
    if (lost.length > 0) stranded.push(`${namespace}/${own} (${lost.join(', ')})`)
  }
  if (stranded.length === 0) return []
  const more = stranded.length - NAMED
  const list = stranded.slice(0, NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '')
  return [`IPAddressPool ${name}: these Services lose their address and get another, if there is one: ${list}`]
}

interface Space {
  readonly blocks: readonly AddressBlock[]
  readonly avoidBuggyIPs: boolean
}

function spaceOf({ spec }: IPAddressPool): Space {
  const blocks = (spec?.addresses ?? []).flatMap(text => {
    try {
      return parseBlocks(text)
    } catch {
      return [] // was refused, or is wrong elsewhere: it holds nothing either way
    }
  })
  return { blocks, avoidBuggyIPs: spec?.avoidBuggyIPs ?? false }
}

const holds = ({ blocks, avoidBuggyIPs }: Space, address: Address): boolean =>
  !(avoidBuggyIPs && isBuggyAddress(address)) && blocks.some(block => blockContains(block, address))
