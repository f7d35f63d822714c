import type { FindOrigin } from '../../config/origin.js'
import type { Kind, ObjectKey, ReadFault } from '../store.js'
import type { Manifest, ManifestObject } from './manifest.js'

/** `Kind namespace/name`. */
export type ObjectId = string
export const objectId = (kind: Kind, key: ObjectKey): ObjectId => `${kind} ${key}`

/** The objects of all files of manifests, each from the file that last said it well. */
export class ManifestSet {
  /** Last good version of each object of a file. */
  readonly #files = new Map<string, readonly ManifestObject[]>()
  /** Files with faults: there may be thousands without. */
  readonly #faulty = new Map<string, readonly ReadFault[]>()
  /** All definitions of an object, in the order of their files. More than one is a fault. */
  readonly #definitions = new Map<ObjectId, readonly ManifestObject[]>()
  /** Objects with more than one definition. */
  readonly #doubled = new Set<ObjectId>()

  /** Objects that the file contributes now. */
  countOf(path: string): number {
    return this.#files.get(path)?.length ?? 0
  }

  /** The definition that counts of every object. */
  objects(): readonly ManifestObject[] {
    return [...this.#definitions.values()].flatMap(([first]) => first ?? [])
  }

  get(kind: Kind, key: ObjectKey): ManifestObject | undefined {
    return this.#definitions.get(objectId(kind, key))?.[0]
  }

  /** Whether something in the files cannot be read, so that an object that is missing may only be hidden. */
  get hasFaults(): boolean {
    return this.#faulty.size > 0
  }

  /** Takes what a file contains now, or `undefined` when it is gone; returns the objects that this may concern. */
  set(path: string, manifest: Manifest | undefined): readonly Pick<ManifestObject, 'kind' | 'key'>[] {
    const before = this.#files.get(path) ?? []
    const objects = manifest ? keepGood(manifest, before) : []
    if (manifest) this.#files.set(path, objects)
    else this.#files.delete(path)
    if (manifest && manifest.faults.length > 0) this.#faulty.set(path, manifest.faults)
    else this.#faulty.delete(path)
    this.#redefine(before, objects)
    return [...before, ...objects]
  }

  /** All that is wrong, in the order of the files. */
  faults(): readonly ReadFault[] {
    const files = [...this.#faulty].toSorted(([a], [b]) => (a < b ? -1 : 1))
    const doubled = [...this.#doubled].toSorted().flatMap(id => duplicates(this.#definitions.get(id) ?? []))
    return [...files.flatMap(([, faults]) => faults), ...doubled]
  }

  readonly origin: FindOrigin = (kind, key, field = '') => {
    const found = this.#definitions.get(`${kind} ${key}`)?.[0]
    if (!found) return undefined
    return { file: found.file, line: closestLine(found, field) }
  }

  #redefine(before: readonly ManifestObject[], now: readonly ManifestObject[]): void {
    for (const { kind, key, file } of before) {
      const id = objectId(kind, key)
      this.#define(
        id,
        (this.#definitions.get(id) ?? []).filter(other => other.file !== file),
      )
    }
    for (const object of now) {
      const id = objectId(object.kind, object.key)
      const all = [...(this.#definitions.get(id) ?? []), object]
      this.#define(
        id,
        all.toSorted((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line)),
      )
    }
  }

  #define(id: ObjectId, definitions: readonly ManifestObject[]): void {
    if (definitions.length === 0) this.#definitions.delete(id)
    else this.#definitions.set(id, definitions)
    if (definitions.length > 1) this.#doubled.add(id)
    else this.#doubled.delete(id)
  }
}

/** What a file contributes: all it says if it could be read, with the last good version of what is broken in it. */
function keepGood(
  { objects, rejected, whole }: Manifest,
  before: readonly ManifestObject[],
): readonly ManifestObject[] {
  if (!whole) return before
  const broken = new Set(rejected.map(({ kind, key }) => objectId(kind, key)))
  return [...objects, ...before.filter(({ kind, key }) => broken.has(objectId(kind, key)))]
}

function duplicates([first, ...others]: readonly ManifestObject[]): readonly ReadFault[] {
  return others.map(({ kind, object: { metadata }, file, line }) => ({
    kind,
    ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
    name: metadata.name,
    field: 'metadata.name',
    reason: `is defined twice; the definition at ${first?.file}:${first?.line} counts`,
    file,
    line,
    affectsConfig: kind !== 'Service' && kind !== 'EndpointSlice',
  }))
}

/** Line of a field, or of the nearest thing around it that was written. */
function closestLine({ line, lines }: ManifestObject, field: string): number {
  for (let path = field; path !== ''; path = path.slice(0, Math.max(path.lastIndexOf('.'), path.lastIndexOf('['), 0))) {
    const found = lines?.get(path)
    if (found !== undefined) return found
  }
  return line
}
