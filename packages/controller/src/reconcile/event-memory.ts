import type { Notice } from './service-event.js'

/**
 * Lets each notice through once per change: when the next pass over an object says the same again, it is not news. It is
 * news again after a pass that did not say it, and when what is asked for has changed.
 */
export class EventMemory {
  readonly #said = new Map<string, { readonly wish: string; readonly texts: ReadonlySet<string> }>()

  /**
   * @param about key of the object
   * @param wish anything that is different when the object asks for something else
   * @param notices what this pass over the object says
   * @returns those that are news
   */
  filter(about: string, wish: () => string, notices: readonly Notice[]): readonly Notice[] {
    const before = this.#said.get(about)
    if (notices.length === 0) {
      this.#said.delete(about)
      return notices
    }
    const now = wish()
    const news = notices.filter(notice => before?.wish !== now || !before.texts.has(textOf(notice)))
    this.#said.set(about, { wish: now, texts: new Set(notices.map(textOf)) })
    return news
  }

  /** The object is gone. */
  forget(about: string): void {
    this.#said.delete(about)
  }
}

const textOf = ({ reason, message }: Notice): string => `${reason}\0${message}`
