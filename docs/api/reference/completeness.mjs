// What TypeDoc does not look for: names that can be imported and are on no page, and fields that somebody fills in without being told how.
import { ReflectionKind } from 'typedoc'

/** Types whose values users write, or listen to: each field says what it is, in which unit, and what it is when left out. */
const FILLED_IN = /(?:Options|Settings|Request|Tuning|Events)$/

/**
 * @param {import('typedoc').ProjectReflection} project
 * @param {readonly import('typedoc').DocumentationEntryPoint[]} entryPoints
 * @returns {readonly string[]} a sentence each
 */
export function missingExports(project, entryPoints) {
  return entryPoints.flatMap(({ displayName, program, sourceFile }) => {
    const checker = program.getTypeChecker()
    const shown = new Set(project.children.find(({ name }) => name === displayName)?.children?.map(({ name }) => name))
    return checker
      .getExportsOfModule(checker.getSymbolAtLocation(sourceFile))
      .map(({ name }) => name)
      .filter(name => !shown.has(name))
      .map(name => `${name} can be imported from ${displayName}, and is not on its page`)
  })
}

/**
 * @param {import('typedoc').ProjectReflection} project
 * @returns {readonly string[]} a sentence each
 */
export function silentOptions(project) {
  const places = new Map()
  for (const field of project.getReflectionsByKind(ReflectionKind.Property)) {
    const owner = field.parent?.kindOf(ReflectionKind.TypeLiteral) ? field.parent.parent : field.parent
    if (!owner?.kindOf(ReflectionKind.Interface | ReflectionKind.TypeAlias) || !FILLED_IN.test(owner.name)) continue
    const [source] = field.sources ?? []
    const signatures = field.type?.type === 'reflection' ? (field.type.declaration.signatures ?? []) : []
    if (source && ![field, ...signatures].some(each => each.hasComment())) {
      places.set(`${source.fileName}:${source.line}`, field.getFriendlyFullName())
    }
  }
  return [...places].map(([place, name]) => `${name} says nothing of what to put there (${place})`)
}
