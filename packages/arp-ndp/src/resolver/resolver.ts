import { checkOptions, oneOf, optional, whole, type Kinds } from '@typemetal/options'
import { duration, instant } from '../time-kinds.js'
import { answeredBy } from '../responder/answer.js'
import type { Instant } from '../responder/announcer.js'
import { isUnspecified } from '../wire/ipv6.js'
import { arpQuestion, neighborQuestion, type Question } from './question.js'

/** How long and how often a {@link Resolver} asks; times in milliseconds. */
export interface ResolverOptions {
  /** When it begins, on the clock of all later calls. */
  readonly now: Instant
  /** MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT: questions while nobody answers (RFC 4861 §10). @default 3 */
  readonly attempts?: number
  /** RETRANS_TIMER: from one question to the next, and of waiting after the last (RFC 4861 §10). @default 1000 */
  readonly interval?: number
  /** Ends at this time after the first question, no earlier and no later. @default `interval` after the last question */
  readonly timeout?: number
  /** `all` answers, of which two mean a conflict, or the end with the `first`. @default 'all' */
  readonly collect?: 'all' | 'first'
}

/** What each field has to be that says how long and how often is asked. */
export const PATIENCE_KINDS: Kinds<Omit<ResolverOptions, 'now'>> = {
  attempts: optional(whole(1)),
  // Infinity is none: the deadline means the end by it.
  interval: optional(duration),
  timeout: optional(duration),
  collect: optional(oneOf('all', 'first')),
}
const KINDS: Kinds<ResolverOptions> = { ...PATIENCE_KINDS, now: instant }

/** Somebody who has the address. */
export interface Resolution {
  /** 6 octets. */
  readonly mac: Uint8Array
  /** Milliseconds from the last question before it to the first answer. */
  readonly roundTrip: number
}

/** What to do, in this order; after `end` nothing more comes. */
export type ResolverAction =
  | { readonly type: 'send'; readonly frame: Uint8Array }
  | { readonly type: 'answer'; readonly answer: Resolution }
  | { readonly type: 'end'; readonly answers: readonly Resolution[] }

const NOTHING: readonly ResolverAction[] = []
/** Answers kept: more owners of one address are a flood. */
const MOST_ANSWERS = 64

/**
 * Asks who has an address, by ARP or Neighbor Solicitation: everybody, again until somebody answers (RFC 4861 §7.2.2), or one
 * known neighbour whether it is still there (§7.3.3). Reads no clock: call {@link expire} at {@link deadline}, first of all at the
 * start.
 */
export class Resolver {
  readonly #question: Question
  readonly #frame: Uint8Array
  readonly #attempts: number
  readonly #interval: number
  readonly #end: Instant | undefined
  readonly #first: boolean
  readonly #answers = new Map<string, Resolution>()
  #deadline: Instant
  #asked: Instant
  #sent = 0

  /** @throws {TypeError | RangeError} an address of the wrong length, or an option that is no time or number, or unknown */
  constructor(question: Question, options: ResolverOptions) {
    checkOptions(options, KINDS)
    const { now, attempts = 3, interval = 1000, timeout, collect = 'all' } = options
    this.#question = question
    this.#frame = questionFrame(question)
    this.#attempts = attempts
    this.#interval = interval
    this.#end = timeout === undefined ? undefined : now + timeout
    this.#first = collect === 'first'
    this.#deadline = now
    this.#asked = now
  }

  /** When {@link expire} is due; `Infinity` after the end. */
  get deadline(): Instant {
    return this.#deadline
  }

  /** Who has answered so far, in the order of their answers. */
  get answers(): readonly Resolution[] {
    return [...this.#answers.values()]
  }

  /** Questions sent. */
  get sent(): number {
    return this.#sent
  }

  /** Asks again, or ends. Early it does nothing. */
  expire(now: Instant): readonly ResolverAction[] {
    if (now < this.#deadline || this.#deadline === Infinity) return NOTHING
    const over = this.#end !== undefined && now >= this.#end && this.#sent > 0
    const silent = this.#sent < this.#attempts && this.#answers.size === 0
    if (over || (!silent && this.#end === undefined)) return [this.#finish()]
    if (!silent) {
      this.#deadline = this.#end ?? Infinity
      return NOTHING
    }
    this.#sent++
    this.#asked = now
    this.#deadline = Math.min(now + this.#interval, this.#end ?? Infinity)
    return [{ type: 'send', frame: this.#frame }]
  }

  /** Looks at a frame of the interface; what comes before the first question is no answer. Never throws, whatever its octets. */
  receive(frame: Uint8Array, now: Instant): readonly ResolverAction[] {
    if (this.#sent === 0) return NOTHING
    if (this.#deadline === Infinity || this.#answers.size >= MOST_ANSWERS) return NOTHING
    const owner = answeredBy(frame, this.#question.mac, this.#question.address)
    const key = owner?.join()
    if (owner === undefined || key === undefined || this.#answers.has(key)) return NOTHING
    const answer = { mac: owner.slice(), roundTrip: now - this.#asked }
    this.#answers.set(key, answer)
    return this.#first ? [{ type: 'answer', answer }, this.#finish()] : [{ type: 'answer', answer }]
  }

  #finish(): ResolverAction {
    this.#deadline = Infinity
    return { type: 'end', answers: this.answers }
  }
}

function questionFrame(question: Question): Uint8Array {
  if (question.source.length !== question.address.length)
    throw new RangeError('source is of another family than address')
  // RFC 4861 §7.2.4: answers to `::` go to everybody, and never to who has asked.
  if (question.source.length === 16 && isUnspecified(question.source))
    throw new RangeError('source :: gets no answers; an AddressProbe asks from it')
  return question.address.length === 4
    ? arpQuestion(question)
    : neighborQuestion(question, [{ kind: 'source-link-layer-address', address: question.mac }])
}
