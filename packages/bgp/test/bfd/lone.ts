import assert from 'node:assert/strict'
import {
  decodeControlPacket,
  decodeEchoPacket,
  encodeControlPacket,
  Session,
  type Action,
  type ControlPacket,
  type EchoPacket,
  type Microseconds,
  type SessionContext,
  type SessionDiscardReason,
  type SessionOptions,
  type SessionSnapshot,
  type State,
} from '@typemetal/bgp/bfd'
import { digest, PACKET } from './packets.js'

/** A millisecond, in microseconds. */
export const MS: Microseconds = 1000
/** A second, in microseconds. */
export const S: Microseconds = 1_000_000
/** bfd.LocalDiscr of a {@link Lone} session. */
export const LOCAL = 0x01020304
/** The other end's discriminator. */
export const REMOTE = PACKET.myDiscriminator

/** A packet that the session sent, and when. */
export interface Sent extends ControlPacket {
  readonly at: Microseconds
  readonly octets: Uint8Array
}

/** An echo packet that the session sent, and when. */
export interface SentEcho extends EchoPacket {
  readonly at: Microseconds
}

type StateChange = Extract<Action, { type: 'state' }>

/** A session alone in virtual time, whose other end is played by the test. */
export class Lone {
  readonly session: Session
  now: Microseconds
  /** Packets sent since the last look; {@link take} empties it. */
  sent: Sent[] = []
  echoes: SentEcho[] = []
  changes: StateChange[] = []
  remoteChanges: Extract<Action, { type: 'remote-state' }>[] = []
  discards: SessionDiscardReason[] = []

  /** @param context random is 1 - 2^-53, so that there is no jitter but at a Detect Mult of 1 */
  constructor(options: SessionOptions = {}, context: Partial<SessionContext> = {}) {
    this.now = context.now ?? 0
    this.session = new Session(options, {
      myDiscriminator: LOCAL,
      random: () => 1 - 2 ** -53,
      now: this.now,
      digest,
      ...context,
    })
  }

  get state(): State {
    return this.session.state
  }

  get snapshot(): SessionSnapshot {
    return this.session.snapshot()
  }

  /** Carries out actions, and returns them. */
  perform(actions: readonly Action[]): readonly Action[] {
    for (const action of actions) {
      switch (action.type) {
        case 'send':
          this.sent.push({ ...decodeControlPacket(action.octets), at: this.now, octets: action.octets })
          break
        case 'send-echo': {
          const echo = decodeEchoPacket(action.octets)
          assert.ok(echo)
          this.echoes.push({ ...echo, at: this.now })
          break
        }
        case 'state':
          this.changes.push(action)
          break
        case 'remote-state':
          this.remoteChanges.push(action)
          break
        case 'discard':
          this.discards.push(action.reason)
      }
    }
    return actions
  }

  /** What was sent since the last call. */
  take(): Sent[] {
    const { sent } = this
    this.sent = []
    return sent
  }

  /** Lets time pass, doing what is due at its moment. */
  advance(time: Microseconds): void {
    const end = this.now + time
    for (;;) {
      const due = this.session.deadline
      if (due > end) break
      this.now = Math.max(this.now, due)
      this.perform(this.session.expire(this.now))
      assert.ok(this.session.deadline > this.now, 'what was due is done')
    }
    this.now = end
  }

  /** Gives it a packet of the other end, which knows us unless told otherwise. */
  receive(packet: Partial<ControlPacket>): readonly Action[] {
    const whole = { ...PACKET, yourDiscriminator: LOCAL, ...packet }
    const octets = encodeControlPacket(whole)
    return this.perform(this.session.receive(decodeControlPacket(octets), octets, this.now))
  }

  /** Brings it Up by the three-way handshake and answers its first Poll Sequence; the other end then has these values. */
  up(packet: Partial<ControlPacket> = {}): this {
    this.advance(0)
    this.receive({ state: 'Down', ...packet })
    this.receive({ state: 'Up', ...packet })
    assert.equal(this.state, 'Up')
    this.receive({ state: 'Up', final: true, ...packet })
    this.sent = []
    this.changes = []
    this.remoteChanges = []
    return this
  }

  /** Lets time pass while the other end sends this packet every so often, beginning after the first wait. */
  listen(time: Microseconds, every: Microseconds, packet: Partial<ControlPacket> = {}): void {
    for (let passed = 0; passed + every <= time; passed += every) {
      this.advance(every)
      this.receive({ state: 'Up', ...packet })
    }
  }
}

/** Microseconds between packets. */
export const gaps = (sent: readonly { readonly at: Microseconds }[]): Microseconds[] =>
  sent.slice(1).map(({ at }, index) => at - sent[index]!.at)
