/** The pages of docs/, and the fenced blocks in them with what each is. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, type CommandResult } from '@typemetal/lab'

/** The repository. */
export const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
const docs = join(root, 'docs')

/**
 * A fenced block. The first word after the fence is the language; then come marks:
 * `file=NAME` (yaml, js, text: is written to the page's folder first), `cluster` (sh: runs on a real API server),
 * `fragment` (yaml: a part of an object, parsed only), `needs="…"` (sh, js: what is missing here, so only the syntax is checked).
 */
export interface Block {
  readonly page: string
  readonly line: number
  readonly language: string
  readonly marks: ReadonlyMap<string, string>
  readonly text: string
}

/** Pages that are written by hand, by their path below docs/. */
export const pages: readonly string[] = readdirSync(docs, { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.md') && !name.startsWith('reference/'))
  // What builds the reference of the API has pages of others in it.
  .filter(name => !/(?:^|\/)(?:node_modules|build)\//.test(name))
  .toSorted()

/** Text of a page. */
export const pageText = (page: string): string => readFileSync(join(docs, page), 'utf8')

/** Blocks of a page, in order. @throws a fence is not closed */
export function blocksOf(page: string): readonly Block[] {
  const blocks: Block[] = []
  let open: { line: number; indent: string; info: string; lines: string[] } | undefined
  for (const [i, line] of pageText(page).split('\n').entries()) {
    const [, indent = '', info] = /^(\s*)```(.*)$/.exec(line) ?? []
    if (info === undefined) open?.lines.push(line.slice(open.indent.length))
    else if (!open) open = { line: i + 1, indent, info, lines: [] }
    else {
      const [language = '', ...rest] = open.info.trim().split(/\s+(?=(?:[^"]*"[^"]*")*[^"]*$)/)
      const marks = new Map(
        rest.map(mark => [mark.split('=')[0] ?? '', mark.slice(mark.indexOf('=') + 1).replaceAll('"', '')]),
      )
      blocks.push({ page, line: open.line, language, marks, text: `${open.lines.join('\n')}\n` })
      open = undefined
    }
  }
  if (open) throw new Error(`${page}:${open.line}: the block is not closed`)
  return blocks
}

/** A link to a file of the repository, by its path below the root, and perhaps to a heading in it. */
export interface Link {
  readonly file: string
  readonly anchor?: string
}

/** Links of a page to files of the repository, its own headings included. */
export function linksOf(page: string): readonly Link[] {
  const text = pageText(page).replaceAll(/```[^]*?```/g, '')
  return [...text.matchAll(/\]\(([^)#\s]*)(?:#([^)]*))?\)/g)]
    .filter(([, link = '']) => !/^[a-z]+:/.test(link))
    .map(([, link = '', anchor]) => ({
      file: relative(root, link === '' ? join(docs, page) : join(docs, dirname(page), link)),
      ...(anchor !== undefined && { anchor }),
    }))
}

/** Anchors that GitHub gives to the headings of a Markdown text. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = markdown.replaceAll(/```[^]*?```/g, '').matchAll(/^#+ +(.*)$/gm)
  return new Set([...headings].map(([, text = '']) => slugOf(text)))
}

const slugOf = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-')

const PROGRAMS = { typemetal: 'cli', 'typemetal-controller': 'controller', 'typemetal-speaker': 'speaker' }

/** A folder for one page, with the demo's manifests in `demo`, and our programs on the PATH. */
export class Sandbox implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'typemetal-docs-'))
  readonly #env: NodeJS.ProcessEnv

  constructor(env: NodeJS.ProcessEnv = {}, path: readonly string[] = []) {
    const bin = join(this.folder, '.bin')
    mkdirSync(bin)
    for (const [name, folder] of Object.entries(PROGRAMS)) {
      const script = join(root, 'packages', folder, 'dist', 'main.js')
      for (const each of name === 'typemetal' ? [name, 'kubectl-typemetal'] : [name]) {
        writeFileSync(join(bin, each), `#!/bin/sh\nexec ${process.execPath} ${script} "$@"\n`, { mode: 0o755 })
      }
    }
    const demo = join(root, 'examples', 'demo')
    for (const name of readdirSync(demo).filter(each => each.endsWith('.yaml')))
      cpSync(join(demo, name), join(this.folder, 'demo', name))
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'))
    writeFileSync(join(this.folder, 'package.json'), '{ "type": "module" }\n')
    this.#env = { ...process.env, NO_COLOR: '1', ...env, PATH: [bin, ...path, process.env['PATH']].join(':') }
  }

  /** Writes the file that a block is, if it is one. */
  write({ marks, text }: Block): void {
    const name = marks.get('file')
    if (name === undefined) return
    mkdirSync(dirname(join(this.folder, name)), { recursive: true })
    writeFileSync(join(this.folder, name), text)
  }

  /** Runs a script; background processes that it leaves are its own business to end. */
  shell(script: string): Promise<CommandResult> {
    return run(['bash', '-c', `cd ${this.folder} && set -e\n${script}`], {
      env: this.#env,
      check: false,
      timeout: 600_000,
    })
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** `$ command` lines of a console block, each with the output below it. */
export function sessionOf({ text }: Block): readonly { readonly command: string; readonly output: string }[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map(part => {
      const lines = part.split('\n')
      let end = 0
      while (lines[end]?.endsWith('\\')) end++
      return {
        command: lines.slice(0, end + 1).join('\n'),
        output: lines
          .slice(end + 1)
          .join('\n')
          .trimEnd(),
      }
    })
}

/** What an output must match: `…` stands for anything in a line, and on a line of its own for any lines. */
export function patternOf(output: string): RegExp {
  const source = output
    .split('\n')
    .map(line =>
      line === '…' ? '(?:.*\n)*?.*' : line.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`).replaceAll('…', '.*'),
    )
    .join('\n')
  return new RegExp(`^${source}$`)
}
