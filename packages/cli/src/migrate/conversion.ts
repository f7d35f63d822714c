/** What a conversion makes, and what it cannot. */
import type { KubernetesObject, LabelSelector } from '@typemetal/cluster'
import { isFields } from '@typemetal/cluster'
import type { Fields } from './objects.js'
import { fieldsOf, listOf, textOf, textsOf } from './objects.js'

/** A resource of ours in the making. */
export type Resource = KubernetesObject & { readonly spec: Fields }

/** Something that has no equal here, or is not quite the same. */
export interface ConversionNote {
  /** `Kind namespace/name`, or where else it was written. */
  readonly subject: string
  readonly text: string
}

/** Resources and notes, gathered while objects are looked at. */
export class Conversion {
  readonly resources: Resource[] = []
  readonly notes: ConversionNote[] = []
  readonly #namespace: string
  readonly #names = new Map<string, number>()

  /** @param namespace where the resources are to live */
  constructor(namespace: string) {
    this.#namespace = namespace
  }

  /** Adds a resource; a name that is taken gets a number. Fields that are `undefined` are left out. @returns the name */
  add(kind: string, name: string, spec: Fields, labels?: Readonly<Record<string, string>>): string {
    const plain = resourceName(name)
    const count = (this.#names.get(`${kind} ${plain}`) ?? 0) + 1
    this.#names.set(`${kind} ${plain}`, count)
    const unique = count === 1 ? plain : `${plain}-${count}`
    const apiVersion = kind === 'BGPPeer' ? 'metallb.io/v1beta2' : 'metallb.io/v1beta1'
    const metadata = { name: unique, namespace: this.#namespace, ...(labels && { labels }) }
    this.resources.push({ apiVersion, kind, metadata, spec: defined(spec) })
    return unique
  }

  note(subject: string, text: string): void {
    this.notes.push({ subject, text })
  }
}

/** A name that the API server takes: lower case, digits, dashes and dots. */
export const resourceName = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, '-')
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, '') || 'imported'

/** Without fields that are `undefined`. */
export const defined = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

/** A list, or nothing when it is empty. */
export const unlessEmpty = <T>(list: readonly T[]): readonly T[] | undefined => (list.length > 0 ? list : undefined)

/** A label selector in Kubernetes' spelling; `undefined` when there is none or it matches everything. */
export function selectorOf(value: unknown): LabelSelector | undefined {
  if (!isFields(value)) return undefined
  const labels = fieldsOf(value, 'matchLabels') as Readonly<Record<string, string>>
  const expressions = listOf(value, 'matchExpressions').map(expression => ({
    key: textOf(expression, 'key') ?? '',
    operator: textOf(expression, 'operator') ?? '',
    ...(expression['values'] !== undefined && { values: textsOf(expression, 'values') }),
  }))
  if (Object.keys(labels).length + expressions.length === 0) return undefined
  return {
    ...(Object.keys(labels).length > 0 && { matchLabels: labels }),
    ...(expressions.length > 0 && { matchExpressions: expressions }),
  }
}
