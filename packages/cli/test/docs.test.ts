/** Every block of docs/ is what it says: YAML is taken, commands run and print that, JavaScript runs, routers read their configuration. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildConfig, manifestResources, parseManifest } from '@typemetal/cluster'
import { run, routerInstalled } from '@typemetal/lab'
import t, { type Test } from 'tap'
import { parseAllDocuments } from 'yaml'
import { createProgram } from 'typemetal'
import {
  anchorsOf,
  type Block,
  blocksOf,
  linksOf,
  pages,
  pageText,
  patternOf,
  root,
  Sandbox,
  sessionOf,
} from './docs-blocks.js'

/** Languages, and what is done with a block of each. */
t.setTimeout(1_200_000)

const CHECKS: Readonly<Record<string, (t: Test, block: Block, sandbox: Sandbox) => Promise<void>>> = {
  yaml: async (t, block) => yaml(t, block),
  sh: shell,
  console: session,
  js: javascript,
  frr: async (t, block, sandbox) => routerConfiguration(t, block, sandbox, 'frr'),
  bird: async (t, block, sandbox) => routerConfiguration(t, block, sandbox, 'bird'),
  cisco: notChecked,
  junos: notChecked,
  // Shown, and run by nobody: what a file or a screen looks like.
  text: async () => {},
  json: async (t, { text }) => void t.ok(JSON.parse(text)),
}

for (const page of pages) {
  t.test(`docs/${page}`, async t => {
    using sandbox = new Sandbox()
    for (const block of blocksOf(page)) {
      const check = CHECKS[block.language]
      const name = `line ${block.line}: ${block.language}`
      if (!check) {
        t.fail(`${name}: nobody knows how to check this`)
        continue
      }
      sandbox.write(block)
      await t.test(name, async t => check(t, block, sandbox))
    }
    for (const { file, anchor } of linksOf(page)) {
      t.ok(existsSync(join(root, file)), `links to ${file}`)
      if (anchor !== undefined)
        t.ok(anchorsOf(readFileSync(join(root, file), 'utf8')).has(anchor), `links to ${file}#${anchor}`)
    }
  })
}

/** Objects are taken as they stand; what they name may be elsewhere. */
function yaml(t: Test, { text, marks, page }: Block): void {
  const documents = parseAllDocuments(text)
  t.same(
    documents.flatMap(({ errors }) => errors.map(({ message }) => message)),
    [],
  )
  if (marks.has('fragment')) return
  for (const document of documents)
    t.match(document.toJS(), { apiVersion: String, kind: String, metadata: { name: String } })
  const resources = manifestResources({ [page]: parseManifest(text, { file: page, namespace: 'metallb-system' }) })
  const { errors = [] } = buildConfig(resources, { component: 'validate', namespace: 'metallb-system' })
  t.same(
    errors.filter(({ transient }) => !transient),
    [],
  )
}

async function shell(t: Test, { text, marks }: Block, sandbox: Sandbox): Promise<void> {
  if (marks.has('cluster')) return syntax(t, text)
  if (marks.has('needs')) return syntax(t, text)
  const { code, stderr, stdout } = await sandbox.shell(text)
  t.equal(code, 0, `${text}${stdout}${stderr}`)
}

/** bash can read it, and our own command knows every word of what it is told. */
function syntax(t: Test, text: string): void {
  execFileSync('bash', ['-n'], { input: text })
  const program = createProgram({ write: () => {}, exitCode: () => {} })
  for (const line of text.split('\n')) {
    const [, words] = /(?:^|[|;&(]\s*)typemetal ([a-z][^|>&;#]*)/.exec(line) ?? []
    if (words === undefined) continue
    const parts = words.trim().split(/\s+/)
    let command = program
    while (command.commands.some(each => each.name() === parts[0])) {
      const name = parts.shift()
      command = command.commands.find(each => each.name() === name) ?? command
    }
    t.not(command, program, line)
    for (const flag of parts.filter(part => part.startsWith('-') && part !== '-')) {
      t.ok(
        command.options.some(({ short, long }) => [short, long].includes(flag.split('=')[0])),
        `${command.name()} has ${flag}`,
      )
    }
  }
}

async function session(t: Test, block: Block, sandbox: Sandbox): Promise<void> {
  const steps = sessionOf(block)
  t.ok(steps.length > 0, 'there is a command')
  for (const { command, output } of steps) {
    const { stdout, stderr } = await sandbox.shell(`set +e; ${command}`)
    t.match(`${stderr}${stdout}`.trimEnd(), patternOf(output), command)
  }
}

async function javascript(t: Test, { text, marks, line }: Block, sandbox: Sandbox): Promise<void> {
  const name = marks.get('file') ?? `line-${line}.mjs`
  writeFileSync(join(sandbox.folder, name), text)
  const { code, stderr } = await sandbox.shell(`${process.execPath} ${marks.has('needs') ? '--check' : ''} ${name}`)
  t.equal(code, 0, stderr)
}

/** FRR and BIRD say themselves whether they can read it. */
async function routerConfiguration(
  t: Test,
  { text, line }: Block,
  sandbox: Sandbox,
  kind: 'frr' | 'bird',
): Promise<void> {
  if (!routerInstalled(kind)) return t.comment(`${kind} is not installed`)
  const file = join(sandbox.folder, `${kind}-${line}.conf`)
  writeFileSync(file, text)
  const command = kind === 'frr' ? ['vtysh', '-C', '-f', file] : ['/usr/sbin/bird', '-p', '-c', file]
  const { code, stdout, stderr } = await run(command, { check: false })
  t.equal(code, 0, stdout + stderr)
  t.notMatch(stdout + stderr, /[Uu]nknown command|syntax error/)
}

/** What we have no program for must say so. */
async function notChecked(t: Test, { page }: Block): Promise<void> {
  t.match(pageText(page), /not checked here/)
}
