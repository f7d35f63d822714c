/** The last line of `npm run demo -- --exit`. */

/** What was measured; every field is there when `ok` is true. */
export interface DemoResult {
  ok: boolean
  /** Services that got an address at the start. */
  allocated?: number
  /** Members that every speaker counts. */
  gossipMembers?: number
  l2?: {
    /** Node that answered ARP for the layer-2 address. */
    owner: string
    /** Node that the election rule names. */
    elected: string
    /** From SIGKILL of the owner to the end of the first request that another node answered. */
    failoverMs?: number
    /** Requests, one every 20 ms, that failed meanwhile. */
    lostRequests?: number
  }
  bgp?: {
    /** Next hops of the BGP address in the router's kernel. */
    nextHops: number
    /** Nodes that answered through it. */
    servedBy?: number
    /** From SIGKILL of a node to its next hop being gone from the router's kernel. */
    withdrawMs?: number
  }
  /** Resident memory at the end: the largest speaker, the controller. */
  rssMB?: { speaker: number; controller: number }
  seconds?: number
  /** Why `ok` is false. */
  error?: string
}
