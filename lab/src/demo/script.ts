/** The script: what the demo shows, in order. */
import type { Demo } from './context.js'
import { allocate, bgp, gossip, layer2 } from './steps/announce.js'
import { breakManifest, deleteService, exhaust } from './steps/change.js'
import { comeBack, failover } from './steps/failover.js'

/** Runs every step and fills in `demo.result`. @throws at the first thing that does not hold */
export async function runScript(demo: Demo): Promise<void> {
  await allocate(demo)
  await gossip(demo, 'gossip converged', demo.network.nodes.length)
  await layer2(demo)
  await bgp(demo)
  const dead = await failover(demo)
  await comeBack(demo, dead)
  await deleteService(demo)
  await exhaust(demo)
  await breakManifest(demo)
}
