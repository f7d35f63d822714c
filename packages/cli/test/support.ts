/** Running the command inside the test, on copies of the demo's manifests. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram, type Terminal } from 'typemetal'

/** The demo's manifests. */
export const demo = fileURLToPath(new URL('../../../examples/demo', import.meta.url))
/** The program as npm installs it. */
export const bin = fileURLToPath(new URL('../dist/main.js', import.meta.url))

type Teardown = Pick<typeof import('tap').default, 'teardown'>

/** An empty folder that is gone after the test. */
export function folder(t: Teardown): string {
  const path = mkdtempSync(join(tmpdir(), 'typemetal-cli-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

/** A copy of the demo's manifests, changed by `edit`. */
export function cluster(t: Teardown, edit: (path: string) => void = () => {}): string {
  const path = folder(t)
  for (const file of readdirSync(demo).filter(name => name.endsWith('.yaml')))
    cpSync(join(demo, file), join(path, file))
  edit(path)
  return path
}

/** What one run said. */
export interface Said {
  /** Standard output. */
  readonly text: string
  /** Standard error. */
  readonly errors: string
  readonly code: number | undefined
}

/** Runs a command line in this process. */
export const run = (...argv: string[]): Promise<Said> => runOn({}, ...argv)

/** The same, with another terminal. */
export async function runOn(more: Partial<Terminal>, ...argv: string[]): Promise<Said> {
  let text = ''
  let errors = ''
  let code: number | undefined
  const terminal: Terminal = {
    write: piece => void (text += piece),
    warn: piece => void (errors += piece),
    exitCode: value => void (code = value),
    ...more,
  }
  await runProgram(argv, terminal)
  return { text, errors, code }
}

/** Replaces a text in a file of a folder. @throws it is not there */
export function replace(path: string, file: string, from: string, to: string): void {
  const before = readFileSync(join(path, file), 'utf8')
  if (!before.includes(from)) throw new Error(`${file} has no ${from}`)
  writeFileSync(join(path, file), before.replace(from, to))
}

/** Rows of a table by their headings. */
export function rows(text: string): readonly Readonly<Record<string, string>>[] {
  const [head = '', ...lines] = text.trimEnd().split('\n')
  const columns = [...head.matchAll(/\S+(?: \S+)*/g)].map(match => ({ name: match[0], start: match.index }))
  return lines.map(line =>
    Object.fromEntries(
      columns.map(({ name, start }, i) => [name, line.slice(start, columns[i + 1]?.start ?? line.length).trim()]),
    ),
  )
}

/** The table under a title, in a text of several. */
export function section(text: string, title: string): readonly Readonly<Record<string, string>>[] {
  const [, after = ''] = text.split(`${title}\n`)
  return rows(after.split('\n\n')[0] ?? '')
}
