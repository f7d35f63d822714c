/** Choosing a context of a kubeconfig. */
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path'
import { isFields } from '@typemetal/cluster'
import { parse } from 'yaml'
import { CommandError, ExitCode } from '../exit-code.js'

/** A file that only its owner can read, and how to be rid of it. */
export interface TemporaryFile {
  readonly file: string
  remove(): Promise<void>
}

/** Fields that name files, relative to the folder of the kubeconfig. */
const FILES = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile']

type Fields = Readonly<Record<string, unknown>>

/**
 * A copy of a kubeconfig in which another context is the current one; the file itself is never written. `undefined` when no context
 * was asked for.
 *
 * @throws {CommandError} there is no kubeconfig, or it has no such context
 */
export async function copyWithContext({
  kubeconfig,
  context,
  env = process.env,
}: {
  readonly kubeconfig?: string
  readonly context?: string
  readonly env?: Readonly<Record<string, string | undefined>>
}): Promise<TemporaryFile | undefined> {
  if (context === undefined) return undefined
  const path = kubeconfig ?? (await usualFile(env))
  const config: unknown = parse(await readFile(path, 'utf8'))
  if (!isFields(config)) throw new CommandError(`kubeconfig ${path} is no kubeconfig`, ExitCode.unreadable)
  const names = entriesOf(config, 'contexts').map(({ name }) => String(name))
  if (!names.includes(context)) {
    const known = names.length > 0 ? `it has ${names.join(', ')}` : 'it has none'
    throw new CommandError(`kubeconfig ${path} has no context "${context}": ${known}`, ExitCode.unreadable)
  }
  const folder = dirname(resolve(path))
  const copy = {
    ...config,
    'current-context': context,
    clusters: entriesOf(config, 'clusters').map(entry => withAbsolutePaths(entry, 'cluster', folder)),
    users: entriesOf(config, 'users').map(entry => withAbsolutePaths(entry, 'user', folder)),
  }
  const directory = await mkdtemp(join(tmpdir(), 'typemetal-'))
  const file = join(directory, 'kubeconfig')
  await writeFile(file, JSON.stringify(copy), { mode: 0o600 })
  return { file, remove: () => rm(directory, { recursive: true, force: true }) }
}

const entriesOf = (config: Fields, list: string): readonly Fields[] =>
  Array.isArray(config[list]) ? config[list].filter(isFields) : []

function withAbsolutePaths(entry: Fields, field: string, folder: string): Fields {
  const inner = entry[field]
  if (!isFields(inner)) return entry
  const paths = FILES.flatMap(name => {
    const path = inner[name]
    return typeof path === 'string' && path !== '' && !isAbsolute(path) ? [[name, join(folder, path)]] : []
  })
  return { ...entry, [field]: { ...inner, ...Object.fromEntries(paths) } }
}

/** Where kubectl looks. @throws {CommandError} nothing is there */
async function usualFile(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const files = (env['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean)
  const candidates = files.length > 0 ? files : [join(env['HOME'] ?? homedir(), '.kube', 'config')]
  for (const file of candidates) {
    try {
      await access(file)
      return file
    } catch {
      continue
    }
  }
  throw new CommandError(
    `--context needs a kubeconfig, and there is none at ${candidates.join(', ')}: give --kubeconfig FILE`,
    ExitCode.unreadable,
  )
}
