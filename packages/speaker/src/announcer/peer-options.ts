/** A session of the plan in the BGP engine's words. */
import { isIPv6 } from 'node:net'
import { isInternal, sessionTarget } from '../plan/sessions.js'
import type { SessionPlan } from '../plan/types.js'
import type { EnginePeerOptions } from './engine.js'
import type { Environment } from './environment.js'

/** What beside the plan shapes a session. */
export interface PeerCircumstances {
  /** Dotted quad. */
  readonly bgpIdentifier: string
  readonly environment: Environment
  /** The session is about to end, RFC 8326. */
  readonly leaving: boolean
}

/** Options for the engine; what the machine cannot do and the session can do without is left out of them. */
export function peerOptions(plan: SessionPlan, circumstances: PeerCircumstances): EnginePeerOptions {
  const { connectTimeSeconds, sourceAddress, password, peerAddress, vrf } = plan
  const { bgpIdentifier, environment, leaving } = circumstances
  const hasSockets = environment.withoutSockets === undefined
  const bfd = hasSockets && plan.bfd && { ...plan.bfd, echoMode: plan.bfd.echoMode && environment.netRaw }
  return {
    name: sessionTarget(plan),
    ...(peerAddress === undefined ? { interface: plan.interface ?? '' } : { address: peerAddress }),
    port: plan.peerPort,
    asn: plan.dynamicASN ?? plan.peerASN ?? 0,
    localAsn: plan.localASN ?? plan.myASN,
    bgpIdentifier,
    holdTime: Math.trunc(plan.holdTimeSeconds),
    keepaliveTime: plan.keepaliveTimeSeconds,
    importPolicy: 'reject',
    families: plan.families.map(family => `${family}-unicast` as const),
    // Taken where our interface has no IPv4 address, and the peer understands it (RFC 8950). Unnumbered peers have it anyway.
    ...(carriesIpv4OverIpv6(plan) && { extendedNextHop: ['ipv4-unicast'] as const }),
    // The limit to one hop is a matter of eBGP.
    ...(hasSockets && !isInternal(plan) && { multihop: plan.ebgpMultiHop }),
    ...(connectTimeSeconds !== undefined && { connectRetryTime: connectTimeSeconds }),
    ...(sourceAddress !== undefined && { sourceAddress }),
    ...(vrf !== undefined && { device: vrf }),
    ...(password !== undefined && { md5Key: password }),
    ...(bfd && { bfd }),
    ...(plan.gracefulRestart && { gracefulRestart: true as const }),
    ...(leaving && { gracefulShutdown: true as const }),
  }
}

const carriesIpv4OverIpv6 = ({ peerAddress, families }: SessionPlan): boolean =>
  peerAddress !== undefined && isIPv6(peerAddress) && families.includes('ipv4')
