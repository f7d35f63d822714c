/** What a session has negotiated and its messages are read and written by. */
export interface MessageContext {
  /** Both sides sent capability 65, RFC 6793: AS numbers in AS_PATH and AGGREGATOR are 4 octets wide, else 2. */
  readonly fourOctetAs: boolean
  /** The peer is in our AS: LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST are meant for us (RFC 7606 section 7). */
  readonly internal: boolean
}

/** An internal session between speakers that know 4-octet AS numbers; used where the caller gives no context. */
export const DEFAULT_CONTEXT: MessageContext = { fourOctetAs: true, internal: true }
