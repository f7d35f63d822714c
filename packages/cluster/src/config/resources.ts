import type { ConfigMap, Namespace, Node, Secret } from '../resources/core.js'
import type {
  BFDProfile,
  BGPAdvertisement,
  BGPPeer,
  Community,
  IPAddressPool,
  L2Advertisement,
} from '../resources/metallb.js'
import type { Snapshot } from '../store/store.js'
import type { ConfigError } from './config.js'
import type { FindOrigin } from './origin.js'

/** Objects of one kind: a list, or a map whose keys do not matter. */
export type ObjectsOf<T> = readonly T[] | ReadonlyMap<string, T>

/** The kinds a configuration is made of. */
export interface ConfigKinds {
  readonly IPAddressPool: IPAddressPool
  readonly L2Advertisement: L2Advertisement
  readonly BGPAdvertisement: BGPAdvertisement
  readonly BGPPeer: BGPPeer
  readonly BFDProfile: BFDProfile
  readonly Community: Community
  readonly Node: Node
  readonly Namespace: Namespace
  readonly Secret: Secret
  readonly ConfigMap: ConfigMap
}

/** What a configuration is made of; kinds left out are empty. */
export type ConfigResources = { readonly [K in keyof ConfigKinds]?: ObjectsOf<ConfigKinds[K]> } & {
  /** Objects that could not be read at all: no configuration is whole while there are any. */
  readonly faults?: readonly ConfigError[]
  readonly origin?: FindOrigin
}

/** Everything in a snapshot that {@link buildConfig} looks at. */
export function configResources(snapshot: Snapshot): ConfigResources {
  return {
    IPAddressPool: snapshot.objects('IPAddressPool'),
    L2Advertisement: snapshot.objects('L2Advertisement'),
    BGPAdvertisement: snapshot.objects('BGPAdvertisement'),
    BGPPeer: snapshot.objects('BGPPeer'),
    BFDProfile: snapshot.objects('BFDProfile'),
    Community: snapshot.objects('Community'),
    Node: snapshot.objects('Node'),
    Namespace: snapshot.objects('Namespace'),
    Secret: snapshot.objects('Secret'),
    ConfigMap: snapshot.objects('ConfigMap'),
    faults: snapshot.faults.filter(fault => fault.affectsConfig),
    ...(snapshot.origin && { origin: snapshot.origin }),
  }
}
