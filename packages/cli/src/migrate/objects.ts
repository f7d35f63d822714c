/** Objects of any kind, as they are written: what is migrated is mostly not ours. */
import { readFile, readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { isFields } from '@typemetal/cluster'
import type { ApiClient } from '@typemetal/cluster'
import { parseAllDocuments } from 'yaml'
import { CommandError, ExitCode } from '../exit-code.js'
import { STDIN } from '../source/cluster.js'
import { itemsOf } from '../source/live.js'

/** Fields of a YAML mapping. */
export type Fields = Readonly<Record<string, unknown>>

/** Any Kubernetes object. */
export interface RawObject {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: Fields
  /** Of ConfigMaps. */
  readonly data: Readonly<Record<string, string>>
}

/** Group of an object's version, `''` for the core. */
export const groupOf = ({ apiVersion }: RawObject): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''

/** A field that is a mapping; empty when it is something else. */
export const fieldsOf = (fields: Fields, name: string): Fields => (isFields(fields[name]) ? fields[name] : {})

/** A field that is a list of mappings. */
export const listOf = (fields: Fields, name: string): readonly Fields[] =>
  Array.isArray(fields[name]) ? fields[name].filter(isFields) : []

/** A field that is a list of texts; numbers count as their text. */
export const textsOf = (fields: Fields, name: string): readonly string[] =>
  Array.isArray(fields[name]) ? fields[name].flatMap(item => asText(item) ?? []) : []

/** A field as text, `undefined` when it is neither a text nor a number. */
export const textOf = (fields: Fields, name: string): string | undefined => asText(fields[name])

/** A field as number, `undefined` when it is none. */
export function numberOf(fields: Fields, name: string): number | undefined {
  const value = fields[name]
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

const asText = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined

/** Texts of a mapping of texts. */
const textsIn = (fields: Fields): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
  )

/** @returns what the value says, Lists unfolded; nothing for what is no object */
export function rawObjects(value: unknown): readonly RawObject[] {
  if (!isFields(value)) return []
  const { apiVersion, kind } = value
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(value['items'])) {
    const inherited = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) }
    return value['items'].flatMap(item => rawObjects(isFields(item) ? { ...inherited, ...item } : item))
  }
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return []
  const metadata = fieldsOf(value, 'metadata')
  return [
    {
      apiVersion,
      kind,
      name: textOf(metadata, 'name') ?? '',
      namespace: textOf(metadata, 'namespace') ?? '',
      labels: textsIn(fieldsOf(metadata, 'labels')),
      annotations: textsIn(fieldsOf(metadata, 'annotations')),
      spec: fieldsOf(value, 'spec'),
      data: textsIn(fieldsOf(value, 'data')),
    },
  ]
}

/** Reads a text of YAML documents, or JSON. @throws {CommandError} it is neither */
export function parseRaw(text: string, file: string): readonly RawObject[] {
  return parseAllDocuments(text).flatMap(document => {
    const [fault] = document.errors
    if (fault) throw new CommandError(`${file}: ${fault.message.split('\n')[0]?.replace(/:$/, '')}`)
    return rawObjects(document.toJS({ maxAliasCount: 100 }))
  })
}

const EXTENSIONS = ['.yaml', '.yml', '.json']

/**
 * Reads folders, files and standard input.
 *
 * @throws {Error} something does not exist, or is no YAML
 */
export async function readRaw(
  sources: readonly string[],
  readInput: () => Promise<string> = async () => '',
): Promise<readonly RawObject[]> {
  const objects: RawObject[] = []
  for (const source of sources) {
    if (source === STDIN) objects.push(...parseRaw(await readInput(), 'stdin'))
    else for (const file of await filesOf(source)) objects.push(...parseRaw(await readFile(file, 'utf8'), file))
  }
  return objects
}

async function filesOf(path: string): Promise<readonly string[]> {
  const found = await stat(path)
  if (!found.isDirectory()) return [path]
  const names = await readdir(path, { recursive: true })
  return names
    .filter(name => EXTENSIONS.includes(extname(name)))
    .toSorted()
    .map(name => join(path, name))
}

/** Lists of an API server; those that it does not know are empty. @throws what else it has against it */
export async function fetchRaw(api: ApiClient, lists: readonly RawList[]): Promise<readonly RawObject[]> {
  const all = await Promise.all(lists.map(async list => fetchList(api, list)))
  return all.flat()
}

/** A list of the API. */
export interface RawList {
  readonly path: string
  readonly apiVersion: string
  readonly kind: string
}

async function fetchList(api: ApiClient, { path, apiVersion, kind }: RawList): Promise<readonly RawObject[]> {
  try {
    const list = await api.send({ method: 'GET', path })
    return itemsOf(list).flatMap(item => rawObjects({ apiVersion, kind, ...item }))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_STORE_NOT_FOUND') return []
    throw new CommandError(`cannot list ${path}: ${(error as Error).message}`, ExitCode.unreadable)
  }
}
