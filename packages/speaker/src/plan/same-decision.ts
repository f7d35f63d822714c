/** Whether two decisions say the same; every field is looked at, and cheaply, for all Services are compared when a member comes or goes. */
import { sameList } from './context.js'
import type { AdvertisedPrefix, BGPDecision, Layer2Decision, ServiceDecision } from './types.js'

/** Compares by content. */
export function sameDecision(a: ServiceDecision | undefined, b: ServiceDecision | undefined): boolean {
  if (a === b) return true
  if (!a || !b) return false
  return (
    a.service === b.service &&
    a.pool === b.pool &&
    sameList(a.addresses, b.addresses) &&
    sameLayer2(a.layer2, b.layer2) &&
    sameBGP(a.bgp, b.bgp)
  )
}

function sameLayer2(a: Layer2Decision, b: Layer2Decision): boolean {
  if (a.announce && b.announce) {
    const { interfaces: on } = a
    return on === b.interfaces || (on !== 'all' && b.interfaces !== 'all' && sameList(on, b.interfaces))
  }
  return !a.announce && !b.announce && a.reason === b.reason && a.owner === b.owner && sameList(a.missing, b.missing)
}

function sameBGP(a: BGPDecision, b: BGPDecision): boolean {
  if (a.announce && b.announce) {
    return a.prefixes.length === b.prefixes.length && a.prefixes.every((prefix, i) => samePrefix(prefix, b.prefixes[i]))
  }
  return !a.announce && !b.announce && a.reason === b.reason && a.detail === b.detail
}

const samePrefix = (a: AdvertisedPrefix, b: AdvertisedPrefix | undefined): boolean =>
  a.prefix === b?.prefix &&
  a.family === b.family &&
  a.localPref === b.localPref &&
  sameList(a.communities, b.communities) &&
  sameList(a.peers, b.peers)
