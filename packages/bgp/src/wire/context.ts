import type { FamilyName } from './family.js'

/** What a session has negotiated and its messages are read and written by, in one direction. */
export interface MessageContext {
  /** Both sides sent capability 65, RFC 6793: AS numbers in AS_PATH and AGGREGATOR are 4 octets wide, else 2. */
  readonly fourOctetAs: boolean
  /** The peer is in our AS: LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST are meant for us (RFC 7606 section 7). */
  readonly internal: boolean
  /**
   * The peer is in our confederation but in another member AS, RFC 5065: its AS_PATH begins with a confederation segment,
   * and its LOCAL_PREF is meant for us.
   */
  readonly confederation?: boolean
  /** Families whose prefixes carry a Path Identifier in this direction, RFC 7911. */
  readonly addPath?: readonly FamilyName[]
  /** Messages but OPEN and KEEPALIVE may have up to 65,535 octets, RFC 8654; else 4,096. */
  readonly extendedMessage?: boolean
  /** Families whose prefixes may have a next hop of the other family, RFC 8950. */
  readonly extendedNextHop?: readonly FamilyName[]
  /**
   * AIGP is taken and sent, RFC 7311 section 3.2.
   *
   * @default as {@link internal} or {@link confederation} says
   */
  readonly aigpSession?: boolean
}

/** An internal session between speakers that know 4-octet AS numbers; used where the caller gives no context. */
export const DEFAULT_CONTEXT: MessageContext = { fourOctetAs: true, internal: true }
