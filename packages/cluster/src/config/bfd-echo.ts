import type { BGPAdvertisementDraft } from './bgp-advertisements.js'
import type { BFDProfileConfig } from './config.js'
import type { ErrorList } from './error-list.js'
import type { PeerDraft } from './peers.js'
import type { PoolDraft } from './pools.js'

/** Reports advertisements that bring a pool with IPv6 to a peer whose BFD profile has echo mode, which IPv6 has not. */
export function checkEcho(
  advertisements: ReadonlyMap<PoolDraft, readonly BGPAdvertisementDraft[]>,
  peers: readonly PeerDraft[],
  profiles: ReadonlyMap<string, BFDProfileConfig>,
  errors: ErrorList,
): void {
  const echoing = peers
    .filter(({ config }) => config.bfdProfile !== undefined && profiles.get(config.bfdProfile)?.echoMode)
    .map(({ config }) => config.name)
  for (const [{ pool }, attached] of advertisements) {
    if (!pool.blocks.some(({ family }) => family === 'IPv6')) continue
    for (const { object, config } of attached) {
      for (const peer of echoing.filter(name => config.peers.length === 0 || config.peers.includes(name))) {
        const reason =
          `pool ${pool.name} has bgpadvertisement ${config.name} which references peer ${peer} ` +
          'which has bfd echo enabled, which is not possible'
        errors.add(object, config.peers.length === 0 ? 'spec' : 'spec.peers', reason)
      }
    }
  }
}
