// The API reference: what can be imported from the published packages, converted in one compilation, checked, and written as HTML.
import { execFileSync } from 'node:child_process'
import { join, relative } from 'node:path'
import { Application, Converter, Logger, LogLevel, TypeScript as ts } from 'typedoc'
import { checkAssets } from './assets.mjs'
import { missingExports, silentOptions } from './completeness.mjs'
import { publishedPackages } from './packages.mjs'
import { givePageTexts, polish } from './page-texts.mjs'
import { HEADINGS } from './rooms.mjs'
import { nameUnits } from './units.mjs'

/** Kinds whose every exported one says what it is; of properties, those that somebody fills in ({@link silentOptions}). */
const DOCUMENTED = [
  'Module',
  'Enum',
  'EnumMember',
  'Variable',
  'Function',
  'Class',
  'Interface',
  'Method',
  'Accessor',
  'TypeAlias',
]

/** Keeps what TypeDoc finds wrong. */
class Findings extends Logger {
  /** @type {string[]} */
  all = []

  log(message, level) {
    if (level >= LogLevel.Warn) this.all.push(message)
  }
}

/**
 * @param {object} options
 * @param {string} options.root the repository
 * @param {string} [options.out] folder for the HTML; without it nothing is written
 * @returns {Promise<readonly string[]>} what is wrong, a sentence each; nothing is written then
 */
export async function makeReference({ root, out }) {
  const packages = publishedPackages(root)
  const { repository } = packages[0]
  const base = `${repository}/blob/${revisionOf(root)}`
  const findings = new Findings()
  const app = await Application.bootstrap(optionsOf({ root, repository, packages }), [])
  app.logger = findings
  app.options.setValue('notRenderedTags', [...app.options.getValue('notRenderedTags'), '@sortStrategy'])

  const program = compile(root, packages)
  const entryPoints = packages
    .flatMap(each => each.entryPoints)
    .map(({ specifier, source }) => ({ displayName: specifier, program, sourceFile: program.getSourceFile(source) }))
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, context => {
    const { project } = context
    nameUnits(context, program)
    givePageTexts(project, { root, base, packages, parse: (file, files) => app.converter.parseRawComment(file, files) })
    for (const { sources = [] } of Object.values(project.reflections)) {
      for (const source of sources) source.url = `${base}/${relative(root, source.fullFileName)}#L${source.line}`
    }
  })
  app.converter.on(Converter.EVENT_END, ({ project }) => polish(project))
  const project = app.converter.convert(entryPoints)
  validate()
  findings.all.push(...missingExports(project, entryPoints), ...silentOptions(project))
  if (findings.all.length > 0 || out === undefined) return findings.all
  await app.generateDocs(project, out)
  return [...findings.all, ...checkAssets(out, root)]

  /** TypeDoc looks for types that cannot be imported in one package at a time. */
  function validate() {
    app.options.setValue('validation', {
      invalidLink: true,
      notDocumented: true,
      notExported: false,
      invalidPath: true,
    })
    app.validate(project)
    app.options.setValue('validation', {
      invalidLink: false,
      notDocumented: false,
      notExported: true,
      invalidPath: false,
    })
    for (const { name } of packages) {
      project.packageName = name
      app.validate(project)
    }
  }
}

function optionsOf({ root, repository, packages }) {
  return {
    name: 'Typemetal',
    readme: 'none',
    basePath: root,
    router: 'structure',
    navigation: { includeCategories: true, includeFolders: true, compactFolders: false },
    navigationLinks: { Repository: repository },
    sortEntryPoints: false,
    categoryOrder: [...HEADINGS, '*'],
    categorizeByGroup: false,
    sort: ['required-first', 'source-order'],
    useFirstParagraphOfCommentAsSummary: true,
    preservedTypeAnnotationTags: ['@throws'],
    excludePrivate: true,
    excludeInternal: true,
    excludeExternals: true,
    disableGit: true,
    githubPages: false,
    requiredToBeDocumented: DOCUMENTED,
    packagesRequiringDocumentation: packages.map(({ name }) => name),
  }
}

/** One program of all packages, in which a package's name stands for its sources: so they are parsed once, and types of one lead to another. */
function compile(root, packages) {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), path => ts.sys.readFile(path))
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, root)
  const entryPoints = packages.flatMap(each => each.entryPoints)
  return ts.createProgram({
    rootNames: entryPoints.map(({ source }) => source),
    options: {
      ...options,
      composite: false,
      noEmit: true,
      skipLibCheck: true,
      paths: Object.fromEntries(entryPoints.map(({ specifier, source }) => [specifier, [source]])),
    },
  })
}

/** The commit that sources are linked at; the branch, where there is no git. */
function revisionOf(root) {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return 'main'
  }
}
