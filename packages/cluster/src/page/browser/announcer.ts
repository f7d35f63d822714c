import type { TransitionFacts } from '../facts.js'
import { element } from './dom.js'
import { plural } from './words.js'

/** Milliseconds that transitions are gathered: who listens hears one sentence for a burst. */
const GATHER = 1500
/** Transitions that are said one by one. */
const SAID = 3
/** Sentences that are kept in the document. */
const KEPT = 5

/** Says what happens to those who listen instead of looking, when they have heard what they hear now. */
export class Announcer {
  readonly #region: HTMLElement
  #lastId = -1
  #waiting: readonly TransitionFacts[] = []

  /** @param region a live region */
  constructor(region: HTMLElement) {
    this.#region = region
  }

  say(text: string): void {
    this.#region.append(element('p', {}, text))
    while (this.#region.childElementCount > KEPT) this.#region.firstElementChild?.remove()
  }

  /** Takes note of what has happened up to now, without saying it. */
  skip(transitions: readonly TransitionFacts[]): void {
    this.#lastId = Math.max(-1, ...transitions.map(({ id }) => id))
  }

  /** Says what has happened since. @param transitions the newest first */
  tell(transitions: readonly TransitionFacts[]): void {
    const fresh = transitions.filter(({ id }) => id > this.#lastId)
    if (fresh.length === 0) return
    if (this.#waiting.length === 0) setTimeout(() => this.#sayWaiting(), GATHER)
    this.#waiting = [...fresh, ...this.#waiting]
    this.skip(transitions)
  }

  #sayWaiting(): void {
    const shown = this.#waiting.slice(0, SAID).toReversed().map(sentence)
    const more = this.#waiting.length - shown.length
    this.#waiting = []
    this.say([...(more > 0 ? [`${plural(more, 'transition')} before these`] : []), ...shown].join('. '))
  }
}

const sentence = ({ object, what, why }: TransitionFacts): string =>
  `${object}: ${what}${why === undefined ? '' : `, ${why}`}`
