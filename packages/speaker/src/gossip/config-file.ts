/** MetalLB's optional tuning file for gossip, `/etc/metallb/memberlist/config.json`. */

/** Fields of the file as our gossip takes them; times in milliseconds. */
export interface GossipSettings {
  /** `TCPTimeout`: deadline of a whole stream exchange. */
  readonly tcpTimeout: number
  /** `IndirectChecks`: helpers asked to ping a node that did not answer. */
  readonly indirectChecks: number
  /** `RetransmitMult`: packets that carry a message, times the digits of the ring's size. */
  readonly retransmitMult: number
  /** `SuspicionMult`: shortest suspicion in probe intervals. */
  readonly suspicionMult: number
  /** `SuspicionMaxTimeoutMult`: longest suspicion in shortest ones. */
  readonly suspicionMaxTimeoutMult: number
  /** `PushPullInterval`: between two exchanges of the whole state. */
  readonly pushPullInterval: number
  /** `ProbeTimeout`: how long a ping is waited for before helpers are asked. */
  readonly probeTimeout: number
  /** `ProbeInterval`: between two probes. */
  readonly probeInterval: number
  /** `DisableTcpPings`: no TCP for nodes that do not answer over UDP. */
  readonly disableTcpPings: boolean
  /** `AwarenessMaxMultiplier`: most that a slow node stretches its probes by. */
  readonly awarenessMaxMultiplier: number
  /** `GossipNodes`: nodes told a tick. */
  readonly gossipNodes: number
  /** `GossipInterval`: between two ticks of gossip. */
  readonly gossipInterval: number
  /** `GossipToTheDeadTime`: how long the dead are still told, and kept. */
  readonly gossipToTheDeadTime: number
  /** `GossipVerifyIncoming`: refuse what is not encrypted. */
  readonly gossipVerifyIncoming: boolean
  /** `GossipVerifyOutgoing`: encrypt what is sent. */
  readonly gossipVerifyOutgoing: boolean
  /** `EnableCompression`: compress what becomes shorter by it. */
  readonly enableCompression: boolean
  /** `HandoffQueueDepth`: read, and without effect: nothing is queued here. */
  readonly handoffQueueDepth: number
  /** `UDPBufferSize`: octets of a datagram. */
  readonly udpBufferSize: number
  /** `QueueCheckInterval`: read, and without effect. */
  readonly queueCheckInterval: number
}

type Kind = 'duration' | 'number' | 'boolean'

/** Key in the file, our name, and what it holds. */
const FIELDS: readonly (readonly [key: string, name: keyof GossipSettings, kind: Kind])[] = [
  ['TCPTimeout', 'tcpTimeout', 'duration'],
  ['IndirectChecks', 'indirectChecks', 'number'],
  ['RetransmitMult', 'retransmitMult', 'number'],
  ['SuspicionMult', 'suspicionMult', 'number'],
  ['SuspicionMaxTimeoutMult', 'suspicionMaxTimeoutMult', 'number'],
  ['PushPullInterval', 'pushPullInterval', 'duration'],
  ['ProbeTimeout', 'probeTimeout', 'duration'],
  ['ProbeInterval', 'probeInterval', 'duration'],
  ['DisableTcpPings', 'disableTcpPings', 'boolean'],
  ['AwarenessMaxMultiplier', 'awarenessMaxMultiplier', 'number'],
  ['GossipNodes', 'gossipNodes', 'number'],
  ['GossipInterval', 'gossipInterval', 'duration'],
  ['GossipToTheDeadTime', 'gossipToTheDeadTime', 'duration'],
  ['GossipVerifyIncoming', 'gossipVerifyIncoming', 'boolean'],
  ['GossipVerifyOutgoing', 'gossipVerifyOutgoing', 'boolean'],
  ['EnableCompression', 'enableCompression', 'boolean'],
  ['HandoffQueueDepth', 'handoffQueueDepth', 'number'],
  ['UDPBufferSize', 'udpBufferSize', 'number'],
  ['QueueCheckInterval', 'queueCheckInterval', 'duration'],
]

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 36e5,
}

/**
 * A Go duration (`500ms`, `1m30s`) in milliseconds.
 * @throws {RangeError} not a Go duration
 */
export function parseGoDuration(text: string): number {
  if (text === '0') return 0
  // An escape, for V8 takes two octets for each character of a whole program in which one is beyond Latin-1.
  const match = /^(-?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|\u03BCs|ms|s|m|h))+)$/.exec(text)
  if (!match) throw new RangeError(`"${text}" is not a duration such as 500ms or 1m30s`)
  let total = 0
  for (const [, number, unit] of (match[2] ?? '').matchAll(/([\d.]+)([a-zµ\u03BC]+)/g)) {
    total += Number(number) * (UNITS[unit ?? ''] ?? 0)
  }
  return match[1] ? -total : total
}

/** What {@link parseGossipSettings} read. */
export interface ParsedGossipSettings {
  /** Every field. */
  readonly settings: GossipSettings
  /** Numbers and booleans that the file does not give; as in MetalLB they became 0 and false. */
  readonly missing: readonly string[]
}

/**
 * Reads the tuning file. Keys match whatever their case, unknown ones are ignored.
 * @throws {RangeError} not a JSON object, a duration is missing, or a value is of the wrong type
 */
export function parseGossipSettings(text: string): ParsedGossipSettings {
  const values = lowerCaseKeys(parseObject(text))
  const missing: string[] = []
  const entries = FIELDS.map(([key, name, kind]) => {
    const value = values.get(key.toLowerCase())
    if (value !== undefined || kind === 'duration') return [name, read(key, kind, value)]
    missing.push(key)
    return [name, kind === 'number' ? 0 : false]
  })
  return { settings: Object.fromEntries(entries) as GossipSettings, missing }
}

function parseObject(text: string): object {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new RangeError('it is not JSON', { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RangeError('it is not a JSON object')
  return value
}

const lowerCaseKeys = (object: object): ReadonlyMap<string, unknown> =>
  new Map(Object.entries(object).map(([key, value]) => [key.toLowerCase(), value]))

function read(key: string, kind: Kind, value: unknown): number | boolean {
  if (value === undefined) throw new RangeError(`${key} is missing`)
  if (kind === 'duration') {
    if (typeof value !== 'string') throw new RangeError(`${key} must be a duration in quotes, such as "500ms"`)
    return parseGoDuration(value)
  }
  if (typeof value === 'boolean' && kind === 'boolean') return value
  if (typeof value === 'number' && kind === 'number' && Number.isInteger(value) && value >= 0) return value
  throw new RangeError(`${key} must be ${kind === 'number' ? 'a whole number of 0 or more' : 'true or false'}`)
}
