import { createHash } from 'node:crypto'
import type { Node } from 'yaml'
import { deepFreeze } from '../../freeze.js'
import type { FieldFault } from '../../config/field-fault.js'
import { convertBGPPeer } from '../../crd/bgp-peer-conversion.js'
import type { KubernetesObject, ObjectMeta } from '../../resources/core.js'
import type { BGPPeer } from '../../resources/metallb.js'
import { checkValue } from '../../schema/check.js'
import { isMetalLBKind } from '../../schema/definitions.js'
import { type Fields, isFields, withoutNulls } from '../../schema/plain.js'
import { fieldsToMend, reviewObject } from '../../schema/review.js'
import { isKind, KINDS, objectKey } from '../kinds.js'
import { keepObject } from '../keep.js'
import { formatJSON, parseJSON } from '../kubernetes/bigint-json.js'
import type { KeepRules, Kind, ObjectKey, ReadFault } from '../store.js'
import { uuidOf, withDefaults } from './defaults.js'
import { accepts, describe, isPathSegment, misnamed } from './identify.js'
import { METADATA, SHAPES } from './shapes.js'
import { itemNodes, parseYAML, visitFields } from './yaml-text.js'

/** An object of a manifest. */
export interface ManifestObject {
  readonly kind: Kind
  readonly key: ObjectKey
  /** With the API server's defaults; frozen. */
  readonly object: KubernetesObject
  /** Changes with the object's content. */
  readonly hash: string
  readonly file: string
  readonly line: number
  /** Lines of its fields; for the kinds whose faults name fields. */
  readonly lines?: ReadonlyMap<string, number>
}

/** An object that is there but cannot be used. */
export interface RejectedObject {
  readonly kind: Kind
  readonly key: ObjectKey
}

/** What a file of manifests contains. */
export interface Manifest {
  readonly objects: readonly ManifestObject[]
  readonly rejected: readonly RejectedObject[]
  readonly faults: readonly ReadFault[]
  /** Everything could be told apart; otherwise {@link objects} may lack some that are in the file. */
  readonly whole: boolean
}

/** Options of {@link parseManifest}. */
export interface ManifestOptions {
  /** How the file is named in faults. */
  readonly file: string
  /** Namespace of metallb.io objects that name none; all others go to `default`, as with kubectl. */
  readonly namespace: string
  /** What is kept of the objects. @default all of them */
  readonly keep?: KeepRules
}

/** Reads the objects of a file: YAML documents, Lists, or JSON, which is YAML. Kinds that nobody here uses are passed over. */
export function parseManifest(text: string, options: ManifestOptions): Manifest {
  const yaml = parseYAML(text)
  const reader = new Reader(options, yaml.lineAt, mayConfigure(text))
  for (const fault of yaml.faults) reader.refuseFile(fault.line, fault.reason, fault.value)
  for (const { value, node } of yaml.documents) reader.read(value, node)
  return reader
}

/** Fault of a file that could not be opened. */
export function unreadable(file: string, reason: string): ReadFault {
  return { kind: 'File', name: file, field: '', reason, file, affectsConfig: true }
}

