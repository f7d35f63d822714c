/** What has become of addresses, as lines of a page. Pure. */
import { condense, type Line } from '@typemetal/cluster/page'
import type { AddressMove } from '../reconcile/outcome.js'

/** Codes in words; what is no code is words already. */
const REASONS: Readonly<Record<string, string>> = {
  notLoadBalancer: 'it is no longer of type LoadBalancer',
  noConfig: 'there are no address pools',
  noClusterIPs: 'it has no cluster IP',
  noIPs: 'its status no longer names it',
  familyChanged: 'its IP families are others now',
  notAllowedByConfig: 'the configuration does not allow it any longer',
  differentPoolRequested: 'it asks for another pool',
  differentIPRequested: 'it asks for another address',
  notEnoughClusterIPs: 'it requires two families and has one cluster IP',
  serviceDeleted: 'the Service is gone',
  notOurs: 'the Service is for somebody else now',
}

/** The lines that moves are worth, in their order. */
export const linesOf = (moves: readonly AddressMove[]): readonly Line[] => condense(moves.map(lineOf))

function lineOf({ service, from, to, pool, reason }: AddressMove): Line {
  const object = `Service ${service}`
  const why = reason === undefined ? undefined : inWords(reason)
  if (to.length === 0 && from.length === 0) return { verdict: 'bad', object, what: 'refused', ...because(why) }
  if (to.length === 0) {
    const isBad = reason !== undefined && REASONS[reason] === undefined
    return {
      verdict: isBad ? 'bad' : 'note',
      object,
      what: 'released',
      why: [from.join(', '), why].filter(Boolean).join(': '),
    }
  }
  const given = `${to.join(', ')} of pool ${pool}`
  if (from.length === 0) return { verdict: 'good', object, what: 'assigned', why: given }
  return {
    verdict: 'note',
    object,
    what: 'changed',
    why: `${from.join(', ')} → ${given}${why === undefined ? '' : `: ${why}`}`,
  }
}

const inWords = (reason: string): string => (REASONS[reason] === undefined ? reason : `${REASONS[reason]} (${reason})`)

const because = (why: string | undefined): { readonly why?: string } => (why === undefined ? {} : { why })
