import type { ControlPacket, Microseconds, State } from '../wire/index.js'

/** RFC 5880 section 6.8.1: the initial value of bfd.RemoteMinRxInterval. */
const INITIAL_MIN_RX: Microseconds = 1

/** What the remote system has said in its last packet, RFC 5880 section 6.8.1. */
export class Remote {
  /** bfd.RemoteDiscr. */
  discriminator = 0
  /** bfd.RemoteSessionState. */
  state: State = 'Down'
  /** Diag. */
  diagnostic = 0
  /** Desired Min TX Interval. */
  desiredMinTx: Microseconds = 0
  /** bfd.RemoteMinRxInterval. */
  minRx: Microseconds = INITIAL_MIN_RX
  /** Required Min Echo RX Interval. */
  minEchoRx: Microseconds = 0
  /** Detect Mult; 0 before the first packet. */
  detectMult = 0
  /** bfd.RemoteDemandMode. */
  demand = false
  /** C bit. */
  controlPlaneIndependent = false

  /** Takes over what a packet says. */
  update(packet: ControlPacket): void {
    this.discriminator = packet.myDiscriminator
    this.state = packet.state
    this.diagnostic = packet.diagnostic
    this.desiredMinTx = packet.desiredMinTxInterval
    this.minRx = packet.requiredMinRxInterval
    this.minEchoRx = packet.requiredMinEchoRxInterval
    this.detectMult = packet.detectMult
    this.demand = packet.demand
    this.controlPlaneIndependent = packet.controlPlaneIndependent
  }

  /**
   * Nothing was received for a Detection Time. The RFC clears bfd.RemoteDiscr; what the remote system asks of us goes with
   * it, as in BIRD, since one that comes back may be another one: an old bfd.RemoteMinRxInterval of 0 would keep us silent
   * for ever. The last state that it reported stays, and with it whether AdminDown was the reason; so does its C bit.
   */
  forget(): void {
    this.discriminator = 0
    this.desiredMinTx = 0
    this.minRx = INITIAL_MIN_RX
    this.minEchoRx = 0
    this.detectMult = 0
    this.demand = false
  }
}
