/** BGP peers that will not come up, or not do what they say. */
import { matchesAny } from '@typemetal/cluster'
import type { BGPPeer, Node } from '@typemetal/cluster'
import { peerLimits, plan } from '@typemetal/speaker'
import type { SessionPlan } from '@typemetal/speaker'
import { withServices } from '../allocation.js'
import { listed, warn } from './warning.js'
import type { Scene, Warning } from './warnings.js'

/** What the speaker cannot do for a peer, identifiers and addresses that one node at most can have, and keys in plain sight. */
export function peerWarnings(scene: Scene): readonly Warning[] {
  const { snapshot, config } = scene
  const nodes = [...snapshot.objects('Node').values()]
  const peers = [...snapshot.objects('BGPPeer').values()].filter(({ metadata }) => config.peers.has(metadata.name))
  const used = new Set([...config.peers.values()].map(({ bfdProfile }) => bfdProfile))
  const advertised = [...config.pools.values()].some(({ bgpAdvertisements }) => bgpAdvertisements.length > 0)
  const profiles = [...snapshot.objects('BFDProfile').values()]
  const sessions = sessionsOf(scene, nodes)
  return [
    ...peers.flatMap(object => ofPeer(scene, object, nodes, sessions.get(object.metadata.name))),
    ...(advertised
      ? []
      : peers.map(object =>
          warn(scene, object, 'spec', 'no BGPAdvertisement applies to any pool: it is told nothing'),
        )),
    ...profiles
      .filter(({ metadata }) => !used.has(metadata.name))
      .map(object => warn(scene, object, 'spec', 'no BGPPeer uses it')),
  ]
}

/** Sessions by the peer's name. Without Services: what a session can do does not depend on them, nor on the node. */
function sessionsOf({ snapshot, config }: Scene, nodes: readonly Node[]): ReadonlyMap<string, SessionPlan> {
  const sessions = new Map<string, SessionPlan>()
  const bare = withServices(snapshot, new Map())
  for (const { metadata } of nodes) {
    for (const [name, session] of plan(bare, config, metadata.name, undefined).sessions) sessions.set(name, session)
  }
  return sessions
}

function ofPeer(
  scene: Scene,
  object: BGPPeer,
  nodes: readonly Node[],
  session: SessionPlan | undefined,
): readonly Warning[] {
  const { nodeSelectors = [], routerID, sourceAddress, password, passwordSecret, disableMP } = object.spec
  const names = nodes.filter(node => matchesAny(nodeSelectors, node.metadata.labels)).map(node => node.metadata.name)
  const found: Warning[] = []
  const say = (field: string, reason: string): void => void found.push(warn(scene, object, field, reason))
  if (nodes.length > 0 && names.length === 0) say('spec.nodeSelectors', 'matches no Node: no session is opened')
  if (names.length > 1 && routerID) {
    say(
      'spec.routerID',
      `${listed(names)} all get the BGP Identifier ${routerID}, which must be different on each (RFC 6286): leave it out, or select one node`,
    )
  }
  if (names.length > 1 && sourceAddress) {
    say('spec.sourceAddress', `${listed(names)} all connect from ${sourceAddress}, which one of them can have at most`)
  }
  if (password) say('spec.password', 'is written in plain text: put it into a Secret and name that in passwordSecret')
  const secret = passwordSecret?.name ?? ''
  if (scene.missingSecrets?.includes(secret)) {
    say('spec.passwordSecret.name', `there is no Secret "${secret}" among the manifests: it must be in the cluster`)
  }
  if (disableMP) say('spec.disableMP', 'is deprecated and has no effect')
  for (const { field, reason } of session ? peerLimits(session) : []) say(field, reason)
  return found
}
