import { callback, checkOptions, octets, optional, type Kinds } from '@typemetal/options'
import { instant } from '../time-kinds.js'
import type { Instant } from '../responder/announcer.js'
import { matchesAt } from '../responder/in-place.js'
import type { Protocol } from '../responder/responder.js'
import { arpQuestion, neighborQuestion } from '../resolver/question.js'
import { isMulticast, isUnspecified } from '../wire/ipv6.js'
import { sameOctets, type Octets } from '../wire/octets.js'
import { readClaim, type Claim } from './claim.js'
import { NONCE_LENGTH, nonceOption } from './nonce.js'
import { PROBE_KINDS, probeSchedule, type ProbeSchedule, type ProbeTimes } from './probe-schedule.js'

/** Who wants the address: one interface. A `ResponderIdentity` is one. */
export interface ProbeIdentity {
  /** `arp` for IPv4, `ndp` for IPv6. */
  readonly protocol: Protocol
  /** 6 octets. */
  readonly mac: Uint8Array
}

/** What an {@link AddressProbe} needs beside address and interface. */
export interface AddressProbeOptions extends ProbeTimes {
  /** When it begins, on the clock of all later calls. */
  readonly now: Instant
  /** From 0 to below 1, for the times of ARP Probes and for nonces: without it two hosts that start together collide in step. */
  readonly random: () => number
  /** Does not begin earlier, as {@link AttemptLimit.attempt} says. @default now */
  readonly notBefore?: Instant
  /** Whether a MAC address, a view, is that of another interface of this host, whose probes are no conflict (RFC 5227 §2.1.1). */
  readonly isOwn?: (mac: Uint8Array) => boolean
}

const KINDS: Kinds<AddressProbeOptions> = {
  ...PROBE_KINDS,
  now: instant,
  random: callback<() => number>(),
  notBefore: optional(instant),
  isOwn: optional(callback<(mac: Uint8Array) => boolean>()),
}

/** What to do, in this order: send a whole Ethernet frame, or take the verdict, after which nothing more comes. */
export type ProbeAction =
  | { readonly type: 'send'; readonly frame: Uint8Array }
  | { readonly type: 'free' }
  | {
      readonly type: 'conflict'
      /** Who has the address, or wants it too; 6 octets, a copy. */
      readonly mac: Uint8Array
      /** `simultaneous-probe`: another host is asking for it at this moment, and neither may have it. */
      readonly kind: 'owner' | 'simultaneous-probe'
    }

const NOTHING: readonly ProbeAction[] = []
const ADDRESS_LENGTH = { arp: 4, ndp: 16 } as const
/** Nonces remembered: more than are on their way at any time. */
const NONCES = 8

/**
 * Is anybody else using this address? ARP Probes as RFC 5227 §2.1.1 says, Duplicate Address Detection as RFC 4862 §5.4 says, with
 * the nonces of RFC 7527. Reads no clock: call {@link expire} at {@link deadline}, first of all at the start. Frames that came
 * before a deadline are to be given to {@link receive} before it: a thread that was stalled must not find free what was answered.
 */
export class AddressProbe {
  readonly #identity: ProbeIdentity
  readonly #address: Uint8Array
  readonly #random: () => number
  readonly #isOwn: (mac: Uint8Array) => boolean
  readonly #schedule: ProbeSchedule
  readonly #concerns = (frame: Uint8Array, offset: Octets): boolean => matchesAt(frame, offset, this.#address)
  readonly #nonces: Uint8Array[] = []
  #deadline: Instant
  #sent = 0
  #wanted: number
  #echoes = 0
  #loopedBack = 0
  #state: 'probing' | 'free' | 'conflict' = 'probing'

