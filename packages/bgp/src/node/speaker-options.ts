import {
  callback,
  checkOptions,
  flag,
  methods,
  number,
  optional,
  record,
  signal,
  whole,
  type Kinds,
  type Synonyms,
} from '@typemetal/options'
import { address, asNumber, identifier, listeningPort } from '../bgp-kinds.js'
import { confederationKind, fqdnKind } from '../fsm/capability-options.js'
import type { CapabilityOptions, Confederation, Seconds } from '../fsm/index.js'
import type { MultipathOptions } from '../rib/index.js'
import type { BfdSource } from './bfd-source.js'
import { clockKind, type Clock } from './clock.js'
import type { ListenerOptions } from './listener.js'
import { loggerKind, type Logger } from './logger.js'

/** Options of a {@link BgpSpeaker}. */
export interface BgpSpeakerOptions {
  /** Our AS number, 1 to 4294967295. */
  readonly asn: number
  /** Our BGP Identifier, such as `10.0.0.1`. */
  readonly bgpIdentifier: string
  /** Listen for peers that connect to us; {@link BgpSpeaker.start} does it. @default do not listen */
  readonly listen?: ListenerOptions
  /** The confederation that `asn` is a member of, RFC 5065. @default none */
  readonly confederation?: Confederation
  /** Our name for the operators of the peers, FQDN capability. @default not said */
  readonly fqdn?: CapabilityOptions['fqdn']
  /** Where the BFD sessions of peers with the option `bfd` come from: a `Bfd` of `@typemetal/bgp/bfd`, which is not closed with the speaker. */
  readonly bfd?: BfdSource
  /** Paths used side by side. @default up to 64, all through the same neighbour AS */
  readonly multipath?: Partial<MultipathOptions>
  /** CLUSTER_ID as a route reflector, RFC 4456. @default the BGP Identifier */
  readonly clusterId?: string
  /**
   * This process comes back after a restart while packets were forwarded on: peers with graceful restart are told so, and nothing is
   * announced before they have told us all (RFC 4724 section 4.1). @default false
   */
  readonly restarting?: boolean
  /** Selection_Deferral_Timer of such a restart; 0 announces at once, where nothing is learned that would be selected. @default 360 */
  readonly selectionDeferralTime?: Seconds
  /** @default silent */
  readonly log?: Logger
  /** Ends the speaker when aborted. */
  readonly signal?: AbortSignal
  /** @default the machine's */
  readonly clock?: Clock
  /** 0 up to 1, for jitter. @default Math.random */
  readonly random?: () => number
}

const KINDS: Kinds<BgpSpeakerOptions> = {
  asn: asNumber,
  bgpIdentifier: identifier,
  listen: optional(
    record<ListenerOptions>({ address: optional(address), port: optional(listeningPort) }, { host: 'address' }),
  ),
  confederation: optional(confederationKind),
  fqdn: optional(fqdnKind),
  bfd: optional(methods<BfdSource>('session')),
  multipath: optional(record<Partial<MultipathOptions>>({ maximumPaths: optional(whole(1)), relax: optional(flag) })),
  clusterId: optional(identifier),
  restarting: optional(flag),
  selectionDeferralTime: optional(number('a number of seconds from 0 on', value => value >= 0 && value < Infinity)),
  log: optional(loggerKind),
  signal: optional(signal),
  clock: optional(clockKind),
  random: optional(callback<() => number>()),
}

/** As other speakers have it in their configuration. */
const SYNONYMS: Synonyms<BgpSpeakerOptions> = {
  routerId: 'bgpIdentifier',
  localAs: 'asn',
  localAsn: 'asn',
  myAsn: 'asn',
  logger: 'log',
  port: 'listen',
}

/** @throws {TypeError | RangeError} an unknown option, or a value that is not what its option wants; the message begins with its name */
export function checkSpeakerOptions(options: unknown): asserts options is BgpSpeakerOptions {
  checkOptions(options, KINDS, SYNONYMS)
}
