/** What a gossip node in a process of its own says: one JSON object a line. Both of ours, the Go one and the Node.js one, say it alike. */
export interface Said {
  /** When, in milliseconds of the wall clock. */
  readonly at: number
  /** Something happened. */
  readonly event?: 'ready' | 'join' | 'leave' | 'update' | 'conflict' | 'message' | 'remoteState' | 'log'
  /** The command that this answers. */
  readonly answer?: string
  /** Why the command failed. */
  readonly error?: string
  readonly node?: string
  readonly meta?: string
  readonly payload?: string
  /** A line of its log. */
  readonly line?: string
  readonly members?: readonly string[]
  readonly contacted?: number
  /** What it could not read, by what was wrong with it; only the Node.js one counts. */
  readonly faults?: Readonly<Record<string, number>>
  /** What the protocol noted; only the Node.js one. */
  readonly notes?: Readonly<Record<string, number>>
}
