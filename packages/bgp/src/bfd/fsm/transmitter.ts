import type { ControlPacket } from '../wire/index.js'
import type { SendAction } from './actions.js'
import type { Authenticator } from './authentication.js'

/** Whether two packets say the same; neither has its authentication yet. */
const same = (a: ControlPacket, b: ControlPacket): boolean =>
  a.state === b.state &&
  a.poll === b.poll &&
  a.final === b.final &&
  a.diagnostic === b.diagnostic &&
  a.detectMult === b.detectMult &&
  a.yourDiscriminator === b.yourDiscriminator &&
  a.desiredMinTxInterval === b.desiredMinTxInterval &&
  a.requiredMinRxInterval === b.requiredMinRxInterval &&
  a.requiredMinEchoRxInterval === b.requiredMinEchoRxInterval

/** Makes the actions that send packets: a packet that says what the last one said is the last one, octets and all. */
export class Transmitter {
  readonly #authenticator: Authenticator
  #last: ControlPacket | undefined
  #actions: readonly SendAction[] = []

  constructor(authenticator: Authenticator) {
    this.#authenticator = authenticator
  }

  /** The authentication has changed: the next packet is made anew. */
  reset(): void {
    this.#last = undefined
  }

  /** @param packet not kept, so that it may be written to afterwards */
  send(packet: ControlPacket): readonly SendAction[] {
    // RFC 5880 section 6.7.3: without "meticulous" the sequence number rises when the contents differ.
    if (this.#last !== undefined && same(this.#last, packet) && !this.#authenticator.meticulous) return this.#actions
    this.#last = { ...packet }
    this.#actions = [{ type: 'send', octets: this.#authenticator.encode(packet) }]
    return this.#actions
  }
}
