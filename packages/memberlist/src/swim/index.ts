/**
 * The decisions of a memberlist node, without I/O: {@link Swim} takes what happens and gives what to do.
 *
 * @packageDocumentation
 */
export { formatAddress, normalizeAddress, parseAddress } from './address.js'
export {
  type Delegate,
  type DelegateVersions,
  FAST,
  LAN,
  LOCAL,
  MAX_META,
  MAX_NAME,
  type Preset,
  PRESETS,
  type SwimOptions,
  type Tuning,
  tuningOf,
  WAN,
} from './config.js'
export { pushPullScale, remainingSuspicion, retransmitLimit, suspicionTimeout } from './formulas.js'
export { Swim } from './swim.js'
export type {
  DialPurpose,
  Endpoint,
  Instant,
  Member,
  Milliseconds,
  NodeStatus,
  Note,
  Random,
  SwimAction,
  SwimInput,
} from './types.js'
