/**
 * What a status page says: plain values, as they go out as JSON. A section is absent where the process does not know about it, and empty
 * where there is nothing. Values are instants, never ages, and no counter of what happens all the time: a section that says the same as
 * before is not sent again. Nothing secret ever gets in here: no password, key or token.
 */

/** How things are: `good` asks for nothing, `note` for a look when there is time, `bad` for a look now. */
export type Verdict = 'good' | 'note' | 'bad'

/** A moment, RFC 3339 in UTC: `2026-01-31T12:00:00.000Z`. */
export type Timestamp = string

/** The process that serves the page. */
export interface ServerFacts {
  readonly component: 'controller' | 'speaker'
  /** Of the speaker: the name of its node. */
  readonly node?: string
  /** Of the Pod or host, where it is known. */
  readonly host?: string
  readonly namespace: string
  readonly version: string
  readonly startedAt: Timestamp
  /** What it does now, in one or two words: `leading`, `standing by`, `announcing`, `draining`. */
  readonly role?: string
  /** True, or what it still waits for, as `/readyz` says it. */
  readonly ready: true | string
}

/** Something about the process or the cluster that is in no other section: a configuration that is not in force, say. */
export interface NoticeFacts {
  readonly verdict: Verdict
  /** One sentence. */
  readonly what: string
  /** More of it: an error's file, object and field, one item each. */
  readonly details?: readonly string[]
  readonly since?: Timestamp
}

/** A pool and how much of it is in use. */
export interface PoolFacts {
  readonly pool: string
  readonly verdict: Verdict
  /** As in its resource: CIDRs and ranges. */
  readonly addresses: readonly string[]
  /** Exact counts in decimal digits: an IPv6 pool holds more than a JSON number can say. */
  readonly assigned: string
  /** As {@link assigned}. */
  readonly available: string
  /** 0 to 100. */
  readonly percent: number
  /** How it is announced; absent: nobody here knows. */
  readonly announced?: readonly ('layer2' | 'bgp')[]
  /** What else is to be known: only on request, nearly full, kept for some namespaces. */
  readonly notes: readonly string[]
}

/** What one protocol does for a Service. */
export interface ProtocolFacts {
  /** Nodes that announce it, as far as the process knows; the layer-2 owner, which may be another node than the one that serves. */
  readonly nodes: readonly string[]
  /** BGP: peers that are told, by the names of their BGPPeers; layer 2: the interfaces that answer, empty for all. */
  readonly to?: readonly string[]
  /** Why it is not announced, or not from here, in words. */
  readonly reason?: string
}

/** A Service of type LoadBalancer. */
export interface ServiceFacts {
  /** `namespace/name`. */
  readonly service: string
  readonly verdict: Verdict
  readonly addresses: readonly string[]
  readonly pool?: string
  /** Absent: the process knows nothing about it. */
  readonly layer2?: ProtocolFacts
  /** As {@link layer2}. */
  readonly bgp?: ProtocolFacts
  /** Why it has no address or nobody announces it, or else why it is where it is, in one sentence. */
  readonly reason?: string
}

/** A node as announcing sees it. */
export interface NodeFacts {
  readonly node: string
  readonly verdict: Verdict
  /** Whether its speaker is taken to be alive; absent: nobody here knows. */
  readonly alive?: boolean
  /** True for the node that serves the page. */
  readonly self?: boolean
  /** Services that it answers for at layer 2. */
  readonly layer2?: number
  /** Services that it announces by BGP. */
  readonly bgp?: number
  /** Why it is left out, or that it drains, and how far that is. */
  readonly notes: readonly string[]
}

/** The BFD session beside a BGP session (RFC 5880). */
export interface BFDFacts {
  readonly verdict: Verdict
  /** bfd.SessionState: `AdminDown`, `Down`, `Init` or `Up`. */
  readonly state: string
  /** Name of the BFDProfile. */
  readonly profile?: string
  readonly since?: Timestamp
  /** Milliseconds of silence after which the path is taken to be down. */
  readonly detectionTime?: number
  /** The diagnostic (section 4.1) in words. */
  readonly reason?: string
}

/** A BGP session (RFC 4271). */
export interface SessionFacts {
  readonly node: string
  /** Name of the BGPPeer. */
  readonly peer: string
  /** Address or interface of the peer. */
  readonly target: string
  readonly verdict: Verdict
  /** A state of section 8.2.2: `Established`, say. */
  readonly state: string
  /** Since when it is in this state; absent: it changes all the time, or nobody knows. */
  readonly since?: Timestamp
  readonly localAS?: number
  readonly peerAS?: number
  /** `ipv4` and `ipv6`, as agreed on. */
  readonly families?: readonly string[]
  /** Prefixes that the peer should be told. */
  readonly wanted?: number
  /** Prefixes that it was told. */
  readonly announced?: number
  readonly bfd?: BFDFacts
  /** Why it is down, or the last thing that went wrong, in words. */
  readonly reason?: string
}

/** An address that the speaker's node answers for (ARP, Neighbor Discovery). */
export interface Layer2Facts {
  readonly address: string
  readonly verdict: Verdict
  /** Services that have it, `namespace/name`. */
  readonly services: readonly string[]
  /** Interfaces that answer; empty: all. */
  readonly interfaces: readonly string[]
  /** A conflict: who else answers, and what became of it. */
  readonly reason?: string
}

/** A member of the speakers' gossip ring. */
export interface MemberFacts {
  readonly node: string
  readonly verdict: Verdict
  readonly address: string
  /** `alive`, `suspect`, `dead` or `left`. */
  readonly state: string
  readonly since?: Timestamp
}

/** Something that has happened. */
export interface TransitionFacts {
  /** Grows from one to the next. */
  readonly id: number
  readonly at: Timestamp
  readonly verdict: Verdict
  /** What it is about: `Service default/web`, `BGPPeer tor-1`, `node worker-2`. */
  readonly object: string
  /** `announced by layer 2`, `session down`. */
  readonly what: string
  /** In words, where a reason is known. */
  readonly why?: string
}

/** All that a page shows. */
export interface PageFacts {
  readonly server: ServerFacts
  readonly notices?: readonly NoticeFacts[]
  readonly pools?: readonly PoolFacts[]
  readonly services?: readonly ServiceFacts[]
  readonly nodes?: readonly NodeFacts[]
  readonly sessions?: readonly SessionFacts[]
  readonly layer2?: readonly Layer2Facts[]
  readonly members?: readonly MemberFacts[]
  /** The newest first; a few hundred at most. */
  readonly transitions?: readonly TransitionFacts[]
}

/** Name of a section. */
export type Section = keyof PageFacts

/** All sections, in the order in which they are sent. */
export const SECTIONS = [
  'server',
  'notices',
  'pools',
  'services',
  'nodes',
  'sessions',
  'layer2',
  'members',
  'transitions',
] as const satisfies readonly Section[]

/** Where a page's facts come from. */
export interface PageSource {
  /**
   * What is so now. Asked only while somebody looks, and a few times a second at most. A section in which nothing has changed is best the
   * same object as before: it costs nothing then.
   */
  facts(): PageFacts
  /**
   * Tells of changes from now on: called when the first one looks, and undone when the last one has gone.
   *
   * @param changed to be called when something may be different; many calls at once cost no more than one
   * @returns what undoes it
   */
  watch(changed: () => void): () => void
}
