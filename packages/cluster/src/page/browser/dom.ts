/** What goes into an element: other nodes, or text. Text is never read as markup: names of objects are anybody's. */
export type Content = Node | string

/** Attributes, and `on…` for none: listeners are added where they belong. An attribute that is `undefined` is left out. */
type Attributes = Readonly<Record<string, string | undefined>>

/** Makes an element. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...content: readonly Content[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, value)
  made.append(...content)
  return made
}

/** An element of the document. @throws {Error} the document has none with this id */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (!found) throw new Error(`the document has no #${id}`)
  return found
}

/** Changes a text only where it differs, so that a selection stays and nothing is drawn in vain. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text
}

/** Sets or, with `undefined`, removes an attribute, where that is a difference. */
export function setAttribute(target: Element, name: string, value: string | undefined): void {
  if (value === undefined) target.removeAttribute(name)
  else if (target.getAttribute(name) !== value) target.setAttribute(name, value)
}
