// What pages say besides doc comments: the READMEs, and headings above what a module exports.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Comment, CommentTag, MinimalSourceFile, ReflectionKind } from 'typedoc'
import { withLinks } from './links.mjs'
import { headingOf } from './rooms.mjs'

/**
 * To be called before links are resolved.
 *
 * @param {import('typedoc').ProjectReflection} project
 * @param {object} surroundings
 * @param {string} surroundings.root the repository
 * @param {string} surroundings.base web address of the repository's files at this revision
 * @param {readonly import('./packages.mjs').PublishedPackage[]} surroundings.packages
 * @param {(file: MinimalSourceFile, files: object) => { content: import('typedoc').CommentDisplayPart[] }} surroundings.parse
 */
export function givePageTexts(project, { root, base, packages, parse }) {
  const pages = new Map(packages.map(({ folder, name }) => [folder, name]))
  const read = path => {
    const text = withLinks(readFileSync(path, 'utf8'), dirname(path), { root, base, pages })
    return parse(new MinimalSourceFile(text.replace(/^# .*\n+/, ''), path), project.files).content
  }
  project.readme = read(join(root, 'docs', 'api', 'front-page.md'))
  for (const module of project.children) {
    const published = packages.find(({ name }) => name === module.name)
    if (published) {
      module.readme = read(join(published.folder, 'README.md'))
      // The README says it all, and has an example of its own; the first sentence is for lists.
      module.comment = new Comment([], [new CommentTag('@summary', module.comment?.getShortSummary(true) ?? [])])
    }
    module.comment?.blockTags.push(tag('@sortStrategy', 'kind, alphabetical'))
    giveHeadings(module)
  }
}

/**
 * To be called when everything is resolved.
 *
 * @param {import('typedoc').ProjectReflection} project
 */
export function polish(project) {
  for (const reflection of Object.values(project.reflections)) {
    // An object that is taken apart in the list of parameters has no name of its own.
    if (reflection.name === '__namedParameters') reflection.name = 'options'
    for (const thrown of reflection.comment?.getTags('@throws') ?? []) nameError(thrown)
  }
}

/** `{RangeError}` in front of when it is thrown. */
function nameError(thrown) {
  const name = thrown.typeAnnotation?.slice(1, -1)
  if (name === undefined) return
  delete thrown.typeAnnotation
  thrown.content.unshift(
    { kind: 'code', text: `\`${name}\`` },
    { kind: 'text', text: thrown.content.length > 0 ? ': ' : '' },
  )
}

const tag = (name, text) => new CommentTag(name, [{ kind: 'text', text }])

/** Puts what a module exports below headings, unless all of it has the same. */
function giveHeadings(module) {
  const headings = new Map()
  for (const child of module.children ?? []) {
    const declared = child.isReference() ? child.getTargetReflectionDeep() : child
    headings.set(child, headingOf(declared.sources?.[0]?.fileName ?? ''))
  }
  if (new Set(headings.values()).size < 2) return
  for (const [child, heading] of headings) {
    if (heading === undefined) continue
    if (child.kindOf(ReflectionKind.Reference)) child.comment ??= new Comment()
    for (const { comment } of [child, ...(child.signatures ?? [])]) comment?.blockTags.push(tag('@category', heading))
  }
}
