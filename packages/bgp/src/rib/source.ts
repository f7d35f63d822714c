/** Where paths come from: a peer, or this speaker itself. */
export interface PathSource {
  /** In our AS. */
  readonly internal: boolean
  /** In another member AS of our confederation, RFC 5065. */
  readonly confederation?: boolean
  /** Of our own making: comes before everything that is learned. */
  readonly local?: boolean
  readonly bgpIdentifier: number
  /** The peer's address as octets; none for ourselves. */
  readonly address: Uint8Array
}
