import { callback, checkOptions, number, optional, type Kinds } from '@typemetal/options'
import type { Instant } from '../responder/announcer.js'
import { unsolicitedAdvertisement } from '../responder/ndp.js'
import { isSelected, type OwnedAddress, type OwnedAddresses } from '../responder/owned-addresses.js'
import type { ResponderIdentity } from '../responder/responder.js'
import { arpQuestion } from '../resolver/question.js'
import { sameOctets, type Octets } from '../wire/octets.js'
import { readClaim, type Claim, type NoClaim } from './claim.js'
import { ConflictTable, type Conflict } from './conflict-table.js'
import { Defence, policy, type DefencePolicy, type DefenceVerdict } from './defence.js'

/** How a {@link ConflictDetector} behaves; times in milliseconds. */
export interface ConflictDetectorOptions {
  /** RFC 5227 §2.4. @default 'never' */
  readonly defend?: DefencePolicy
  /** DEFEND_INTERVAL: shortest time between two defences of one address (RFC 5227 §1.1). @default 10000 */
  readonly defendInterval?: number
  /** Not seen for so long, a conflict is over. @default 60000 */
  readonly expiry?: number
  /** At most one sighting of an address and MAC address in this time is to be reported, but a claim after a probe. @default 1000 */
  readonly reportInterval?: number
  /** MAC addresses remembered for one address; more are counted as `too-many`. @default 8 */
  readonly macsPerAddress?: number
  /** Conflicts remembered in all; more are counted as `too-many`. @default 16384 */
  readonly capacity?: number
  /** Whether a MAC address, a view, is that of another interface of this host: no conflict (RFC 5227 §2.4). @default none is */
  readonly isOwn?: (mac: Uint8Array) => boolean
}

/** A second owner of an address that we answer for on this interface. */
export interface ConflictSighting {
  readonly type: 'conflict'
  /** `claim`: it has the address; `probe`: its Duplicate Address Detection asks for it (IPv6; ARP Probes are the responder's). */
  readonly kind: Claim['kind']
  readonly owned: OwnedAddress
  /** Who, 6 octets, kept by the detector: do not write to it. */
  readonly mac: Uint8Array
  /** Frames of it since `since`. */
  readonly count: number
  /** When it was first seen. */
  readonly since: Instant
  readonly first: boolean
  /**
   * Tell somebody: the first one, the first claim, or the first for `reportInterval`. However many MAC addresses a flood invents, few
   * are.
   */
  readonly report: boolean
  /** Send this frame now: an ARP Announcement (RFC 5227 §2.4) or an unsolicited advertisement (RFC 4861 §7.2.4). */
  readonly defend?: Uint8Array
  /** RFC 5227 §2.4 (b): defended in vain, so the address must no longer be used. Only with `'once'`. */
  readonly lost: boolean
}

/**
 * Why a frame is no conflict: what {@link NoClaim} says, or
 *
 * - `own-frame`: our own, or that of another interface of this host
 * - `interface-not-selected`: the address is in the table, for other interfaces
 * - `too-many`: a conflict for which there is no room
 */
export type NoConflict = NoClaim | 'own-frame' | 'interface-not-selected' | 'too-many'

/** What a frame leads to. */
export type ConflictVerdict = ConflictSighting | NoConflict

const DEFAULTS = {
  defend: 'never',
  defendInterval: 10_000,
  expiry: 60_000,
  reportInterval: 1000,
  macsPerAddress: 8,
  capacity: 16_384,
  isOwn: (_mac: Uint8Array): boolean => false,
} as const satisfies Required<ConflictDetectorOptions>
const notNegative = optional(number('a number from 0 on', value => value >= 0))
const KINDS: Kinds<ConflictDetectorOptions> = {
  defend: optional(policy),
  defendInterval: notNegative,
  expiry: notNegative,
  reportInterval: notNegative,
  macsPerAddress: notNegative,
  capacity: notNegative,
  isOwn: optional(callback<(mac: Uint8Array) => boolean>()),
}

/**
 * Watches one protocol on one interface for a second owner of our addresses: RFC 5227 §2.4 for ARP, RFC 4862 §5.4.3 and 5.4.4
 * turned round for Neighbor Discovery. Give it every frame, those that the responder answers too: a gratuitous ARP request is
 * both. Reads no clock, never throws on a frame, and remembers a bounded number of conflicts.
 */
