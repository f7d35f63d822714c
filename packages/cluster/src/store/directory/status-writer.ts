import { randomUUID } from 'node:crypto'
import type { KubernetesObject } from '../../resources/core.js'
import { kindOf, KINDS, objectKey } from '../kinds.js'
import { ConflictError, type Kind, NotFoundError, type ObjectKey } from '../store.js'
import type { ManifestObject } from './manifest.js'
import { annotationChanges, splitVersion } from './merge.js'
import { formatStatus, parseStatus, type StatusRecord, versionOf } from './status-file.js'
import { statusPath } from './status-path.js'
import { ABSENT, replaceFile } from './versioned-file.js'

/** What the writer needs to know of the store. */
export interface StatusHost {
  readonly manifest: (kind: Kind, key: ObjectKey) => ManifestObject | undefined
  readonly status: (path: string) => StatusRecord | undefined
  /** Told of each file written. */
  readonly wrote: (path: string, record: StatusRecord) => void
}

type Written = KubernetesObject & { readonly status?: unknown }

/** Letters of generated names, those of Kubernetes: no vowels, so no words. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const NAME_ATTEMPTS = 8

/** Writes status files, one an object. */
export class StatusWriter {
  readonly #directory: string
  readonly #component: string
  readonly #host: StatusHost
  /** Files written since somebody began to read. */
  readonly #written = new Set<string>()

  constructor(directory: string, component: string, host: StatusHost) {
    this.#directory = directory
    this.#component = component
    this.#host = host
  }

  /** A reader begins to read, one at a time. */
  beginReading(): void {
    this.#written.clear()
  }

  /** Whether a file was written after {@link beginReading}. */
  wroteSince(path: string): boolean {
    return this.#written.has(path)
  }

  /** Writes the status of an object, if nobody has changed the object since it was read. */
  async update(object: Written): Promise<void> {
    const kind = kindOf(object)
    if (KINDS[kind].madeBy === 'user') await this.#updateManifested(kind, object)
    else await this.#updateOwn(kind, object)
  }

  /** Writes a new object. */
  async create<T extends KubernetesObject>(object: T, home: string | undefined): Promise<T> {
    const kind = kindOf(object)
    if (KINDS[kind].madeBy === 'user') throw new TypeError(`objects of kind ${kind} come from manifests`)
    const { generateName, ...metadata } = object.metadata
    for (let attempt = 1; ; attempt++) {
      const name = metadata.name || `${generateName ?? ''}${randomSuffix()}`
      try {
        return await this.#createNamed(kind, {
          ...object,
          metadata: { ...(home !== undefined && { namespace: home }), ...metadata, name },
        })
      } catch (error) {
        if (!(error instanceof ConflictError) || metadata.name || attempt === NAME_ATTEMPTS) throw error
      }
    }
  }

  async #updateManifested(kind: Kind, object: Written): Promise<void> {
    const key = objectKey(object.metadata)
    const manifest = this.#host.manifest(kind, key)
    if (!manifest) throw new NotFoundError(`${kind} ${key} does not exist`)
    const read =
      object.metadata.resourceVersion === undefined ? undefined : splitVersion(object.metadata.resourceVersion)
    if (read && read.hash !== manifest.hash) throw new ConflictError(`${kind} ${key} was changed by somebody else`)
    const annotations =
      kind === 'Service' ? annotationChanges(manifest.object.metadata.annotations, object.metadata.annotations) : {}
    const path = statusPath(this.#directory, kind, key)
    const present = this.#host.status(path)
    if (present && (!read || present.version === read.version) && saysTheSame(present, object.status, annotations))
      return
    const { name, namespace } = object.metadata
    await this.#replace(kind, key, read?.version, version => ({
      apiVersion: object.apiVersion,
      kind,
      metadata: {
        name,
        ...(namespace !== undefined && { namespace }),
        resourceVersion: String(version),
        ...(Object.keys(annotations).length > 0 && { annotations }),
      },
      status: object.status,
    }))
  }

  async #updateOwn(kind: Kind, object: Written): Promise<void> {
    const key = objectKey(object.metadata)
    const path = statusPath(this.#directory, kind, key)
    const { resourceVersion } = object.metadata
    const known = this.#host.status(path)
    if (!known) throw new NotFoundError(`${kind} ${key} does not exist`)
    if (
      (resourceVersion === undefined || resourceVersion === String(known.version)) &&
      saysTheSame(known, object.status, known.annotations)
    )
      return
    await this.#replace(
      kind,
      key,
      resourceVersion === undefined ? undefined : Number(resourceVersion),
      (version, present) => {
        if (!present) throw new NotFoundError(`${kind} ${key} does not exist`)
        const metadata = { ...present.object.metadata, resourceVersion: String(version) }
        return { ...present.object, metadata, status: object.status }
      },
    )
  }

  async #createNamed<T extends KubernetesObject>(kind: Kind, object: T): Promise<T> {
    const key = objectKey(object.metadata)
    if (this.#host.manifest(kind, key)) throw new ConflictError(`${kind} ${key} already exists`)
    const metadata = { ...object.metadata, uid: randomUUID(), creationTimestamp: new Date().toISOString() }
    const record = await this.#replace(kind, key, ABSENT, version => ({
      ...object,
      metadata: { ...metadata, resourceVersion: String(version) },
    }))
    return record.object as T & StatusRecord['object']
  }

  async #replace(
    kind: Kind,
    key: ObjectKey,
    expected: number | undefined,
    render: (version: number, present: StatusRecord | undefined) => object,
  ): Promise<StatusRecord> {
    const path = statusPath(this.#directory, kind, key)
    const { text } = await replaceFile(path, {
      expected,
      subject: `${kind} ${key}`,
      // A file that is not ours any more (somebody edited it) counts as absent and is replaced.
      versionOf: old => versionOf(old) ?? ABSENT,
      render: (version, old) =>
        formatStatus(render(version, old === undefined ? undefined : parseStatus(old)), this.#component),
      // Keys are for our eyes only.
      ...(kind === 'Secret' && { mode: 0o600 }),
    })
    const record = parseStatus(text)
    if (!record) throw new TypeError(`cannot be written as YAML: ${text}`)
    this.#written.add(path)
    this.#host.wrote(path, record)
    return record
  }
}

/** Whether a write would change nothing. */
function saysTheSame(
  present: StatusRecord,
  status: unknown,
  annotations: Readonly<Record<string, string | null>>,
): boolean {
  return (
    canonicalText(present.object.status) === canonicalText(status) &&
    canonicalText(present.annotations) === canonicalText(annotations)
  )
}

/** JSON with sorted fields, in which numbers and bigints of the same value are the same. */
function canonicalText(value: unknown): string {
  return (
    JSON.stringify(value, (_, field: unknown) => {
      if (typeof field === 'bigint') return Number.isSafeInteger(Number(field)) ? Number(field) : String(field)
      if (typeof field !== 'object' || field === null || Array.isArray(field)) return field
      return Object.fromEntries(Object.entries(field).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    }) ?? ''
  )
}

const randomSuffix = (): string =>
  Array.from({ length: 5 }, () => ALPHABET[Math.floor(Math.random() * ALPHABET.length)]).join('')
