import type { PageFacts, Section, Verdict } from '../facts.js'
import { sign } from './cells.js'
import { ageOf } from './clock.js'
import { element } from './dom.js'
import type { Problem } from './problems.js'
import { count, plural } from './words.js'

/** Problems of one kind that are told one by one. */
const TOLD = 6

/** Shows a table with only these rows. */
export type Show = (section: Section, filter: string, onlyWrong: boolean) => void

/** The first thing on the page: what is wrong, or that nothing is. */
export class Overview {
  readonly section: HTMLElement
  readonly #list = element('ul', { class: 'problems' })
  readonly #heading = element('h2', { id: 'overview-title' })
  readonly #show: Show
  #text = ''

  constructor(show: Show) {
    this.#show = show
    this.section = element(
      'section',
      { id: 'overview', 'aria-labelledby': 'overview-title' },
      this.#heading,
      this.#list,
    )
  }

  update(problems: readonly Problem[], facts: Partial<PageFacts>): void {
    const text = JSON.stringify([problems, sizes(facts)])
    if (text === this.#text) return
    this.#text = text
    const wrong = problems.filter(({ verdict }) => verdict === 'bad').length
    const worst: Verdict = problems[0]?.verdict ?? 'good'
    this.section.dataset['verdict'] = worst
    this.#heading.replaceChildren(sign(worst), headline(wrong, problems.length - wrong))
    this.#list.replaceChildren(...(problems.length > 0 ? this.#items(problems) : [allGood(facts)]))
  }

  #items(problems: readonly Problem[]): readonly HTMLElement[] {
    const groups = new Map<string, Problem[]>()
    for (const problem of problems) {
      const key = `${problem.verdict} ${problem.noun}`
      groups.set(key, [...(groups.get(key) ?? []), problem])
    }
    return [...groups.values()].flatMap(group => {
      const hidden = group.slice(TOLD)
      const told = hidden.length > 1 ? group.slice(0, TOLD) : group
      return [...told.map(each => this.#item(each)), ...(hidden.length > 1 ? this.#more(hidden) : [])]
    })
  }

  #item(problem: Problem): HTMLElement {
    const { verdict, noun, name, text, details = [], since } = problem
    const body = element('div', {}, ...(name === undefined ? [] : [this.#link(problem, `${noun} ${name}`), ': ']), text)
    if (since !== undefined) body.append(element('span', { class: 'faint' }, ', for ', ageOf(since)))
    if (details.length > 0) body.append(element('ul', {}, ...details.map(detail => element('li', {}, detail))))
    return element('li', { 'data-verdict': verdict }, sign(verdict), body)
  }

  #more(hidden: readonly Problem[]): readonly HTMLElement[] {
    const [first] = hidden
    if (!first) return []
    const text = `and ${plural(hidden.length, `more ${first.noun}`)}`
    const body = first.section === undefined ? text : this.#link({ ...first, filter: '' }, text)
    return [element('li', { 'data-verdict': first.verdict }, sign(first.verdict), element('div', {}, body))]
  }

  #link({ section, filter = '' }: Problem, text: string): HTMLElement {
    if (section === undefined) return element('b', {}, text)
    const link = element('a', { href: `#${section}` }, text)
    link.addEventListener('click', () => this.#show(section, filter, filter === ''))
    return link
  }
}

function headline(wrong: number, toSee: number): string {
  if (wrong === 0 && toSee === 0) return 'Nothing is wrong'
  const parts = [
    ...(wrong > 0 ? [`${plural(wrong, 'thing')} wrong`] : []),
    ...(toSee > 0 ? [`${count(toSee)} worth a look`] : []),
  ]
  return parts.join(', ')
}

function sizes({ services, sessions, nodes }: Partial<PageFacts>): readonly string[] {
  return [
    ...(services ? [plural(services.length, 'Service')] : []),
    ...(sessions ? [plural(sessions.length, 'session')] : []),
    ...(nodes ? [plural(nodes.length, 'node')] : []),
  ]
}

const allGood = (facts: Partial<PageFacts>): HTMLElement =>
  element('li', { 'data-verdict': 'good' }, element('div', {}, `${sizes(facts).join(', ')}: all as they should be.`))