/** Whether a text that cannot be read may contain configuration. */
const mayConfigure = (text: string): boolean =>
  /apiVersion["']?\s*:\s*["']?metallb\.io\/|kind["']?\s*:\s*["']?(Node|Namespace|Secret|ConfigMap)\b/.test(text)

/** The kinds that only Typemetal writes come from its own folder, not from manifests (where `kubectl get -o yaml` may have put them). */
const isManifestKind = (kind: Kind): boolean => KINDS[kind].madeBy !== 'typemetal'

class Reader implements Manifest {
  readonly objects: ManifestObject[] = []
  readonly rejected: RejectedObject[] = []
  readonly faults: ReadFault[] = []
  whole = true
  readonly #options: ManifestOptions
  readonly #lineAt: (offset: number) => number
  readonly #mayConfigure: boolean

  constructor(options: ManifestOptions, lineAt: (offset: number) => number, mayConfigure: boolean) {
    this.#options = options
    this.#lineAt = lineAt
    this.#mayConfigure = mayConfigure
  }

  /** A fault after which nobody knows what the file contains. */
  refuseFile(line: number, reason: string, value: unknown): void {
    const { file } = this.#options
    const subject = describe(value)
    this.whole = false
    this.faults.push({
      kind: 'File',
      name: file,
      field: '',
      reason: subject ? `in ${subject}: ${reason}` : reason,
      file,
      line,
      affectsConfig: this.#mayConfigure,
    })
  }

  read(value: unknown, node: Node | undefined): void {
    const line = this.#lineAt(node?.range?.[0] ?? 0)
    if (!isFields(value)) return this.refuseFile(line, 'is no Kubernetes object', value)
    const { apiVersion, kind } = value
    if (typeof apiVersion !== 'string') return this.refuseFile(line, 'apiVersion is missing', value)
    if (typeof kind !== 'string') return this.refuseFile(line, 'kind is missing', value)
    if (Array.isArray(value['items']) && kind.endsWith('List')) return this.#readList(value, apiVersion, kind, node)
    if (isKind(kind) && accepts(kind, apiVersion)) {
      if (isManifestKind(kind)) this.#readObject(kind, value, node, line)
      return
    }
    const fault = misnamed(apiVersion, kind)
    if (fault !== undefined) this.refuseFile(line, fault, value)
  }

  #readList(list: Fields, apiVersion: string, kind: string, node: Node | undefined): void {
    const nodes = itemNodes(node, 'items')
    const inherited = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) }
    for (const [i, item] of (list['items'] as unknown[]).entries()) {
      this.read(isFields(item) ? { ...inherited, ...item } : item, nodes[i] ?? node)
    }
  }

  #readObject(kind: Kind, raw: Fields, node: Node | undefined, line: number): void {
    const value = withoutNulls(raw)
    const faults = checkValue(METADATA, value)
    const metadata = (isFields(value['metadata']) ? value['metadata'] : {}) as unknown as ObjectMeta
    const { name } = metadata
    if (typeof name !== 'string' || !isPathSegment(name) || !isPathSegment(metadata.namespace ?? 'x')) {
      const [{ field, reason } = { field: 'metadata.name', reason: 'is no name of an object' }] = faults
      return this.refuseFile(line, `${field}: ${reason}`, value)
    }
    const named = this.#place(kind, value, metadata)
    const key = objectKey(named.metadata)
    const lines = this.#linesOf(kind, node)
    const all = [...faults, ...shapeFaults(kind, named)]
    for (const { field, reason } of all) {
      const { namespace } = named.metadata
      const at = lines?.get(field) ?? line
      const affectsConfig = kind !== 'Service' && kind !== 'EndpointSlice'
      const where = { file: this.#options.file, line: at, affectsConfig }
      this.faults.push({ kind, ...(namespace !== undefined && { namespace }), name, field, reason, ...where })
    }
    if (all.length > 0) this.rejected.push({ kind, key })
    else this.#add(kind, key, inOurVersion(named), line, lines)
  }

  #add(
    kind: Kind,
    key: ObjectKey,
    named: KubernetesObject,
    line: number,
    lines: ReadonlyMap<string, number> | undefined,
  ): void {
    const full = withDefaults(kind, named)
    const uid = full.metadata.uid ?? uuidOf(`${kind}/${key}`)
    const { file, keep = {} } = this.#options
    const text = formatJSON({ ...full, metadata: { ...full.metadata, uid } })
    const hash = createHash('sha1').update(text).digest('hex').slice(0, 12)
    // Made of texts of its own: what YAML gives are parts of the file's, which would stay with them.
    const object = deepFreeze(keepObject(keep, kind, parseJSON(text) as KubernetesObject))
    this.objects.push({ kind, key, object, hash, file, line, ...(lines && { lines }) })
  }

  /** The object in its namespace. */
  #place(kind: Kind, value: Fields, metadata: ObjectMeta): KubernetesObject {
    const { namespace, ...rest } = metadata
    const home = isMetalLBKind(kind) ? this.#options.namespace : 'default'
    const placed = KINDS[kind].namespaced ? { ...rest, namespace: namespace ?? home } : rest
    return { ...value, kind, metadata: placed } as unknown as KubernetesObject
  }

  #linesOf(kind: Kind, node: Node | undefined): ReadonlyMap<string, number> | undefined {
    if (!isMetalLBKind(kind) && kind !== 'ConfigMap') return undefined
    const lines = new Map<string, number>()
    visitFields(node, (path, offset) => lines.set(path, this.#lineAt(offset)))
    return lines
  }
}

/** What would keep the API server from taking an object. For the current versions of metallb.io kinds `buildConfig` says it. */
function shapeFaults(kind: Kind, object: KubernetesObject): readonly FieldFault[] {
  const shape = SHAPES[kind]
  if (shape) return checkValue(shape, object)
  return isMetalLBKind(kind) && object.apiVersion !== KINDS[kind].apiVersion ? fieldsToMend(reviewObject(object)) : []
}

/** The object as it is stored, and read from an API server. */
const inOurVersion = (object: KubernetesObject): KubernetesObject =>
  object.kind === 'BGPPeer' ? convertBGPPeer(object as BGPPeer, KINDS.BGPPeer.apiVersion) : object
