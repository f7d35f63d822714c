import { SessionExporter } from '../exporter.js'
import type { ExportSession } from '../export.js'
import { OwnRoutes } from '../own-routes.js'
import { AdjRibIn, AdjRibOut, LocRib, UpdatePacker } from '../rib/index.js'
import { LOCAL_SOURCE, type RouteSource } from '../route-source.js'
import { SegmentType } from '../wire/index.js'

/** Sets of attributes, and prefixes of each. */
const SETS = 60
const PREFIXES = 3

const NEXT_HOP = Uint8Array.of(192, 0, 2, 1)
const FROM: RouteSource = { ...LOCAL_SOURCE, local: false, address: NEXT_HOP }
const TO: ExportSession = {
  asn: 64_496,
  peerAsn: 64_497,
  bgpIdentifier: 1,
  internal: false,
  confederation: false,
  fourOctetAs: true,
  propagate: true,
  reflectorClient: false,
  clusterId: 1,
  routeServerClient: false,
  removePrivateAs: false,
  aigp: false,
  gracefulShutdown: false,
  longLived: false,
  nextHopSelf: () => NEXT_HOP,
}

/**
 * Takes a small table in and out again, on tables of its own, and throws it away: V8 compiles what runs for the first time, and a peer's first
 * prefix would have to wait for that. A few milliseconds, the first time in a process.
 */
export function rehearse(): void {
  const rib = new LocRib<RouteSource>()
  const adjRibIn = new AdjRibIn(rib, FROM)
  const paths = rib.family('ipv4-unicast')
  const own = new OwnRoutes(rib, () => {})
  const silent = (): void => {}
  const adjRibOut = new AdjRibOut({
    rib,
    exporter: new SessionExporter({
      rib,
      session: TO,
      own,
      policy: 'accept',
      source: -1,
      extendedNextHop: [],
      oversized: silent,
      noNextHop: silent,
      policyFailed: silent,
    }),
    packer: new UpdatePacker(),
    families: ['ipv4-unicast'],
    addPath: [],
    limit: 4096,
  })
  for (let i = 0; i < SETS; i++) {
    const asPath = [{ type: SegmentType.AsSequence, asns: [64_498, i + 1] }]
    const set = rib.attributes.internValues({ origin: 0, asPath, communities: [i] }, NEXT_HOP)
    for (let j = 0; j < PREFIXES; j++) {
      adjRibIn.announce(paths, paths.prefixes.intern(Uint8Array.of(198, 18 + j, i), 0, 24), 0, set, set)
    }
  }
  adjRibOut.start('ipv4-unicast')
  while (adjRibOut.next(silent)) continue
  adjRibOut.close()
  adjRibIn.close()
}
