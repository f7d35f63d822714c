import { createHash } from 'node:crypto'
import type { KubernetesObject } from '../../resources/core.js'
import { isFields } from '../../schema/plain.js'
import { formatJSON, parseJSON } from '../kubernetes/bigint-json.js'
import { formatYAML, parseYAML } from './yaml-text.js'

/** What a status file says. */
export interface StatusRecord {
  /** Differs where the text differs. */
  readonly digest: string
  readonly version: number
  /** The component that wrote it. */
  readonly writer: string
  /** Annotations that differ from the manifest's; null: taken away. */
  readonly annotations: Readonly<Record<string, string | null>>
  /** As written: only name, annotations and status of an object of a manifest; all of an object that Typemetal made. */
  readonly object: KubernetesObject & { readonly status?: unknown }
}

/** Text of a status file. */
export function formatStatus(object: object, writer: string): string {
  return `# Written by ${writer}. Edits are overwritten.\n${formatYAML(object)}`
}

/** @returns `undefined` when the text is no status file of ours */
export function parseStatus(text: string): StatusRecord | undefined {
  const { documents, faults } = parseYAML(text)
  const value = documents[0]?.value
  if (faults.length > 0 || !isFields(value) || !isFields(value['metadata'])) return undefined
  const version = versionOf(text)
  if (version === undefined) return undefined
  const annotations = value['metadata']['annotations']
  return {
    digest: digestOf(text),
    version,
    writer: /^# Written by (\S+)\. /.exec(text)?.[1] ?? '',
    annotations: isFields(annotations) ? (annotations as Record<string, string | null>) : {},
    // Made of texts of its own: what YAML gives are parts of the file's, which would stay with them.
    object: parseJSON(formatJSON(value)) as KubernetesObject,
  }
}

/** {@link StatusRecord.digest} of a text. */
export const digestOf = (text: string): string => createHash('sha1').update(text).digest('base64')

/** The version in a status file's text, found without parsing all of it. */
export function versionOf(text: string): number | undefined {
  const version = Number(/^ {2}resourceVersion: "(\d+)"$/m.exec(text)?.[1])
  return Number.isSafeInteger(version) ? version : undefined
}