export class ConflictDetector {
  readonly #identity: ResponderIdentity
  readonly #table: OwnedAddresses
  readonly #isOwn: (mac: Uint8Array) => boolean
  readonly #length: 4 | 16
  readonly #conflicts: ConflictTable
  readonly #defence: Defence
  readonly #ignored = new Map<NoConflict, number>()
  #owned: OwnedAddress | undefined
  readonly #concerns = (frame: Uint8Array, offset: Octets): boolean =>
    (this.#owned = this.#table.findAt(frame, offset, this.#length)) !== undefined
  readonly #stays = (address: string): boolean => {
    const owned = this.#table.get(address)
    return owned !== undefined && isSelected(owned, this.#identity.interface)
  }

  /**
   * @param table shared and owned by the caller; what it holds at the time of a frame counts
   * @throws {TypeError | RangeError} `defend` is no policy, a time or number is below 0, or an option is unknown
   */
  constructor(identity: ResponderIdentity, table: OwnedAddresses, options: ConflictDetectorOptions = {}) {
    const { defend, defendInterval, isOwn, ...bounds } = withDefaults(options)
    this.#identity = identity
    this.#table = table
    this.#isOwn = isOwn
    this.#length = identity.protocol === 'arp' ? 4 : 16
    this.#conflicts = new ConflictTable({ interface: identity.interface, ...bounds })
    this.#defence = new Defence(defend, defendInterval)
  }

  /** Frames that are no conflict, by reason. */
  get ignored(): ReadonlyMap<NoConflict, number> {
    return this.#ignored
  }

  /** When {@link expire} is due; `Infinity` while nothing can be over. */
  get deadline(): Instant {
    return this.#conflicts.deadline
  }

  /** Decides about a frame and counts it. Never throws, whatever its octets. */
  observe(frame: Uint8Array, now: Instant): ConflictVerdict {
    const verdict = this.#judge(frame, now)
    if (typeof verdict === 'string') this.#ignored.set(verdict, (this.#ignored.get(verdict) ?? 0) + 1)
    return verdict
  }

  #judge(frame: Uint8Array, now: Instant): ConflictVerdict {
    const { protocol, interface: name } = this.#identity
    const claim = readClaim(frame, protocol, this.#concerns)
    const owned = this.#owned
    if (typeof claim === 'string') return claim
    // The owner answers an ARP Probe (RFC 5227 §2.1.1): the responder does.
    if (owned === undefined || (protocol === 'arp' && claim.kind === 'probe')) return 'no-claim'
    if (!isSelected(owned, name)) return 'interface-not-selected'
    if (this.#isOurs(claim)) return 'own-frame'
    const sighting = this.#conflicts.see(owned.text, claim.mac, claim.kind, now)
    if (sighting === undefined) return 'too-many'
    const { defend, lost } = this.#defend(owned, claim.kind, now)
    const { conflict, first, report } = sighting
    return {
      type: 'conflict',
      kind: claim.kind,
      owned,
      mac: conflict.mac,
      count: conflict.count,
      since: conflict.firstSeen,
      first,
      report,
      lost,
      ...(defend && { defend: this.#announcement(owned) }),
    }
  }

  #isOurs({ mac, frameSource }: Claim): boolean {
    const ours = this.#identity.mac
    return sameOctets(mac, ours) || sameOctets(frameSource, ours) || this.#isOwn(mac)
  }

  #defend({ text }: OwnedAddress, kind: Claim['kind'], now: Instant): DefenceVerdict {
    return kind === 'probe' ? this.#defence.probed(text, now) : this.#defence.claimed(text, now)
  }

  #announcement({ octets }: OwnedAddress): Uint8Array {
    const identity = this.#identity
    return identity.protocol === 'arp'
      ? arpQuestion({ mac: identity.mac, source: octets, address: octets })
      : unsolicitedAdvertisement(identity, octets)
  }

  /**
   * Takes out the conflicts that are over: not seen for `expiry`, or about an address that is no longer ours here. Due at
   * {@link deadline}; call it also when addresses were taken out of the table, to hear of their conflicts at once.
   */
  expire(now: Instant): readonly Conflict[] {
    this.#defence.sweep(now)
    return this.#conflicts.sweep(now, this.#stays)
  }

  /** The conflicts that are not over. */
  conflicts(now: Instant): readonly Conflict[] {
    return this.#conflicts.list(now, this.#stays)
  }
}

function withDefaults(options: ConflictDetectorOptions): Required<ConflictDetectorOptions> {
  checkOptions(options, KINDS)
  return { ...DEFAULTS, ...options }
}
