/** The codes of decisions and sessions in words, with the code behind them for those who search for it. Pure. */
import type { Verdict } from '@typemetal/cluster/page'
import { eventOf } from '../announcer/session-history.js'
import type { DrainReason } from '../drain/types.js'
import { EXCLUDE_LABEL } from '../plan/nodes.js'
import type { Protocol, WithdrawReason } from '../plan/types.js'

const REASONS: Readonly<Record<WithdrawReason, string>> = {
  notLoadBalancer: 'it is not of type LoadBalancer',
  loadBalancerClass: 'its loadBalancerClass is for somebody else',
  noConfig: 'there has been no valid configuration yet',
  noIPAllocated: 'it has no address yet',
  invalidIP: 'its status names something that is no address of a host',
  ipNotAllowed: 'no single pool contains its addresses',
  notOwner: 'not elected',
  noMatchingAdvertisement: 'no advertisement of its pool is for this Service and this node',
  sharedIPWithServiceSelector: 'it shares its address, which advertisements with serviceSelectors do not allow',
  noMatchingInterface: 'elected, but none of the interfaces to answer on exists on this node',
  draining: 'this node is being drained',
  conflictingAdvertisements: 'two advertisements give its prefix different local preferences',
  nodeNetworkUnavailable: "this node's condition NetworkUnavailable is True",
  nodeLabeledExcludeBalancers: `this node is labelled ${EXCLUDE_LABEL}`,
  noLocalEndpoints: 'no ready endpoint on this node, with externalTrafficPolicy Local',
  noEndpoints: 'no ready endpoint',
  serviceDeleted: 'the Service is gone',
  loadBalancerIPChanged: 'its address is another one now',
}

/** Reasons that somebody has to do something about. */
const FAULTS: ReadonlySet<WithdrawReason> = new Set<WithdrawReason>([
  'invalidIP',
  'ipNotAllowed',
  'sharedIPWithServiceSelector',
  'noMatchingInterface',
  'conflictingAdvertisements',
])

/** Reasons worth a look. */
const ODDITIES: ReadonlySet<WithdrawReason> = new Set<WithdrawReason>([
  'noConfig',
  'noIPAllocated',
  'draining',
  'nodeNetworkUnavailable',
  'nodeLabeledExcludeBalancers',
  'noEndpoints',
])

/** How bad it is that something is not announced from here. */
export function verdictOf(reason: WithdrawReason): Verdict {
  if (FAULTS.has(reason)) return 'bad'
  return ODDITIES.has(reason) ? 'note' : 'good'
}

/**
 * A reason in words.
 * @param detail what the decision knows more
 */
export const inWords = (reason: WithdrawReason, detail?: string): string =>
  `${REASONS[reason]}${detail === undefined ? '' : `: ${detail}`} (${reason})`

/** `layer 2` and `BGP`. */
export const protocolName = (protocol: Protocol): string => (protocol === 'bgp' ? 'BGP' : 'layer 2')

/** Events of RFC 4271 section 8.1, and those of ours, as far as they end or prevent a session. */
const EVENTS: Readonly<Record<string, string>> = {
  ManualStop: 'closed by this speaker',
  AutomaticStop: 'closed by this speaker',
  HoldTimer_Expires: 'nothing was heard from the peer for the hold time',
  SendHoldTimer_Expires: 'the peer has stopped reading what it is sent',
  TcpConnectionFails: 'no TCP connection',
  NotifMsg: 'the peer sent a NOTIFICATION',
  NotifMsgVerErr: 'the peer speaks another version of BGP',
  BGPHeaderErr: 'the peer sent what is no BGP message',
  BGPOpenMsgErr: "the peer's OPEN cannot be accepted",
  UpdateMsgErr: 'the peer sent an UPDATE that cannot be accepted',
  OpenCollisionDump: 'another connection with the peer took its place',
  BfdDown: 'BFD says that the path to the peer has failed',
}

/** The event that changed a session's state, as the state machine names it, in words. */
export function causeInWords(cause: string): string {
  const words = EVENTS[eventOf(cause)]
  return words === undefined ? cause : `${words} (${cause})`
}

const DRAIN_REASONS: Readonly<Record<DrainReason, string>> = {
  signal: 'the process was asked to end',
  secondSignal: 'the process was asked to end at once',
  shutdown: 'the machine goes down',
  'out-of-service': 'the Node is out of service',
  disruption: 'an autoscaler removes the Node',
  cordon: 'the Node is cordoned',
  nodeReturned: 'the Node may serve again',
  noPeers: 'no session to wait for',
  peersHadTime: 'the routers have had their time to prefer others',
  peersBound: 'a router did not take what it was sent in time',
  peersTold: 'the routers have been told',
  nothingToHandOver: 'no layer-2 address to hand over',
  successorsSeen: 'the next owners were heard',
  onlyNode: 'no other node can take over what is left',
  successorBound: 'a next owner was not heard in time',
  drainBound: 'the drain has taken as long as it may',
  parted: 'sessions are closed',
  partingBound: 'a session did not close in time',
}

/** Why a drain went on, in words. */
export const drainReasonInWords = (reason: DrainReason): string => DRAIN_REASONS[reason]
