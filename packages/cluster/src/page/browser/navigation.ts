import type { PageFacts, Verdict } from '../facts.js'
import { sign } from './cells.js'
import { element, setAttribute } from './dom.js'
import { count, SEVERITY } from './words.js'

const ENTRIES = [
  ['services', 'Services'],
  ['sessions', 'Sessions'],
  ['nodes', 'Nodes'],
  ['pools', 'Pools'],
  ['layer2', 'Layer 2'],
  ['members', 'Gossip'],
  ['transitions', 'Transitions'],
] as const

/** Links to the sections, with how many rows each has and how many of them are not good. */
export class Navigation {
  readonly #list = element('ul')
  readonly #links = new Map<string, HTMLAnchorElement>()

  readonly element = element('nav', { 'aria-label': 'Sections' }, this.#list)

  constructor() {
    for (const [section] of ENTRIES) this.#links.set(section, element('a', { href: `#${section}` }))
  }

  update(facts: Partial<PageFacts>): void {
    const items = ENTRIES.flatMap(([section, title]) => {
      const rows = facts[section]
      const link = this.#links.get(section)
      if (!rows || !link) return []
      this.#show(link, title, section === 'transitions' ? rows.map(() => 'good') : rows.map(({ verdict }) => verdict))
      return [link.parentElement ?? element('li', {}, link)]
    })
    const shown = [...this.#list.children]
    if (items.length !== shown.length || items.some((item, index) => item !== shown[index])) {
      this.#list.replaceChildren(...items)
    }
  }

  #show(link: HTMLElement, title: string, verdicts: readonly Verdict[]): void {
    const worst = verdicts.reduce<Verdict>((a, b) => (SEVERITY[b] < SEVERITY[a] ? b : a), 'good')
    const key = `${title} ${verdicts.length} ${verdicts.filter(verdict => verdict === worst).length} ${worst}`
    if (link.dataset['key'] === key) return
    link.dataset['key'] = key
    setAttribute(link, 'data-verdict', worst)
    const notGood = count(verdicts.filter(verdict => verdict === worst).length)
    const words = worst === 'good' ? [] : [element('small', {}, sign(worst), ` ${notGood}`)]
    link.replaceChildren(element('b', {}, count(verdicts.length)), element('span', {}, title), ...words)
  }
}
