import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type ScalarTag,
  stringify,
  type YAMLParseError,
} from 'yaml'

/** One YAML document of a file. */
export interface YAMLDocument {
  /** Plain data; integers beyond what a number holds are bigint. */
  readonly value: unknown
  readonly node: Node | undefined
}

/** Why a text is not YAML. */
export interface YAMLFault {
  readonly line: number
  readonly reason: string
  /** What could be read of the document, to say which object is meant. */
  readonly value: unknown
}

/** A file's documents, or its faults. */
export interface YAMLFile {
  readonly documents: readonly YAMLDocument[]
  readonly faults: readonly YAMLFault[]
  /** 1-based line of an offset. */
  readonly lineAt: (offset: number) => number
}

/** kubectl reads these as booleans too (YAML 1.1), so a manifest that works there must mean the same here. */
const OLD_BOOLEANS: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  identify: value => typeof value === 'boolean',
  test: /^(?:[Yy]es|YES|[Oo]n|ON|[Nn]o|NO|[Oo]ff|OFF)$/,
  resolve: text => /^(?:y|on)/i.test(text),
}

/** Reads all documents of a text. Empty ones are left out. */
export function parseYAML(text: string): YAMLFile {
  const lines = new LineCounter()
  const lineAt = (offset: number): number => lines.linePos(offset).line
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    intAsBigInt: true,
    merge: true,
    prettyErrors: false,
    customTags: tags => [OLD_BOOLEANS, ...tags],
  })
  const documents: YAMLDocument[] = []
  const faults: YAMLFault[] = []
  for (const document of 'empty' in parsed ? [] : parsed) {
    const { value, reason } = valueOf(document)
    const [error] = document.errors
    if (error) faults.push({ line: lineAt(error.pos[0]), reason: reasonOf(error, text), value })
    else if (reason !== undefined) faults.push({ line: lineAt(document.range[0]), reason, value })
    else if (value !== null) documents.push({ value, node: document.contents ?? undefined })
  }
  return { documents, faults, lineAt }
}

/** YAML text of plain data. */
export const formatYAML = (value: object): string => stringify(value, { lineWidth: 0 })

/** Calls `visit` with the path and offset of every field and list item below a node. */
export function visitFields(node: unknown, visit: (path: string, offset: number) => void, path = ''): void {
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : ''
      const below = /^[A-Za-z_]\w*$/.test(name) ? (path ? `${path}.${name}` : name) : `${path}[${name}]`
      if (isNode(key)) visit(below, key.range?.[0] ?? 0)
      visitFields(value, visit, below)
    }
  } else if (isSeq(node)) {
    for (const [i, item] of node.items.entries()) {
      if (isNode(item)) visit(`${path}[${i}]`, item.range?.[0] ?? 0)
      visitFields(item, visit, `${path}[${i}]`)
    }
  }
}

/** Nodes of the items of a list that stands under `name` in a mapping. */
export function itemNodes(node: Node | undefined, name: string): readonly (Node | undefined)[] {
  const list = isMap(node) ? node.get(name, true) : undefined
  return isSeq(list) ? list.items.map(item => (isNode(item) ? item : undefined)) : []
}

/** What is wrong, with the usual cause of a mapping that says twice what it is. */
function reasonOf({ code, message, pos: [start] }: YAMLParseError, text: string): string {
  if (code !== 'DUPLICATE_KEY') return message
  const [key = ''] = /^[^\s:]*/.exec(text.slice(start)) ?? []
  const missing = key === 'apiVersion' || key === 'kind' ? '; is the line "---" missing between two objects?' : ''
  return `${key} stands twice in one mapping${missing}`
}

/** Too many aliases (the "billion laughs") are a fault like any other. */
function valueOf(document: Document): { readonly value: unknown; readonly reason?: string } {
  try {
    return { value: withNumbers(document.toJS({ maxAliasCount: 100 })) }
  } catch (error) {
    return { value: undefined, reason: error instanceof Error ? error.message : String(error) }
  }
}

/** Turns the integers that a number holds exactly into numbers. */
function withNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (Array.isArray(value)) return value.map(withNumbers)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withNumbers(field)]))
}
