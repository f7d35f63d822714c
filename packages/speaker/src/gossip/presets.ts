/** How fast gossip may be. */

/**
 * `lan`: MetalLB's timing, with which dead processes are found within a second, silent hosts on the own segment in less than two, and
 * others in four to seven. `wan`: for nodes far
 * from each other. `fast`: silent hosts too are found in a second, for about forty small datagrams a second and node; all speakers of
 * the ring must be ours and have it.
 */
export type GossipPreset = 'lan' | 'wan' | 'fast'

/** Every {@link GossipPreset}. */
export const GOSSIP_PRESETS: readonly GossipPreset[] = ['lan', 'wan', 'fast']
