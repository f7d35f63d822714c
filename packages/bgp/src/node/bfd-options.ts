import { flag, optional, record, whole, type Kinds } from '@typemetal/options'
import { SESSION_DEFAULTS, SESSION_KINDS, type SessionOptions as BfdSessionOptions } from '../bfd/fsm/options.js'
import { checkHolderOptions } from '../bfd/node/holders.js'
import type { Seconds } from '../fsm/index.js'

/** BFD with one peer, RFC 5882: its path is watched for as long as the peer is configured, and a session on a path that fails ends at once. */
export interface BfdPeerOptions extends BfdSessionOptions {
  /**
   * Over any number of hops, RFC 5883, instead of one (RFC 5881). @default for external peers whether `multihop` or `ttlSecurity`
   * of the peer allow more than one, for internal ones whether the address is on none of our subnets
   */
  readonly multihop?: boolean
  /**
   * BGP comes to Established with BFD Up only (draft-ietf-idr-bgp-bfd-strict-mode): our KEEPALIVE that answers the OPEN is held back until
   * then, for the Hold Time at most. Peers are told by a capability; one without it is waited with all the same, on our side alone, which
   * ends its attempts by its own hold timer. A neighbour that has switched its BFD off (AdminDown) is not waited for. @default false
   */
  readonly strict?: boolean
  /** BfdHoldTime: how long `strict` waits where the Hold Time is 0; then Cease, BFD Down. @default 30 */
  readonly holdTime?: Seconds
}

/** The part of a peer's options that is BFD's. */
export interface BfdOption {
  /** Needs a speaker with the option `bfd`. @default no BFD */
  readonly bfd?: BfdPeerOptions
}

/** {@link BfdPeerOptions}, checked. */
export interface CheckedBfdOptions {
  readonly session: BfdSessionOptions
  /** `undefined`: as the peer is. */
  readonly multihop: boolean | undefined
  readonly strict: boolean
  readonly holdTime: Seconds
}

/** What is left out of {@link BfdPeerOptions}. */
export const BFD_DEFAULTS = { ...SESSION_DEFAULTS, multihop: undefined, strict: false, holdTime: 30 } as const

const MAX_TIME: Seconds = 65_535

/** What {@link BfdOption} has to be. */
export const BFD_KINDS: Kinds<BfdOption> = {
  bfd: optional(
    record<BfdPeerOptions>({
      ...SESSION_KINDS,
      multihop: optional(flag),
      strict: optional(flag),
      holdTime: optional(whole(1, MAX_TIME)),
    }),
  ),
}

/** The session's own options say no more than their names. */
function checkSession(options: BfdSessionOptions): BfdSessionOptions {
  try {
    return checkHolderOptions(options)
  } catch (error) {
    if (error instanceof RangeError) throw new RangeError(`bfd.${error.message}`, { cause: error })
    if (error instanceof TypeError) throw new TypeError(`bfd.${error.message}`, { cause: error })
    throw error
  }
}

/**
 * @param isProvided the speaker has somewhere to take sessions from
 * @throws {RangeError | TypeError} an option that cannot work; the message begins with its name
 */
export function checkBfdOptions(
  options: BfdPeerOptions | undefined,
  isProvided: boolean,
): CheckedBfdOptions | undefined {
  if (options === undefined) return undefined
  if (!isProvided) throw new RangeError('bfd needs a speaker that was made with the option bfd')
  const { multihop, strict = BFD_DEFAULTS.strict, holdTime = BFD_DEFAULTS.holdTime, ...session } = options
  return { session: checkSession(session), multihop, strict, holdTime }
}
