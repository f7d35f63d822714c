import type { PoolFacts, ProtocolFacts, Verdict } from '../facts.js'
import { ageOf } from './clock.js'
import { type Content, element } from './dom.js'
import type { Column, Row } from './rows.js'
import { bigCount, SEVERITY, SIGN, WORD } from './words.js'

/** The sign of a verdict, and its word for who does not see it. */
export const sign = (verdict: Verdict): HTMLElement =>
  element(
    'span',
    { class: 'sign', 'data-verdict': verdict },
    element('span', { 'aria-hidden': 'true' }, SIGN[verdict]),
    element('span', { class: 'unseen' }, WORD[verdict]),
  )

/** The column of verdicts, by which the wrong rows come first. */
export const signColumn = <T extends Row>(): Column<T> => ({
  title: 'State',
  kind: 'sign',
  key: ({ verdict }) => SEVERITY[verdict],
  cell: ({ verdict }) => [sign(verdict)],
})

/** Text in a fainter ink. */
export const faint = (text: string): HTMLElement => element('span', { class: 'faint' }, text)

/** `namespace/name`, of which the name is what people look for. */
export function objectName(key: string): readonly Content[] {
  const slash = key.indexOf('/')
  return slash < 0 ? [key] : [faint(key.slice(0, slash + 1)), element('b', {}, key.slice(slash + 1))]
}

/** A text in one line, as long as there is room for it. */
export const item = (text: string): HTMLElement => element('span', { class: 'item' }, text)

/** Items that may be broken between, never within. */
export const list = (items: readonly string[]): readonly Content[] =>
  items.flatMap((text, index) => [...(index > 0 ? [' '] : []), item(index < items.length - 1 ? `${text},` : text)])

/** A state, and since when. */
export const stateSince = (state: string, since: string | undefined): readonly Content[] =>
  since === undefined ? [state] : [item(state), ' ', element('span', { class: 'item faint' }, 'for ', ageOf(since))]

/** Nodes that are named one by one; of more, only how many. */
const NAMED = 3

/** Who announces by a protocol, or why nobody does. */
export function protocol(facts: ProtocolFacts | undefined, toWord: string): readonly Content[] {
  if (!facts) return []
  const { nodes, to = [], reason } = facts
  if (nodes.length === 0) return reason === undefined ? [faint('–')] : [faint(reason)]
  const who =
    nodes.length > NAMED ? [element('span', { title: nodes.join(', ') }, `${nodes.length} nodes`)] : list(nodes)
  return [
    ...who,
    ...(to.length > 0 ? [faint(` ${toWord} ${to.join(', ')}`)] : []),
    ...(reason ? [faint(`: ${reason}`)] : []),
  ]
}

/** All words of a protocol, for a filter. */
export const protocolWords = (facts: ProtocolFacts | undefined): readonly string[] =>
  facts ? [...facts.nodes, ...(facts.to ?? []), facts.reason ?? ''] : []

/** How full a pool is, as a bar and in numbers. */
export function use({ percent, assigned, available }: PoolFacts): readonly Content[] {
  const bar = element('span', { class: 'bar', 'aria-hidden': 'true' }, element('span'))
  // By the object model: the policy of the page forbids styles in markup.
  bar.style.setProperty('--use', `${Math.min(100, Math.max(0, percent))}%`)
  const total = (BigInt(assigned) + BigInt(available)).toString()
  return [
    item(`${percent} %`),
    ' ',
    bar,
    ' ',
    element('span', { class: 'item faint' }, `${bigCount(assigned)} of ${bigCount(total)}`),
  ]
}