  /**
   * @param address 4 octets for `arp`, 16 for `ndp`; copied
   * @throws {TypeError | RangeError} an address that no single host has, a time that is no time, or an unknown option
   */
  constructor(identity: ProbeIdentity, address: Uint8Array, options: AddressProbeOptions) {
    checkOptions(options, KINDS)
    checkSubject(identity.protocol, address)
    this.#identity = identity
    this.#address = address.slice()
    this.#random = options.random
    this.#isOwn = options.isOwn ?? (() => false)
    this.#schedule = probeSchedule(identity.protocol, options)
    this.#wanted = this.#schedule.transmits
    const begin = Math.max(options.now, options.notBefore ?? options.now)
    this.#deadline = this.#wanted === 0 ? begin : begin + this.#schedule.wait(this.#random)
  }

  /** When {@link expire} is due; `Infinity` after the verdict. */
  get deadline(): Instant {
    return this.#deadline
  }

  /** How far it is. */
  get state(): 'probing' | 'free' | 'conflict' {
    return this.#state
  }

  /** Solicitations of our own that the link has sent back (RFC 7527 §4.2): it has a loop. */
  get loopedBack(): number {
    return this.#loopedBack
  }

  /** Sends the next probe, or says that the address is free. Early it does nothing. */
  expire(now: Instant): readonly ProbeAction[] {
    if (now < this.#deadline || this.#state !== 'probing') return NOTHING
    if (this.#sent >= this.#wanted) {
      // RFC 7527 §4.1: a link that sends ours back may have kept an answer from us.
      if (this.#echoes === 0) return this.#conclude('free', { type: 'free' })
      this.#echoes = 0
      this.#wanted += this.#schedule.more
    }
    this.#sent++
    this.#deadline = now + (this.#sent < this.#wanted ? this.#schedule.gap(this.#random) : this.#schedule.listen)
    return [{ type: 'send', frame: this.#probe() }]
  }

  /** Looks at a frame of the interface. Never throws, whatever its octets. */
  receive(frame: Uint8Array, _now: Instant): readonly ProbeAction[] {
    if (this.#state !== 'probing') return NOTHING
    const claim = readClaim(frame, this.#identity.protocol, this.#concerns)
    if (typeof claim === 'string' || this.#isOurs(claim)) return NOTHING
    const kind = claim.kind === 'probe' ? 'simultaneous-probe' : 'owner'
    return this.#conclude('conflict', { type: 'conflict', mac: claim.mac.slice(), kind })
  }

  /** Only probes may be: RFC 5227 §2.1.1 makes no such exception for a claim, and while we probe we send none. */
  #isOurs({ kind, nonce, mac, frameSource }: Claim): boolean {
    if (kind === 'claim') return false
    if (nonce !== undefined && this.#nonces.some(ours => sameOctets(ours, nonce))) {
      this.#echoes++
      this.#loopedBack++
      return true
    }
    const ours = this.#identity.mac
    return sameOctets(mac, ours) || sameOctets(frameSource, ours) || this.#isOwn(mac)
  }

  #conclude(state: 'free' | 'conflict', action: ProbeAction): readonly ProbeAction[] {
    this.#state = state
    this.#deadline = Infinity
    return [action]
  }

  #probe(): Uint8Array {
    const { protocol, mac } = this.#identity
    const question = { mac, source: new Uint8Array(this.#address.length), address: this.#address }
    return protocol === 'arp' ? arpQuestion(question) : neighborQuestion(question, [nonceOption(this.#newNonce())])
  }

  /** RFC 7527 §4.1: each solicitation has its own. */
  #newNonce(): Uint8Array {
    const nonce = Uint8Array.from({ length: NONCE_LENGTH }, () => Math.floor(this.#random() * 256))
    this.#nonces.push(nonce)
    if (this.#nonces.length > NONCES) this.#nonces.shift()
    return nonce
  }
}

function checkSubject(protocol: Protocol, address: Uint8Array): void {
  const length = ADDRESS_LENGTH[protocol]
  octets('address', address)
  if (address.length !== length) throw new RangeError(`address must have ${length} octets, not ${address.length}`)
  const group = length === 4 ? address[0]! >= 0xe0 : isMulticast(address)
  if (group || isUnspecified(address)) throw new RangeError('address must be that of one host')
}
